import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Observer } from './observer.ts';
import { intoDocument, markdown, type Report } from './report.ts';
import { PARTS, type Part, Run } from './run.ts';
import { Site } from './site.ts';
import { isSliding, targetsOf } from './targets.ts';

const USAGE = `npm run build && npm run bench -- [--quick] [--json] [--write] [--only ${PARTS.join('|')}]...
  --quick   a minute; exit code 1 if a ratio is worse than twice its target
  --json    the results as JSON instead of tables
  --write   put the tables into docs/performance.md
  --only    only this part; may be given several times
  --python  a Python that has python-kasa, to measure that too
  --node    a flag for the Node that runs the bridge, such as --node=--cpu-prof; keeps the folder it ran in`;

const PROGRAM = 'dist/main.js';
const DOCUMENT = 'docs/performance.md';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    python: { type: 'string' },
    node: { type: 'string', multiple: true, default: [] },
  },
});

if (values.help) console.log(USAGE);
else if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: npm run build makes it`);
else process.exitCode = await bench();

async function bench(): Promise<number> {
  const report: Report = { ...machine(), ...(await measure()) };
  const text = markdown(report);
  console.log(values.json ? JSON.stringify(report, undefined, 2) : text);
  if (values.write) writeFileSync(DOCUMENT, intoDocument(readFileSync(DOCUMENT, 'utf8'), text));
  const sliding = report.targets.filter(isSliding);
  for (const { what, value, limit } of sliding)
    console.error(`${what}: ${value.toFixed(2)} is far beyond ${limit}`);
  return values.quick && sliding.length > 0 ? 1 : 0;
}

async function measure() {
  const site = new Site(PROGRAM, values.node);
  try {
    const { url } = await site.broker();
    const note = (text: string) => console.error(text);
    const { quick, python } = values;
    const options = { quick, python, parts: new Set(partsWanted()), note };
    const run = new Run(site, options, url, await Observer.at(url));
    await run.all();
    return { results: run.results, targets: targetsOf(run.results) };
  } finally {
    await site.close();
  }
}

function partsWanted(): readonly Part[] {
  const { only } = values;
  const unknown = only?.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${PARTS.join(', ')}`);
  return PARTS.filter((part) => only?.includes(part) ?? true);
}

function machine() {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const [cpu] = cpus();
  return {
    commit,
    node: process.version,
    cpu: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}`,
    quick: values.quick,
  };
}
