import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS, type FaultCase, heal, type Victim } from '../support/fault-table.ts';
import { type Json, Observer } from '../support/observer.ts';
import { quietPort } from '../support/quiet-port.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const INTERVAL_MS = 200;

/** What a walk through polling, a single command and a command to a place has shown. */
interface Walk {
  /** Of the plug alone, and of the place that it shares with a plug that is well. */
  readonly single: Json;
  readonly place: Json;
  /** States published since the fault began, until it was over. */
  readonly states: readonly unknown[];
  readonly wentOffline: boolean;
  /** How the relay stood once the fault was over, and what was then published. */
  readonly healed: { readonly relay: boolean; readonly published: Json; readonly receipt: Json };
  /** Connections that the bridge had to the plug at a time, at most. */
  readonly connections: number;
}

const CASES = (['2.0', '1.0'] as const).flatMap((hardware) =>
  FAULTS.map((row) => ({ ...row, hardware, place: `v${hardware.at(0)}/${row.fault}` })),
);

type Case = (typeof CASES)[number];

describe('every fault, while polling, under a command and under the command of a place', () => {
  let site: Site;
  const observers: Observer[] = [];
  const walks = new Map<string, Promise<Walk>>();
  const warnings: Error[] = [];
  const polls = { neighbour: 0, ticks: 0 };
  let ticking: NodeJS.Timeout;
  let base: Map<string, number>;
  /** Every connection that the bridge has begun. */
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    process.on('warning', warned);
    site = await Site.open(['neighbour']);
    for (const { place, hardware } of CASES) {
      await site.addPlug(`${place}/plug`, { on: true, hardware }, await quietPort());
      await site.addPlug(`${place}/mate`, { on: true });
    }
    await site.bridge.stop();
    const victims = new Map<Case, Victim>();
    for (const row of CASES) {
      const plug = site.plug(`${row.place}/plug`);
      victims.set(row, { ...plug, home: plug.server.port, elsewhere: await quietPort() });
      observers.push(await Observer.connect(site.url, 4, [`museum/${row.place}/#`, 'museum/bridge/plugs']));
    }
    base = activeResources();
    subscribe('net.client.socket', opened);
    for (const [row, victim] of victims) if (row.early) await row.strike(victim);
    await site.startBridge(options(victims));
    for (const observer of observers) {
      await observer.message(`${topOf(observer)}/plug/availability`, isOnline);
      await observer.message(`${topOf(observer)}/mate/availability`, isOnline);
    }
    site.plug('neighbour').server.onQuery = () => polls.neighbour++;
    ticking = setInterval(() => polls.ticks++, INTERVAL_MS);
    CASES.forEach((row, index) => {
      const [victim, observer] = [victims.get(row), observers[index]];
      if (victim === undefined || observer === undefined) throw new Error(`no site for ${row.place}`);
      const walking = walkThrough(row, victim, observer, sockets);
      walking.catch(() => {});
      walks.set(row.place, walking);
    });
  });

  afterAll(async () => {
    clearInterval(ticking);
    process.off('warning', warned);
    unsubscribe('net.client.socket', opened);
    await Promise.all(observers.map((observer) => observer.end()));
    await site.close();
  });

  function warned(warning: Error): void {
    warnings.push(warning);
  }

  function opened(message: unknown): void {
    const { socket } = message as { socket: Socket };
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  }

  /** The topic of the place that an observer watches. */
  function topOf(observer: Observer): string {
    return `museum/${CASES[observers.indexOf(observer)]?.place}`;
  }

  function options(victims: ReadonlyMap<Case, Victim>) {
    const timeouts = new Map([...victims].map(([row, { path }]) => [path, row.timeout]));
    const moving = [...victims].filter(([{ fault }]) => fault === 'address-changes');
    return {
      mqtt: { output: 'json' },
      homeassistant: { discovery: 'off' },
      poll: { interval: `${INTERVAL_MS}ms`, timeout: '300ms', backoffMax: '1s' },
      discovery: {
        interval: '1s',
        targets: moving.flatMap(([, { home, elsewhere }]) =>
          [home, elsewhere].map((port) => `127.0.0.1:${port}`),
        ),
      },
      plugs: [...site.plugs.values()].map(({ path, server }) => ({
        path,
        host: `127.0.0.1:${server.port}`,
        poll: { timeout: timeouts.get(path) ?? '300ms' },
      })),
    };
  }

  it.each(CASES)('$fault (hardware $hardware)', { timeout: 60_000 }, async (row) => {
    const walk = await walks.get(row.place);
    if (walk === undefined) throw new Error('nobody walked');
    const [plug, reason] = [`${row.place}/plug`, expect.stringMatching(row.reason ?? /^$/)];
    if (row.outcome === 'confirmed') {
      expect(walk.single).toMatchObject({ outcome: 'confirmed', confirmed: 1, total: 1, missing: [] });
      expect(walk.place).toMatchObject({ outcome: 'confirmed', confirmed: 2, total: 2, missing: [] });
    } else {
      expect(walk.single).toMatchObject({ outcome: row.outcome, reason, confirmed: 0, total: 1 });
      const missing = [{ path: plug, reason }];
      expect(walk.place).toMatchObject({ outcome: 'partial', confirmed: 1, total: 2, missing });
      // The plug never said that it was off, whatever became of it.
      expect(walk.states).not.toContain('OFF');
    }
    if (row.shows?.state === null)
      expect(walk.states.lastIndexOf('ON')).toBeLessThan(walk.states.indexOf(null));
    expect(walk.wentOffline).toBe(row.offline !== undefined);
    expect(walk.healed.published.state).toBe(walk.healed.relay ? 'ON' : 'OFF');
    expect(walk.healed.receipt).toMatchObject({ outcome: 'confirmed' });
    expect(walk.connections).toBeLessThanOrEqual(1);
  });

  it('comes to an end with exactly one receipt for each command, and none for plugs of a place', async () => {
    await Promise.all(walks.values());
    expect(sockets.size).toBeGreaterThan(CASES.length);
    await site.bridge.stop();
    CASES.forEach(({ place }, index) => {
      const seen = observers[index]?.seen ?? [];
      const receipts = (topic: string) =>
        seen
          .filter((message) => message.topic === `museum/${place}${topic}/result`)
          .map(({ payload }) => (JSON.parse(payload) as Json).id);
      expect([place, receipts('/plug'), receipts(''), receipts('/mate')]).toEqual([
        place,
        ['single', 'healed'],
        ['place'],
        [],
      ]);
    });
  });

  it('holds up no other plug: a healthy one was polled as often as a timer of the same interval fired', () => {
    expect(polls.ticks).toBeGreaterThan(10);
    expect(polls.neighbour / polls.ticks).toBeGreaterThan(0.8);
  });

  it('leaves neither connections, timers nor listeners behind, and nothing unexpected in the log', async () => {
    clearInterval(ticking);
    await site.bridge.stop();
    await until(() => sockets.size === 0, 'all connections of the bridge to be closed');
    for (const [kind, count] of base) {
      await until(() => (activeResources().get(kind) ?? 0) <= count, `${kind} to be as few as before`);
    }
    expect(warnings).toEqual([]);
    expect(site.bridge.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

/** Takes a plug through its fault, and counts the bridge's connections to it among `sockets` all the while. */
async function walkThrough(
  row: Case,
  victim: Victim,
  observer: Observer,
  sockets: ReadonlySet<Socket>,
): Promise<Walk> {
  let connections = 0;
  const watch = setInterval(() => {
    const open = [...sockets].filter((one) => !one.destroyed && one.remotePort === victim.server.port);
    connections = Math.max(connections, open.length);
  }, 50);
  try {
    return { ...(await walk(row, victim, observer)), connections };
  } finally {
    clearInterval(watch);
  }
}

async function walk(row: Case, victim: Victim, observer: Observer): Promise<Omit<Walk, 'connections'>> {
  const { device, path } = victim;
  const topic = `museum/${path}`;
  const command = async (to: string, wanted: { state: string; id: string; ttl: string }) => {
    const after = await observer.say(`${to}/set`, JSON.stringify(wanted));
    return observer.json(`${to}/result`, ({ id }) => id === wanted.id, after);
  };
  const ttl = row.ttl ?? '1500ms';
  const off = { state: 'OFF', ttl };

  const struck = observer.seen.length;
  if (!row.early) await row.strike(victim);
  await shown(row, victim, observer, row.early ? 0 : struck);

  if (!device.relay) device.press();
  await row.strike(victim);
  const single = await command(topic, { ...off, id: 'single' });

  if (!device.relay) device.press();
  await row.strike(victim);
  const place = await command(`museum/${row.place}`, { ...off, id: 'place' });

  const during = observer.seen.slice(struck);
  const back = observer.seen.length;
  await heal(victim);
  const published = await observer.json(
    topic,
    ({ state, problem }) => problem === null && state === (device.relay ? 'ON' : 'OFF'),
    back,
  );
  const relay = device.relay;
  const receipt = await command(topic, { state: relay ? 'OFF' : 'ON', id: 'healed', ttl: '5s' });
  return {
    single,
    place,
    states: during
      .filter((seen) => seen.topic === topic)
      .map(({ payload }) => (JSON.parse(payload) as Json).state),
    wentOffline: during.some((seen) => seen.topic === `${topic}/availability` && seen.payload === 'offline'),
    healed: { relay, published, receipt },
  };
}

/** Resolves when the bridge has published what it is to make of the fault. */
async function shown(
  { offline, shows = {}, listed = {} }: FaultCase,
  { path }: Victim,
  observer: Observer,
  after: number,
): Promise<void> {
  const topic = `museum/${path}`;
  if (offline !== undefined) {
    await observer.json(topic, ({ problem }) => offline.test(String(problem)), after);
    await observer.message(`${topic}/availability`, (payload) => payload === 'offline', after);
  } else {
    await observer.json(topic, (value) => holds(value, shows), after);
  }
  const entry = (value: Json) =>
    Object.values(value).some((plug) => holds(plug as Json, { path, ...listed }));
  await observer.json('museum/bridge/plugs', entry);
}

function holds(value: Json, wanted: Json): boolean {
  return Object.entries(wanted).every(([key, one]) => value[key] === one);
}

function isOnline(payload: string): boolean {
  return payload === 'online';
}

/** What keeps the process alive, by kind. */
function activeResources(): Map<string, number> {
  const counts = new Map(['UDPWrap', 'Timeout'].map((kind) => [kind, 0]));
  for (const kind of process.getActiveResourcesInfo()) {
    const count = counts.get(kind);
    if (count !== undefined) counts.set(kind, count + 1);
  }
  return counts;
}

describe('a plug that does not report its relay', () => {
  it('is not toggled, for there is nothing to toggle it from', async () => {
    await using site = await Site.open(['lamp'], {}, { on: true });
    const { device } = site.plug('lamp');
    await site.observer.json('museum/lamp', ({ state }) => state === 'ON');
    device.hideRelay = true;
    await site.observer.json('museum/lamp', ({ state }) => state === null);
    const after = await site.observer.say('museum/lamp/set', 'TOGGLE');
    expect(await site.observer.json('museum/lamp/result', () => true, after)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/does not report its relay/),
    });
    expect(device.relay).toBe(true);
  });
});
