import process from 'node:process';
import { parseArgs } from 'node:util';
import { Chance } from '../soak/random.ts';
import { httpTarget } from './http.ts';
import { mutated } from './mutation.ts';
import { TARGETS, type Target } from './targets.ts';

const HELP = `npm run fuzz -- [--count 1000000] [--seed N] [--only NAME] [--case N]

Feeds ${[...TARGETS.map(({ name }) => name), 'http'].join(', ')} with hostile input: no crash, no case over a second, no growth.
A find is printed with what repeats it.
`;

/** A case that takes longer holds up everything else. */
const SLOW_MS = 1000;

/** What the heap may grow by over a target, after it has been cleared. */
const GROWTH_BYTES = 32 * 1024 * 1024;

/** Finds that are shown: one mistake may show itself a thousand times. */
const MOST_SHOWN = 10;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x1_0000_0000)) },
    only: { type: 'string' },
    case: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [count, seed] = [Number(values.count), Number(values.seed)];
process.stdout.write(`seed ${seed}\n`);

const http = values.only === undefined || values.only === 'http' ? await httpTarget() : undefined;
const targets = [...TARGETS, ...(http === undefined ? [] : [http.target])].filter(
  ({ name }) => values.only === undefined || name === values.only,
);
const shares = targets.reduce((sum, { share }) => sum + share, 0);
let finds = 0;
let total = 0;
for (const target of targets) await run(target, Math.ceil((count * target.share) / shares));
await http?.end();
process.stdout.write(`${total} cases, ${finds} finds\n`);
process.exit(finds > 0 || total === 0 ? 1 : 0);

async function run(target: Target, cases: number): Promise<void> {
  const [first, last] =
    values.case === undefined ? [0, cases] : [Number(values.case), Number(values.case) + 1];
  const began = performance.now();
  const warm = first + Math.floor((last - first) / 4);
  let before = Number.POSITIVE_INFINITY;
  let slowest = 0;
  for (let index = first; index < last; index++) {
    if (index === warm) before = heap();
    slowest = Math.max(slowest, await feed(target, index));
  }
  const grown = heap() - before;
  if (grown > GROWTH_BYTES) report(target, `the heap has grown by ${grown} bytes`, last - 1);
  total += last - first;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(
    `${target.name.padEnd(14)} ${String(last - first).padStart(8)} cases  ${seconds.padStart(6)} s  slowest ${slowest.toFixed(0)} ms\n`,
  );
}

/** Feeds one case, which is made of the seed and its number alone; returns how long it took. */
async function feed(target: Target, index: number): Promise<number> {
  const chance = new Chance(seed ^ Math.imul(index + 1, 0x9e37_79b1));
  const input = mutated(chance.of(target.corpus), target.corpus, chance);
  const began = performance.now();
  try {
    const pending = target.feed(input, chance);
    if (pending !== undefined) await pending;
  } catch (error) {
    report(target, error instanceof Error ? (error.stack ?? error.message) : String(error), index);
  }
  const ms = performance.now() - began;
  if (ms > SLOW_MS) report(target, `it took ${ms.toFixed(0)} ms`, index);
  return ms;
}

function report({ name }: Target, what: string, index: number): void {
  finds++;
  if (finds > MOST_SHOWN) return;
  process.stdout.write(
    `FOUND in ${name}: ${what}\n  npm run fuzz -- --seed ${seed} --only ${name} --case ${index}\n`,
  );
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
