import { slug } from './topics.ts';

/** What is known of a plug that has no path yet. */
export interface NamelessPlug {
  readonly mac: string;
  readonly alias: string | undefined;
}

/** Aliases may be as long as a plug lets them be; topics should not. */
const LONGEST_SLUG = 40;

/** Digits of the MAC that a path ends with, the more the more plugs would have the same path without them. */
const MAC_DIGITS = [0, 4, 6, 12];

/**
 * A path of its own for every plug, by MAC: the slug of its alias, and the end of its MAC too where several
 * plugs would have the same. The order of the plugs does not matter.
 */
export function pathsByAlias(plugs: readonly NamelessPlug[]): ReadonlyMap<string, string> {
  const levels = new Map(plugs.map(({ mac }) => [mac, 0]));
  const pathOf = (plug: NamelessPlug) => candidate(plug, levels.get(plug.mac) ?? 0);
  for (;;) {
    const counts = new Map<string, number>();
    for (const plug of plugs) counts.set(pathOf(plug), (counts.get(pathOf(plug)) ?? 0) + 1);
    const sharing = plugs.filter((plug) => (counts.get(pathOf(plug)) ?? 0) > 1);
    const movable = sharing.filter(({ mac }) => (levels.get(mac) ?? 0) < MAC_DIGITS.length - 1);
    if (movable.length === 0) break;
    for (const { mac } of movable) levels.set(mac, (levels.get(mac) ?? 0) + 1);
  }
  return new Map(plugs.map((plug) => [plug.mac, pathOf(plug)]));
}

function candidate({ mac, alias }: NamelessPlug, level: number): string {
  const name = slug(slug(alias ?? '').slice(0, LONGEST_SLUG));
  const digits = MAC_DIGITS[level] ?? 0;
  const end = mac
    .replaceAll(':', '')
    .toLowerCase()
    .slice(12 - digits);
  return digits === 0 ? name : `${name}-${end}`;
}
