import { slug } from './topics.ts';

/** What is known of a plug that has no path yet. */
export interface NamelessPlug {
  readonly mac: string;
  readonly alias: string | undefined;
  /** The path that it has had so far. */
  readonly before?: string | undefined;
}

/** Aliases may be as long as a plug lets them be; topics should not. */
const LONGEST_SLUG = 40;

/** Digits of the MAC that a path ends with, the more the more plugs would have the same path without them. */
const MAC_DIGITS = [0, 4, 6, 12];

/** What is left of a name without a letter or digit that a topic bears, as of every other such name. */
const NAMELESS = slug('');

/**
 * A path of its own for every plug, by MAC: the slug of its alias, and the end of its MAC too where several would
 * have the same, or where nothing is left of the alias. A plug keeps the path it has had as long as that still fits
 * its alias; apart from that the order of the plugs does not matter.
 */
export function pathsByAlias(plugs: readonly NamelessPlug[]): ReadonlyMap<string, string> {
  const kept = new Map(plugs.filter(fitsStill).map(({ mac, before = '' }) => [before, mac]));
  const paths = new Map([...kept].map(([path, mac]) => [mac, path]));
  const newcomers = plugs
    .filter(({ mac }) => !paths.has(mac))
    .map((plug) => ({ mac: plug.mac, choices: choicesFor(plug) }));
  let crowd = crowded(newcomers, kept);
  while (crowd.length > 0) {
    for (const { choices } of crowd) choices.shift();
    crowd = crowded(newcomers, kept);
  }
  for (const newcomer of newcomers) paths.set(newcomer.mac, choiceOf(newcomer));
  return paths;
}

interface Newcomer {
  readonly mac: string;
  readonly choices: string[];
}

/** Those who would have the path of another, and still have a longer one to choose. */
function crowded(newcomers: readonly Newcomer[], kept: ReadonlyMap<string, string>): Newcomer[] {
  const counts = new Map<string, number>();
  for (const newcomer of newcomers) {
    const path = choiceOf(newcomer);
    counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  const isShared = (path: string) => kept.has(path) || (counts.get(path) ?? 0) > 1;
  return newcomers.filter((newcomer) => newcomer.choices.length > 1 && isShared(choiceOf(newcomer)));
}

function choiceOf({ choices }: Newcomer): string {
  return choices[0] ?? NAMELESS;
}

function fitsStill(plug: NamelessPlug): boolean {
  return plug.before !== undefined && choicesFor(plug).includes(plug.before);
}

/** The paths that a plug may have, the shortest first; the last is no other plug's. */
function choicesFor({ mac, alias }: NamelessPlug): string[] {
  const name = slug(slug(alias ?? '').slice(0, LONGEST_SLUG));
  const id = mac.replaceAll(':', '').toLowerCase();
  const choices = MAC_DIGITS.map((digits) => (digits === 0 ? name : `${name}-${id.slice(-digits)}`));
  return name === NAMELESS ? choices.slice(1) : choices;
}
