import { setTimeout as delay } from 'node:timers/promises';
import { median } from './numbers.ts';
import type { Observer } from './observer.ts';
import { pathOf } from './plugs.ts';
import { sharedNow } from './process.ts';
import { switchInSequence } from './sequence.ts';
import type { Subject } from './site.ts';

/** What something cost over a while. */
export interface Cost {
  readonly usPerPoll: number;
  readonly corePercent: number;
  readonly pollsPerSecond: number;
  readonly latenessP99Ms: number;
  readonly farmCorePercent: number;
}

/** Costs of several over the same while, in which the others are halted. */
export async function costs(subjects: readonly Subject[], ms: number): Promise<Cost[]> {
  await Promise.all(subjects.map((subject) => subject.order({ begin: true })));
  const began = performance.now();
  const before = subjects.map(({ client, farm }) => [client.cpuUs(), farm.cpuUs()] as const);
  await delay(ms);
  const after = subjects.map(({ client, farm }) => [client.cpuUs(), farm.cpuUs()] as const);
  const us = (performance.now() - began) * 1000;
  const reports = await Promise.all(subjects.map((subject) => subject.order({})));
  return reports.map(({ polls, latenessP99Ms }, i) => {
    const [used, farmUsed] = [0, 1].map((k) => (after[i]?.[k] ?? 0) - (before[i]?.[k] ?? 0));
    return {
      usPerPoll: (used ?? 0) / polls,
      corePercent: (100 * (used ?? 0)) / us,
      pollsPerSecond: (polls / us) * 1e6,
      latenessP99Ms,
      farmCorePercent: (100 * (farmUsed ?? 0)) / us,
    };
  });
}

export function halt(subjects: readonly Subject[]): void {
  for (const { client } of subjects) client.halt();
}

/** Lets halted ones run again, and what has piled up be dealt with. */
export async function resume(subjects: readonly Subject[], settleMs: number): Promise<void> {
  for (const { client } of subjects) client.resume();
  await delay(settleMs);
}

/** Rounds of costs, side by side if the machine has room for all, else in turn. */
export async function rounds(
  subjects: readonly Subject[],
  options: { rounds: number; ms: number; settleMs: number; sideBySide: boolean },
): Promise<Cost[][]> {
  const turns = options.sideBySide ? [subjects] : subjects.map((subject) => [subject]);
  const costsOf = new Map<Subject, Cost[]>(subjects.map((subject) => [subject, []]));
  halt(subjects);
  for (let round = 0; round < options.rounds; round++) {
    for (const turn of turns) {
      await resume(turn, options.settleMs);
      const measured = await costs(turn, options.ms);
      for (const [i, cost] of measured.entries()) costsOf.get(turn[i] as Subject)?.push(cost);
      if (turns.length > 1) halt(turn);
    }
  }
  await resume(subjects, 0);
  return [...costsOf.values()];
}

/** The median of each number of the costs of several rounds. */
export function typical(all: readonly Cost[]): Cost {
  const of = (key: keyof Cost) => median(all.map((cost) => cost[key]));
  return {
    usPerPoll: of('usPerPoll'),
    corePercent: of('corePercent'),
    pollsPerSecond: of('pollsPerSecond'),
    latenessP99Ms: of('latenessP99Ms'),
    farmCorePercent: of('farmCorePercent'),
  };
}

/** The median of the ratios, round by round: what the machine did to one it did to the other. */
export function ratio(all: readonly Cost[], others: readonly Cost[]): number {
  return median(all.map((cost, round) => cost.usPerPoll / (others[round]?.usPerPoll ?? Number.NaN)));
}

/** Milliseconds from starting a bridge until its first plug, and until all of them, are at the broker. */
export async function start(
  open: () => Promise<Subject>,
  observer: Observer,
  { base, plugs }: { base: string; plugs: number },
): Promise<{ subject: Subject; firstMs: number; allMs: number }> {
  await observer.subscribe(`${base}/+/+/state`);
  let first = 0;
  const seen = new Set<string>();
  const all = observer.until((topic) => {
    first ||= sharedNow();
    return seen.add(topic).size >= plugs;
  });
  const subject = await open();
  const began = subject.client.startedAt;
  const last = await all;
  await observer.unsubscribe(`${base}/+/+/state`);
  return { subject, firstMs: first - began, allMs: last - began };
}

/** Milliseconds of commands: until the bytes are at the plug, and until the confirmed state is back. */
export interface Latencies {
  readonly toPlug: number[];
  readonly total: number[];
}

/** Sends so many commands one after the other, OFF and ON to twenty plugs in turn; they must be an even number of rounds. */
export async function commands(
  subject: Subject,
  observer: Observer,
  options: { plugs: number; commands: number; pauseMs: number },
): Promise<Latencies> {
  const { base } = subject;
  const total: number[] = [];
  const sentAt: number[] = [];
  await observer.subscribe(`${base}/+/+/state`);
  await delay(200);
  await subject.order({ begin: true });
  const few = Math.min(20, options.plugs);
  for (let i = 0; i < options.commands; i++) {
    const path = pathOf(Math.floor(((i % few) * options.plugs) / few));
    const state = Math.floor(i / few) % 2 === 0 ? 'OFF' : 'ON';
    const back = observer.until((topic, payload) => topic === `${base}/${path}/state` && payload === state);
    sentAt.push(sharedNow());
    observer.publish(`${base}/${path}/set`, state);
    total.push((await back) - (sentAt.at(-1) ?? 0));
    await delay(options.pauseMs + 5 * Math.random());
  }
  const { commandsAt } = await subject.order({});
  await observer.unsubscribe(`${base}/+/+/state`);
  return { total, toPlug: commandsAt.map((at, i) => at - (sentAt[i] ?? Number.NaN)) };
}

/** Commands to two in turn, block by block, one halted while the other is asked. */
export async function commandsInTurn(
  subjects: readonly { subject: Subject; observer: Observer }[],
  options: { plugs: number; commands: number; pauseMs: number; blocks: number; settleMs: number },
): Promise<Latencies[]> {
  const results = subjects.map((): Latencies => ({ toPlug: [], total: [] }));
  halt(subjects.map(({ subject }) => subject));
  for (let block = 0; block < options.blocks; block++) {
    for (const [i, { subject, observer }] of subjects.entries()) {
      await resume([subject], options.settleMs);
      const { total, toPlug } = await commands(subject, observer, options);
      results[i]?.total.push(...total);
      results[i]?.toPlug.push(...toPlug);
      halt([subject]);
    }
  }
  await resume(
    subjects.map(({ subject }) => subject),
    0,
  );
  return results;
}

/** Milliseconds until the receipt for a command to the place at this topic; the median of several. */
export async function place(observer: Observer, base: string, repeats: number): Promise<number> {
  const times: number[] = [];
  await observer.subscribe(`${base}/result`);
  for (let i = 0; i < 2 * repeats; i++) {
    const state = i % 2 === 0 ? 'ON' : 'OFF';
    let outcome = '';
    const receipt = observer.until((topic, payload) => {
      if (topic !== `${base}/result`) return false;
      outcome = JSON.parse(payload).outcome;
      return true;
    });
    const began = sharedNow();
    observer.publish(`${base}/set`, state);
    const ms = (await receipt) - began;
    if (outcome !== 'confirmed') throw new Error(`${base} was not switched ${state}: ${outcome}`);
    if (state === 'OFF') times.push(ms);
    await delay(300);
  }
  await observer.unsubscribe(`${base}/result`);
  return median(times);
}

/** The same by a loop over the plugs, one after the other. */
export async function sequence(subject: Subject, plugs: number): Promise<number> {
  const { port } = await subject.order({});
  return switchInSequence(plugs, port, 0);
}

/** Costs with all plugs alive, and with three of ten silent; the rounds alternate. */
export async function isolation(
  subject: Subject,
  options: { ms: number; settleMs: number },
): Promise<{ alive: Cost; dead: Cost }> {
  const [alive = undefined] = await costs([subject], options.ms);
  await subject.order({ deadTenths: 3 });
  await delay(options.settleMs);
  const [dead = undefined] = await costs([subject], options.ms);
  await subject.order({ deadTenths: 0 });
  if (alive === undefined || dead === undefined) throw new Error('nothing was measured');
  return { alive, dead };
}
