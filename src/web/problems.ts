import { placesOf } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';

/** What may be wrong with a plug; the page has words for each, and says what to do. */
export const PROBLEM_KINDS = [
  'offline',
  'lamp-out',
  'lamp-weak',
  'duplicate',
  'cloud',
  'clock',
  'weak-signal',
  'firmware',
] as const;

export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** Something that is wrong with a plug. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly path: string;
  /** Milliseconds since 1970 at which the plug was last well, if that is known. */
  readonly since: number | null;
  /** More exactly, as a code: why a plug is offline, how its clock is. */
  readonly reason: string | null;
  /** What it has in common with others that most likely have the same cause; `null` if it stands alone. */
  readonly group: string | null;
}

/** A weaker signal loses packets. */
const WEAK_DBM = -80;

/** Plugs that were last heard within this time of one another failed together. */
const TOGETHER_MS = 60_000;

/** All that is wrong with these plugs, the worst first; what failed together stands together. */
export function problemsOf(plugs: Iterable<PlugState>): Problem[] {
  const all = [...plugs].flatMap((plug) => problemsOfPlug(plug));
  return grouped(all).sort((one, other) => order(one) - order(other));
}

/** What is wrong with one plug. */
export function problemsOfPlug(plug: PlugState): Problem[] {
  const { path, lastSeen } = plug;
  const problem = (kind: ProblemKind, reason: string | null, since: number | null = null) => {
    return { kind, path, since, reason, group: null };
  };
  if (plug.availability === 'offline') {
    const kind = plug.problem === 'duplicate' ? 'duplicate' : 'offline';
    const firmware = plug.problem === 'newer-firmware' ? [problem('firmware', plug.problem)] : [];
    return [problem(kind, plug.problem, lastSeen), ...firmware];
  }
  const { lamp, cloud, clock, rssi, info } = plug;
  return [
    ...(lamp === 'out' ? [problem('lamp-out', null)] : []),
    ...(lamp === 'weak' ? [problem('lamp-weak', null)] : []),
    ...(cloud?.connected === true ? [problem('cloud', null)] : []),
    ...(clock === 'unset' || clock === 'wrong' ? [problem('clock', clock)] : []),
    ...(rssi !== null && rssi < WEAK_DBM ? [problem('weak-signal', `${rssi} dBm`)] : []),
    ...(isRisky(info) ? [problem('firmware', info?.firmware ?? null)] : []),
  ];
}

/** Hardware 4.1 is offered an update that closes the port by which the bridge speaks to it. */
function isRisky(info: PlugState['info']): boolean {
  return info?.hardware === '4.1' && /^HS1[01]0/.test(info.model ?? '');
}

/** Names what offline plugs have in common: they went silent together, or are in the same place. */
function grouped(problems: readonly Problem[]): Problem[] {
  const offline = problems
    .filter(({ kind }) => kind === 'offline')
    .sort((one, other) => (one.since ?? 0) - (other.since ?? 0));
  const names = new Map<string, string>();
  const name = (members: readonly Problem[], group: string) => {
    if (members.length < 2) return;
    for (const { path } of members) if (!names.has(path)) names.set(path, group);
  };
  for (const together of runs(offline)) name(together, `time ${together[0]?.since ?? 'unknown'}`);
  const alone = offline.filter(({ path }) => !names.has(path));
  const places = new Set(alone.map(({ path }) => placesOf(path)[0] ?? '').filter((place) => place !== ''));
  for (const place of places)
    name(
      alone.filter(({ path }) => placesOf(path)[0] === place),
      `place ${place}`,
    );
  return problems.map((problem) =>
    problem.kind === 'offline' ? { ...problem, group: names.get(problem.path) ?? null } : problem,
  );
}

/** Splits a list, in order of time, wherever nothing happened for a while. */
function runs(problems: readonly Problem[]): Problem[][] {
  const all: Problem[][] = [];
  let last: Problem | undefined;
  for (const problem of problems) {
    const isSoon = last !== undefined && (problem.since ?? 0) - (last.since ?? 0) <= TOGETHER_MS;
    if (isSoon) all.at(-1)?.push(problem);
    else all.push([problem]);
    last = problem;
  }
  return all;
}

function order({ kind }: Problem): number {
  return PROBLEM_KINDS.indexOf(kind);
}
