import type { LatencyResult, PollResult, Results } from './run.ts';

/** What was promised, and what came of it. */
export interface Target {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: '×' | '% of a core' | 'ms' | 'MB' | 'kB';
  /** Milliseconds that a ratio of latencies stands for. */
  readonly addedMs?: number;
}

/** What the bridge may add to a command before its ratio is watched: it stores each one, counts and writes a journal. */
const ALLOWED_MS = 4;

/** A ratio is watched from so many times its target on: a machine that others use has moods. */
const FAR = 2;

export function isMet({ value, limit }: Target): boolean {
  return value <= limit;
}

/** Only ratios are watched, and not those of the slowest percent: times depend on the machine and its mood. */
export function isSliding(target: Target): boolean {
  if (target.unit !== '×' || target.what.includes('p99')) return false;
  if (target.addedMs !== undefined && target.addedMs <= ALLOWED_MS) return false;
  return target.value > FAR * target.limit;
}

const MB = 1024;

export function targetsOf(results: Results): Target[] {
  const found = [
    ...results.polls.flatMap((poll) => ofPoll(poll, results.polls)),
    ...results.soak.flatMap(ofSoak),
    ...results.latencies.flatMap(ofLatency),
    ...ofPlaces(results),
    ...results.isolation.map(
      ({ plugs, alive, dead }): Target => ({
        what: `p99 lateness of a poll, 30 % of ${plugs} plugs dead: more than without`,
        value: dead.latenessP99Ms - alive.latenessP99Ms,
        limit: 20,
        unit: 'ms',
      }),
    ),
    ...ofMemory(results),
    ...results.starts
      .slice(0, 1)
      .map(
        ({ firstMs }): Target => ({ what: 'start to first state', value: firstMs, limit: 700, unit: 'ms' }),
      ),
  ];
  return found;
}

function ofPoll(poll: PollResult, all: readonly PollResult[]): Target[] {
  const { kept, plugs, client, changing, ratio, cost } = poll;
  if (client !== 'bridge') {
    const ours = all.find(
      (other) => other.client === 'bridge' && other.kept && other.plugs === plugs && other.changing === 0.1,
    );
    if (ours === undefined) return [];
    return [
      {
        what: `a poll, ${plugs} plugs: part of what ${client} takes`,
        value: ours.ratio / ratio,
        limit: client === 'python-kasa' ? 0.5 : 0.25,
        unit: '×',
      },
    ];
  }
  const targets: Target[] = [];
  if (changing === 0.1) {
    const what = `a poll, ${plugs} plugs, ${kept ? 'connections kept' : 'a connection per poll'}, 10 % changed: against the floor`;
    targets.push({ what, value: ratio, limit: kept ? 2 : 1.3, unit: '×' });
  }
  const share = (what: string, limit: number): Target => ({
    what,
    value: cost.corePercent,
    limit,
    unit: '% of a core',
  });
  if (kept && plugs === 10_000 && changing === 1)
    targets.push(share('10,000 plugs a second, every value changing', 80));
  if (kept && plugs === 100 && changing === 0.1) targets.push(share('100 plugs a second', 4));
  return targets;
}

function ofSoak({ plugs, seconds, cost, rssKb, rssKbAfter }: Results['soak'][number]): Target[] {
  const name = `${plugs} plugs for ${seconds} s`;
  return [
    { what: `${name}: p99 lateness of a poll`, value: cost.latenessP99Ms, limit: 100, unit: 'ms' },
    { what: `${name}: CPU`, value: cost.corePercent, limit: 40, unit: '% of a core' },
    {
      what: `${name}: polls wanted against polls done`,
      value: plugs / cost.pollsPerSecond,
      limit: 1.01,
      unit: '×',
    },
    { what: `${name}: growth of memory`, value: (rssKbAfter - rssKb) / MB, limit: 5, unit: 'MB' },
  ];
}

function ofLatency({ broker, plugs, pauseMs, bridge, minimal }: LatencyResult): Target[] {
  const load = plugs === 1 ? 'idle' : `${plugs} plugs polled`;
  const name = `a command ${pauseMs} ms after the last, ${broker} broker, ${load}`;
  return [
    {
      what: `${name}: p50 against the minimal script`,
      value: bridge.p50 / minimal.p50,
      addedMs: bridge.p50 - minimal.p50,
      limit: 1.3,
      unit: '×',
    },
    { what: `${name}: p99 against the minimal script`, value: bridge.p99 / minimal.p99, limit: 2, unit: '×' },
  ];
}

function ofPlaces({ places }: Results): Target[] {
  const limits = new Map([
    [60, 50],
    [1000, 500],
  ]);
  return places.flatMap(({ plugs, bridgeMs }): Target[] => {
    const limit = limits.get(plugs);
    return limit === undefined ? [] : [{ what: `OFF on ${plugs} plugs`, value: bridgeMs, limit, unit: 'ms' }];
  });
}

function ofMemory({ memory }: Results): Target[] {
  const empty = memory.find(({ plugs }) => plugs === 0);
  const most = memory.at(-1);
  if (empty === undefined) return [];
  const targets: Target[] = [
    { what: 'memory without plugs', value: empty.rssKb / MB, limit: 95, unit: 'MB' },
  ];
  if (most === undefined || most.plugs === 0) return targets;
  const value = (most.rssKb - empty.rssKb) / most.plugs;
  return [...targets, { what: `memory per plug, at ${most.plugs}`, value, limit: 12, unit: 'kB' }];
}
