/** Requests that change something, each of which the configuration must allow by its name. */
export const RESTRICTED_REQUESTS = ['log/level'] as const;
