import { matchesFilter } from './topic-filter.ts';

/** What a user of the embedded broker may do; `undefined` is everything. */
export interface Access {
  /** Topic filters within which it may publish. */
  readonly publish: readonly string[] | undefined;
  /** Topic filters within which it may subscribe. */
  readonly subscribe: readonly string[] | undefined;
}

export function mayPublish({ publish }: Access, topic: string): boolean {
  return publish === undefined || publish.some((filter) => matchesFilter(filter, topic));
}

/** Whether all that `filter` matches may be received. */
export function maySubscribe({ subscribe }: Access, filter: string): boolean {
  return subscribe === undefined || subscribe.some((granted) => covers(granted, filter));
}

/** Whether `filter` matches nothing that `granted` does not match. */
function covers(granted: string, filter: string): boolean {
  if (filter.startsWith('$') && /^[+#]/.test(granted)) return false;
  const wanted = filter.split('/');
  const levels = granted.split('/');
  for (const [index, level] of levels.entries()) {
    if (level === '#') return true;
    const one = wanted[index];
    if (one === undefined || one === '#' || (level !== '+' && level !== one)) return false;
  }
  return levels.length === wanted.length;
}
