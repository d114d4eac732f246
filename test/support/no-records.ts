import type { RequestOptions } from '../../src/api/requests.ts';

/** A bridge that writes nothing down. */
export const NO_RECORDS: Pick<RequestOptions, 'journal' | 'energySet'> = {
  journal: () => [],
  energySet: () => {},
};
