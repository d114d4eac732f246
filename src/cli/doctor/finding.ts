/** What was looked at. */
export type Area = 'configuration' | 'machine' | 'broker' | 'bridge' | 'home assistant' | 'network' | 'plugs';

/** One thing that the doctor has seen. */
export interface Finding {
  readonly area: Area;
  /** A `note` is worth knowing; only a `problem` is wrong. */
  readonly level: 'ok' | 'note' | 'problem';
  readonly says: string;
  /** What to do about it. */
  readonly cure?: string;
}

export function ok(area: Area, says: string): Finding {
  return { area, level: 'ok', says };
}

export function note(area: Area, says: string, cure?: string): Finding {
  return { area, level: 'note', says, ...(cure === undefined ? {} : { cure }) };
}

export function problem(area: Area, says: string, cure?: string): Finding {
  return { area, level: 'problem', says, ...(cure === undefined ? {} : { cure }) };
}
