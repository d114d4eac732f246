import type { SessionMemory } from '../../src/mqtt/session.ts';

/** A memory that lasts as long as the program. */
export function volatileSession(clientId: string): SessionMemory {
  let filters: string | null = null;
  return {
    clientId,
    isIdChosen: true,
    filters: () => filters,
    rememberFilters: (key) => {
      filters = key;
    },
  };
}
