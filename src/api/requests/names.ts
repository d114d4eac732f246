/** Requests that change something, each of which the configuration must allow by its name. */
export const RESTRICTED_REQUESTS = [
  'config/set',
  'discover/blink',
  'energy/set',
  'lamp/learn',
  'log/level',
  'plug/add',
  'plug/move',
  'plug/remove',
  'plug/rename',
  'plug/replace',
] as const;

/** With it, what those requests change may leave a plug without the lock that it has. */
export const UNLOCK = 'unlock';

/** What administrators may do who came by the page, whatever the configuration allows others. */
export const ADMIN_REQUESTS: ReadonlySet<string> = new Set([
  'config/set',
  'discover/blink',
  'energy/set',
  'lamp/learn',
  'log/level',
  'plug/add',
  'plug/move',
  'plug/remove',
  'plug/rename',
  'plug/replace',
  'reboot',
]);
