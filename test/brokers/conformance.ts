import { sleep } from '../../src/runtime/clock.ts';
import { within } from '../../src/runtime/supervisor.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { CLIENT_ID, type Museum, PLUGS } from './museum.ts';

const { clock } = SURROUNDINGS;

/** What one check found: as it stands in the table, and whether it is as it must be. */
export interface Finding {
  readonly text: string;
  readonly isRight: boolean;
}

/** What is tried, for how long. */
export interface Extent {
  readonly cutsS: readonly number[];
  readonly frozenS: number;
  readonly flood: number;
  readonly commands: number;
}

export const WHOLE: Extent = { cutsS: [2, 15, 45], frozenS: 20, flood: 1000, commands: 50 };
export const QUICK: Extent = { cutsS: [2], frozenS: 3, flood: 500, commands: 20 };

const OUTAGE_COMMANDS = 10;

type Check = (museum: Museum, extent: Extent) => Promise<Finding>;

/** The checks, in order: each begins with a bridge that is online, and leaves one behind. */
export function checksOf(extent: Extent): ReadonlyMap<string, Check> {
  return new Map<string, Check>([
    ['online / all states', begin],
    ['retained', retained],
    ['command p50 at 60 ms', (museum) => latency(museum, extent.commands, 60)],
    ['command p50 at 3 ms', (museum) => latency(museum, extent.commands, 3)],
    [`${extent.flood} commands at once`, flood],
    ['last will', will],
    ...extent.cutsS.map((s): [string, Check] => [`link cut ${s} s`, (museum) => linkCut(museum, s)]),
    [`broker frozen ${extent.frozenS} s`, frozen],
    ['restart with its data', (museum) => restart(museum, false)],
    ['restart without', (museum) => restart(museum, true)],
    ['subscription refused', refusedSubscription],
    ['access list', accessList],
    ['taken over', takeOver],
  ]);
}

const right = (text: string): Finding => ({ text, isRight: true });
const wrong = (text: string): Finding => ({ text, isRight: false });
const NOT_HERE = right('–');

/** A duration that was measured; a miss is wrong. */
function measured(ms: number | undefined, more = ''): Finding {
  return ms === undefined ? wrong('never') : right(`${ms} ms${more}`);
}

async function begin(museum: Museum): Promise<Finding> {
  const { broker } = museum;
  const began = clock.now();
  if (!broker.isEmbedded) await museum.watch();
  museum.startBridge();
  if (broker.isEmbedded) {
    await museum.time(() => museum.lines.some(({ msg }) => msg === 'embedded broker listens'));
    await museum.watch();
  }
  const online = await museum.time(() => museum.isOnline);
  const onlineAt = clock.now();
  const states = await museum.time(() => museum.hasAllStates);
  if (online === undefined || states === undefined) return wrong('never');
  return right(`${Math.round(onlineAt - began)} / ${Math.round(clock.now() - began)} ms`);
}

/** What a client sees that comes later. */
async function retained(museum: Museum): Promise<Finding> {
  const states = new Set<string>();
  const client = await museum.connect();
  client.on('message', (topic, payload, { retain }) => {
    if (retain && payload.length > 0) states.add(topic);
  });
  await client.subscribeAsync('museum/+/state');
  await museum.time(() => states.size >= PLUGS + 1, 2000);
  const byWildcard = states.size;
  if (byWildcard < PLUGS) {
    const exact = Array.from({ length: PLUGS }, (_, index) => `museum/lamp-${index + 1}/state`);
    for (const topic of exact) await client.subscribeAsync(topic);
    await museum.time(() => states.size >= PLUGS, 2000);
  }
  await client.endAsync(true);
  if (byWildcard >= PLUGS) return right('yes');
  return states.size >= PLUGS ? right('not for wildcards') : wrong(`${states.size} of ${PLUGS}`);
}

async function latency(museum: Museum, commands: number, pauseMs: number): Promise<Finding> {
  const times: number[] = [];
  for (let each = 0; each < commands; each++) {
    await sleep(clock, pauseMs);
    const began = performance.now();
    const isAnswered = await within(clock, 10_000, museum.receipt(museum.send()));
    if (!isAnswered) return wrong('no receipt');
    times.push(performance.now() - began);
  }
  times.sort((one, other) => one - other);
  return right(`${(times[Math.floor(times.length / 2)] ?? 0).toFixed(1)} ms`);
}

async function flood(museum: Museum, { flood: count }: Extent): Promise<Finding> {
  const began = clock.now();
  const ids = Array.from({ length: count }, () => museum.send());
  await museum.time(() => museum.answered(ids) === count, 30_000);
  const answered = museum.answered(ids);
  const ms = Math.round(clock.now() - began);
  if (answered === count && museum.doubled(ids) === 0) return right(`all in ${ms} ms`);
  return wrong(`${answered} receipts, ${museum.doubled(ids)} doubled`);
}

/** The connection is broken without a DISCONNECT. */
async function will(museum: Museum): Promise<Finding> {
  if (museum.broker.isEmbedded) return NOT_HERE;
  const proxy = museum.proxy(museum.node);
  proxy.close();
  const offline = await museum.time(() => !museum.isOnline, 10_000);
  proxy.open();
  const back = await museum.time(() => museum.isOnline);
  if (offline === undefined) {
    // In a cluster the bridge is back at another node before the will is out.
    return museum.broker.ports.length > 1 && back !== undefined ? right('back at once') : wrong('none');
  }
  return measured(back === undefined ? undefined : offline);
}

async function linkCut(museum: Museum, seconds: number): Promise<Finding> {
  if (museum.broker.isEmbedded) return NOT_HERE;
  const proxy = museum.proxy(museum.node);
  return await outage(museum, seconds, {
    begin: () => proxy.silence(),
    end: () => proxy.release(),
  });
}

async function frozen(museum: Museum, { frozenS }: Extent): Promise<Finding> {
  const { broker } = museum;
  if (broker.isEmbedded) return NOT_HERE;
  const { node } = museum;
  return await outage(museum, frozenS, { begin: () => broker.freeze(node), end: () => broker.thaw(node) });
}

/** Commands are sent while bridge and broker cannot reach each other. */
async function outage(
  museum: Museum,
  seconds: number,
  way: { begin: () => void; end: () => void },
): Promise<Finding> {
  way.begin();
  await sleep(clock, 500);
  const ids = Array.from({ length: OUTAGE_COMMANDS }, () => museum.send());
  await sleep(clock, seconds * 1000 - 500);
  way.end();
  const began = clock.now();
  await museum.time(() => museum.answered(ids) === ids.length, 20_000);
  const answered = museum.answered(ids);
  const ms = Math.round(clock.now() - began);
  const isBack = (await museum.time(() => museum.isOnline && museum.hasAllStates)) !== undefined;
  const all =
    answered === ids.length ? `${answered} of ${ids.length}, ${ms} ms` : `${answered} of ${ids.length}`;
  const isRight =
    isBack && museum.doubled(ids) === 0 && (answered === ids.length || !museum.broker.keepsSessions);
  return { text: isBack ? all : `${all}; not back`, isRight };
}

/** Until a client that comes later sees that all is well. */
async function restart(museum: Museum, anew: boolean): Promise<Finding> {
  const { broker } = museum;
  const began = clock.now();
  if (broker.isEmbedded) {
    if (anew) return NOT_HERE;
    await museum.stopBridge();
    museum.forget();
    museum.startBridge();
  } else {
    const { node } = museum;
    await broker.end(anew ? 'SIGKILL' : 'SIGTERM', node);
    // In a cluster the client stays connected, and hears only what changes.
    if (broker.ports.length === 1) museum.forget();
    await broker.start(anew, broker.ports.length === 1 ? undefined : node);
  }
  const states = await museum.time(() => museum.isOnline && museum.hasAllStates);
  if (states === undefined) return wrong('never');
  if (await isCarriedOut(museum)) return measured(Math.round(clock.now() - began));
  // What is retained of the bridge may be from before, when there is no session that keeps a command for it.
  if (broker.keepsSessions || !(await isCarriedOut(museum))) return wrong('commands get no receipt');
  return right('a command lost, the next carried out');
}

async function isCarriedOut(museum: Museum): Promise<boolean> {
  const id = museum.send();
  return (await museum.time(() => museum.receipts.has(id), 10_000)) !== undefined;
}

async function refusedSubscription(museum: Museum): Promise<Finding> {
  const { broker } = museum;
  if (broker.deny === undefined) return NOT_HERE;
  museum.forget();
  await broker.deny(true);
  const isNamed = await museum.time(
    () => (museum.seen.get('museum/bridge/health') ?? '').includes('"filter":"museum/+/set"'),
    20_000,
  );
  const isOnline = museum.isOnline;
  await broker.deny(false);
  const back = await museum.time(() => museum.isOnline && museum.hasAllStates);
  if (isNamed === undefined) return wrong('not named in bridge/health');
  if (isOnline) return wrong('online all the same');
  return measured(back, ' after it is granted');
}

/** A broker with users: strangers stay out, the bridge keeps to its topics, and the staff to the wing that is theirs. */
async function accessList(museum: Museum): Promise<Finding> {
  const { staff } = museum.broker;
  if (staff === undefined) return NOT_HERE;
  if (await isLetIn(museum, STRANGER)) return wrong('strangers are let in');
  const heard = await museum.connect();
  const foreign: string[] = [];
  heard.on('message', (topic) => foreign.push(topic));
  heard.subscribe(['elsewhere/#'], () => {});
  for (const options of [{}, staff]) {
    const intruder = await museum.connect({ ...options, reconnectPeriod: 0 });
    intruder.on('error', () => {});
    intruder.publish('elsewhere/lamp', 'x', { qos: 1 });
    if (options === staff)
      intruder.publish('museum/lamp-1/set', JSON.stringify({ id: 'staff', state: 'ON' }), { qos: 1 });
    await sleep(clock, 1000);
    await intruder.endAsync(true);
  }
  await heard.endAsync(true);
  if (foreign.length > 0) return wrong('the bridge may say anything');
  if (museum.receipts.has('staff')) return wrong('the staff may switch everything');
  const own = await museum.connect(staff);
  const id = JSON.stringify({ id: 'wing', state: 'ON' });
  await own.publishAsync('museum/east-wing/set', id, { qos: 1 });
  const isTaken = await museum.time(() => museum.receipts.has('wing'), 10_000);
  await own.endAsync(true);
  return isTaken === undefined ? wrong('the staff may switch nothing') : right('holds');
}

const STRANGER = {
  ...{ username: undefined, password: undefined, cert: undefined, key: undefined },
  reconnectPeriod: 0,
};

async function isLetIn(museum: Museum, options: object): Promise<boolean> {
  try {
    const client = await museum.connect(options);
    await client.endAsync(true);
    return true;
  } catch {
    return false;
  }
}

/** Another client takes the bridge's id, and takes it back each time. Last, as the bridge then stays away for a minute. */
async function takeOver(museum: Museum): Promise<Finding> {
  if (museum.broker.isEmbedded) return NOT_HERE;
  const rival = await museum.connect({ clientId: CLIENT_ID, clean: true, reconnectPeriod: 200 });
  rival.on('error', () => {});
  const said = await museum.time(() => museum.lines.some(({ msg }) => msg.includes('mqtt.clientId')), 20_000);
  const isTold = museum.lines.some(({ msg }) => msg.startsWith('another client uses'));
  await rival.endAsync(true);
  return said === undefined ? right('not in 20 s') : right(isTold ? 'told' : 'noticed');
}
