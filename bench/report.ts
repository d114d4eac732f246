import type { Results } from './run.ts';
import { isMet, type Target } from './targets.ts';

export interface Report {
  readonly commit: string;
  readonly node: string;
  readonly cpu: string;
  readonly quick: boolean;
  readonly results: Results;
  readonly targets: readonly Target[];
}

const BEGIN = '<!-- Made by `npm run bench -- --write`. -->';
const END = '<!-- End of what was made. -->';

/** The document with its tables replaced. */
export function intoDocument(document: string, tables: string): string {
  const [before, rest] = split(document, BEGIN);
  const [, after] = split(rest, END);
  return `${before}${BEGIN}\n\n${tables}\n${END}${after}`;
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`the document has no line ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** All results as tables. */
export function markdown({ commit, node, cpu, quick, results, targets }: Report): string {
  const about = `Commit ${commit}, Node ${node}, ${cpu}${quick ? ', quick' : ''}.`;
  const sections = [
    targetTable(targets),
    pollTable(results),
    soakTable(results),
    latencyTable(results),
    placeTable(results),
    isolationTable(results),
    memoryTable(results),
    startTable(results),
  ];
  return [about, ...sections.filter((section) => section !== '')].join('\n\n').concat('\n');
}

type Cell = string | number;

function table(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [`### ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Three digits, as far as they say anything. */
function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function mb(kb: number | null): string {
  return kb === null ? '–' : (kb / 1024).toFixed(0);
}

function targetTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const { what, value, limit, unit } = target;
    return [what, `${short(value)} ${unit}`, `${limit} ${unit}`, isMet(target) ? 'met' : '**not met**'];
  });
  return table('Targets', ['what', 'measured', 'at most', ''], rows);
}

function pollTable({ polls }: Results): string {
  const head = [
    'plugs',
    'connections',
    'client',
    'changed',
    'µs a poll',
    'floor',
    'ratio',
    'core %',
    'polls/s',
    'p99 late ms',
    'plugs themselves, core %',
  ];
  const rows = polls.map(({ plugs, kept, client, changing, cost, floor, ratio }) => [
    plugs,
    kept ? 'kept' : 'one a poll',
    client,
    changing === null ? '–' : `${100 * changing} %`,
    short(cost.usPerPoll),
    short(floor.usPerPoll),
    short(ratio),
    short(cost.corePercent),
    short(cost.pollsPerSecond),
    short(cost.latenessP99Ms),
    short(cost.farmCorePercent),
  ]);
  return table('Cost of a poll, one a second and plug', head, rows);
}

function soakTable({ soak }: Results): string {
  const rows = soak.map(({ plugs, seconds, cost, rssKb, rssKbAfter }) => [
    plugs,
    seconds,
    short(cost.pollsPerSecond),
    short(cost.latenessP99Ms),
    short(cost.corePercent),
    `${mb(rssKb)} → ${mb(rssKbAfter)}`,
  ]);
  return table('Sustained', ['plugs', 's', 'polls/s', 'p99 late ms', 'core %', 'RSS MB'], rows);
}

function latencyTable({ latencies }: Results): string {
  const head = [
    'broker',
    'plugs polled',
    'pause',
    'bridge: at the plug p50',
    'confirmed p50',
    'p99',
    'minimal: at the plug p50',
    'confirmed p50',
    'p99',
  ];
  const rows = latencies.map(({ broker, plugs, pauseMs, bridge, minimal }) => [
    broker,
    plugs === 1 ? 'idle' : plugs,
    pauseMs,
    ...[bridge, minimal].flatMap(({ toPlugP50, p50, p99 }) => [short(toPlugP50), short(p50), short(p99)]),
  ]);
  return table('A command, ms', head, rows);
}

function placeTable({ places }: Results): string {
  const rows = places.map(({ plugs, bridgeMs, sequenceMs }) => [plugs, short(bridgeMs), short(sequenceMs)]);
  return table('OFF on a place, ms to the receipt', ['plugs', 'bridge', 'a loop in sequence'], rows);
}

function isolationTable({ isolation }: Results): string {
  const rows = isolation.map(({ plugs, alive, dead }) => [
    plugs,
    ...[alive, dead].flatMap(({ latenessP99Ms, corePercent }) => [short(latenessP99Ms), short(corePercent)]),
  ]);
  const head = [
    'plugs',
    'all alive: p99 late ms',
    'core %',
    '30 % silent: p99 late ms of the others',
    'core %',
  ];
  return table('Isolation', head, rows);
}

function memoryTable({ memory }: Results): string {
  const rows = memory.map(({ plugs, rssKb, floorRssKb }) => [plugs, mb(rssKb), mb(floorRssKb)]);
  return table('Memory, RSS in MB', ['plugs', 'bridge', 'minimal script'], rows);
}

function startTable({ starts }: Results): string {
  const rows = starts.map(({ plugs, firstMs, allMs }) => [plugs, short(firstMs), short(allMs)]);
  return table('Start, ms until the state is at the broker', ['plugs', 'first plug', 'all plugs'], rows);
}
