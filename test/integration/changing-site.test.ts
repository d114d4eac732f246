import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placesOf } from '../../src/bridge/places.ts';
import { FLAT_VALUES } from '../../src/mqtt/topics.ts';
import { Observer } from '../support/observer.ts';
import { Site, type SiteOptions, startPlug } from '../support/site.ts';
import { until } from '../support/until.ts';

const ALLOW = ['plug/add', 'plug/remove', 'plug/rename', 'plug/move', 'plug/replace', 'config/set', 'alias'];

let site: Site;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
});

afterEach(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

/** A site whose bridge is configured by a file, with a comment on each plug. */
async function open(paths: readonly string[], options: SiteOptions = {}): Promise<void> {
  site = await Site.open([], { dataDir: 'off', discovery: { interval: 0 } });
  await site.bridge.stop();
  for (const path of paths) await site.addPlug(path);
  const { observer } = site;
  const after = observer.seen.length;
  const text = site.text({
    dataDir: join(folder, 'data'),
    allow: ALLOW,
    discovery: { interval: 0 },
    ...options,
  });
  site.file = join(folder, 'museum.yaml');
  writeFileSync(site.file, text.replaceAll(/^( {2}- path: .*)$/gm, '$1   # here'), { mode: 0o640 });
  await site.startBridge();
  await allOnline(paths, after);
}

/** Stops the bridge and starts it again, until it hears requests. */
async function restart(): Promise<void> {
  await site.bridge.stop();
  const after = site.observer.seen.length;
  await site.startBridge();
  await site.observer.message('museum/bridge/state', (payload) => payload === 'online', after);
}

async function allOnline(paths: readonly string[], after = 0): Promise<void> {
  for (const path of paths)
    await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online', after);
}

const text = () => readFileSync(site.file ?? '', 'utf8');

const address = (path: string) => `${site.plug(path).server.host}:${site.plug(path).server.port}`;

async function ask(name: string, request: object): Promise<Record<string, unknown>> {
  const transaction = Math.random().toString(36);
  const after = await site.observer.say(
    `museum/bridge/request/${name}`,
    JSON.stringify({ ...request, transaction }),
  );
  return site.observer.json(
    `museum/bridge/response/${name}`,
    (answer) => answer.transaction === transaction,
    after,
  );
}

/** Every topic on which something is retained, as the broker tells a new client; values of plugs and places as one. */
async function retained(): Promise<string[]> {
  // What was retained last comes last.
  const last = `last/${Math.random()}`;
  await site.observer.say(last, 'x', { retain: true });
  const fresh = await Observer.connect(site.url);
  await fresh.message(last);
  await site.observer.say(last, '', { retain: true });
  await fresh.end();
  const topics = fresh.seen.filter(({ retain, topic }) => retain && topic !== last).map(({ topic }) => topic);
  return [...new Set(topics.map((topic) => topic.replace(FLAT, '/…')))].sort();
}

const FLAT = new RegExp(`/(${[...FLAT_VALUES, 'availability'].join('|')})$`);

/** Waits until exactly these topics hold something. */
async function untilRetained(topics: readonly string[]): Promise<void> {
  const wanted = [...topics].sort();
  let now: string[] = [];
  const deadline = performance.now() + 8000;
  while (performance.now() < deadline) {
    now = await retained();
    if (JSON.stringify(now) === JSON.stringify(wanted)) return;
    const seen = site.observer.seen.length;
    await until(
      () => site.observer.seen.length > seen || performance.now() > deadline,
      'another message',
      9000,
    );
  }
  expect(now).toEqual(wanted);
}

/** What is to be retained of a site with plugs at these paths, and of these devices in Home Assistant. */
function treeOf(plugs: readonly string[], devices: readonly string[]): string[] {
  const places = new Set(plugs.flatMap(placesOf));
  const topics = [...plugs, ...places].map((path) => (path === '' ? 'museum' : `museum/${path}`));
  return [
    ...topics.flatMap((topic) => [topic, `${topic}/…`]),
    ...plugs.map((path) => `museum/bridge/plugs/${path}`),
    ...[...places].map((path) => `museum/bridge/places${path === '' ? '' : `/${path}`}`),
    ...['museum/bridge/…', 'museum/bridge/health', 'museum/bridge/info', 'museum/bridge/plugs'],
    ...['bridge', 'site'].map((kind) => `homeassistant/device/hs110mqtt_${kind}_museum/config`),
    ...devices,
  ];
}

const idOf = (number: number) => `homeassistant/device/hs110mqtt_50c7bf00000${number}/config`;
const placeId = (path: string) => `homeassistant/device/hs110mqtt_place_museum_${path}/config`;

const config = (id: string) => JSON.parse(site.observer.latest(id) ?? '{}');

describe('a plug that is renamed', () => {
  it('is called so in the file, and at once in Home Assistant, and stays the same device on the same topics', async () => {
    await open(['shed3', 'east/a']);
    const topics = treeOf(['shed3', 'east/a'], [idOf(1), idOf(2), placeId('east')]);
    await untilRetained(topics);
    const before = text();
    const after = site.observer.seen.length;
    expect(await ask('plug/rename', { plug: 'shed3', name: 'Shed 3: north' })).toMatchObject({
      status: 'ok',
      plug: 'shed3',
      data: { kept: 'file', file: site.file },
    });
    expect(text()).toBe(before.replace(/( +host: .*\n)/, `$1    name: "Shed 3: north"\n`));
    const announced = await site.observer.json(idOf(1), () => true, after);
    expect(announced).toMatchObject({ device: { name: 'Shed 3: north' } });
    await untilRetained(topics);
  });

  it('is told its name itself where that is asked and allowed', async () => {
    await open(['shed3']);
    expect(await ask('plug/rename', { plug: 'shed3', name: 'Desk', alias: true })).toMatchObject({
      status: 'ok',
    });
    await site.observer.json('museum/bridge/plugs', (plugs) =>
      JSON.stringify(plugs).includes('"alias":"Desk"'),
    );
  });

  it('may be a place', async () => {
    await open(['east/a']);
    await site.observer.message(placeId('east'));
    const after = site.observer.seen.length;
    expect(await ask('plug/rename', { place: 'east', name: 'East wing' })).toMatchObject({ status: 'ok' });
    await site.observer.json(
      placeId('east'),
      ({ device }) => JSON.stringify(device).includes('East wing'),
      after,
    );
    expect(text()).toContain('places:\n  east:\n    name: East wing\n');
  });
});

describe('a plug that is moved', () => {
  it('leaves nothing behind: not its topics, not its place, and is the same device in Home Assistant', async () => {
    await open(['east/a', 'shed']);
    await untilRetained(treeOf(['shed', 'east/a'], [idOf(1), idOf(2), placeId('east')]));
    const before = text();
    const after = site.observer.seen.length;
    expect(await ask('plug/move', { plug: 'east/a', to: 'west/hall/a' })).toMatchObject({ status: 'ok' });
    expect(text()).toBe(before.replace('- path: east/a   # here', '- path: west/hall/a   # here'));
    await allOnline(['west/hall/a'], after);
    const now = treeOf(['shed', 'west/hall/a'], [idOf(1), idOf(2), placeId('west'), placeId('west_hall')]);
    await untilRetained(now);
    expect(config(idOf(1)).components.relay.command_topic).toBe('museum/west/hall/a/set');
    const said = await site.observer.say('museum/east/a/set', 'ON');
    expect(await site.observer.json('museum/east/a/result', () => true, said)).toMatchObject({
      outcome: 'refused',
      reason: 'there is no plug or place east/a any more: it was moved to west/hall/a',
    });
    const done = await site.observer.say('museum/west/hall/a/set', 'ON');
    expect(await site.observer.json('museum/west/hall/a/result', () => true, done)).toMatchObject({
      outcome: 'confirmed',
    });
    await restart();
    await untilRetained(now);
  });

  it('may be a place with everything below it and its options, and that is the same in Home Assistant', async () => {
    await open(['east/a', 'east/hall/b', 'shed'], {
      places: { east: { name: 'The east' }, 'east/hall': { stagger: '1s' } },
    });
    await site.observer.message(placeId('east_hall'));
    const after = site.observer.seen.length;
    expect(await ask('plug/move', { place: 'east', to: 'west' })).toMatchObject({ status: 'ok' });
    await allOnline(['west/a', 'west/hall/b'], after);
    expect(text()).toContain('places:\n  west:\n    name: The east\n  west/hall:\n    stagger: 1s\n');
    const now = treeOf(
      ['shed', 'west/a', 'west/hall/b'],
      [idOf(1), idOf(2), idOf(3), placeId('east'), placeId('east_hall')],
    );
    await untilRetained(now);
    expect(config(placeId('east')).device.name).toBe('The east');
    await restart();
    await untilRetained(now);
  });

  it('may go where a place was, and the other way around', async () => {
    await open(['east/a', 'lamp']);
    const after = site.observer.seen.length;
    expect(await ask('plug/move', { plug: 'lamp', to: 'lamp/b' })).toMatchObject({ status: 'ok' });
    expect(await ask('plug/move', { plug: 'east/a', to: 'east' })).toMatchObject({ status: 'ok' });
    await allOnline(['lamp/b', 'east'], after);
    await untilRetained(treeOf(['east', 'lamp/b'], [idOf(1), idOf(2), placeId('lamp')]));
  });
});

describe('a plug that is removed', () => {
  it('is gone with its place and its announcement, and another that was never seen does not keep it', async () => {
    await open(['east/a', 'shed']);
    const { server } = await startPlug('dead', 9);
    const dead = `${server.host}:${server.port}`;
    await server.stop();
    expect(await ask('plug/add', { path: 'dead', host: dead })).toMatchObject({ status: 'ok' });
    await site.observer.message('museum/dead/availability', (payload) => payload === 'offline');
    const before = text();
    expect(await ask('plug/remove', { plug: 'east/a' })).toMatchObject({
      status: 'ok',
      data: { kept: 'file' },
    });
    expect(before.length - text().length).toBeGreaterThan(20);
    const tree = treeOf(['shed', 'dead'], [idOf(2)]).filter((topic) => topic !== 'museum/dead');
    await untilRetained(tree);
    await restart();
    await untilRetained(tree);
  });
});

describe('a plug that is added', () => {
  it('is polled and published at once, deeper than any before, and is there after a restart', async () => {
    await open(['shed']);
    await site.addPlug('north/tower/lamp');
    const before = text();
    const after = site.observer.seen.length;
    const entry = { path: 'North/Tower/Lamp', host: address('north/tower/lamp'), poll: { interval: '1s' } };
    expect(await ask('plug/add', entry)).toMatchObject({ status: 'ok' });
    expect(text()).toBe(
      before.replace(
        /( {2}- path: shed.*\n.*\n)/,
        `$1  - path: North/Tower/Lamp\n    host: ${entry.host}\n    poll:\n      interval: 1s\n`,
      ),
    );
    await allOnline(['north/tower/lamp'], after);
    const said = await site.observer.say('museum/north/tower/lamp/set', 'ON');
    expect(await site.observer.json('museum/north/tower/lamp/result', () => true, said)).toMatchObject({
      outcome: 'confirmed',
    });
    const now = treeOf(
      ['shed', 'north/tower/lamp'],
      [idOf(1), idOf(2), placeId('north'), placeId('north_tower')],
    );
    await untilRetained(now);
    await restart();
    await untilRetained(now);
  });

  it('is looked for at once where only its MAC is known', async () => {
    const { server, device } = await startPlug('new', 7);
    const target = `${server.host}:${server.port}`;
    await open(['shed'], { discovery: { interval: 0, targets: [target] } });
    site.plugs.set('new', { path: 'new', server, device });
    const after = site.observer.seen.length;
    expect(await ask('plug/add', { path: 'New Hall/Lamp', mac: '50:C7:BF:00:00:07' })).toMatchObject({
      data: { path: 'new-hall/lamp', kept: 'file' },
    });
    await allOnline(['new-hall/lamp'], after);
  });

  it.each([
    [{ path: 'shed', host: '127.0.0.1:9' }, /path shed is taken by plugs\[0\]/],
    [{ path: 'east', host: '127.0.0.1:9' }, /east is a plug, yet plugs\[1\] \(east\/a\) makes it a place/],
    [{ path: 'shed/deep', host: '127.0.0.1:9' }, /shed is a plug, yet/],
    [{ path: 'bridge/x', host: '127.0.0.1:9' }, /reserved for the bridge/],
    [{ path: 'new' }, /needs "host:", "mac:" or "alias:"/],
    [
      { path: 'new', host: '127.0.0.1:9', lockd: true },
      /there is no option lockd in plugs\[2\]; did you mean locked/,
    ],
    [{ host: '127.0.0.1:9' }, /path is missing/],
  ])('is refused where it would be wrong, and nothing is changed: %j', async (entry, error) => {
    await open(['shed', 'east/a']);
    const before = text();
    expect(await ask('plug/add', entry)).toMatchObject({
      status: 'error',
      code: 'bad-configuration',
      error: expect.stringMatching(error),
    });
    expect(text()).toBe(before);
  });
});

describe('new hardware', () => {
  it('keeps the path and the device in Home Assistant, also over a restart', async () => {
    await open(['shed', 'east/a']);
    await untilRetained(treeOf(['shed', 'east/a'], [idOf(1), idOf(2), placeId('east')]));
    const { server, device } = await startPlug('new', 7);
    site.plugs.set('new', { path: 'new', server, device });
    await site.plug('shed').server.stop();
    const host = `${server.host}:${server.port}`;
    const after = site.observer.seen.length;
    expect(await ask('plug/replace', { plug: 'shed', host })).toMatchObject({
      status: 'ok',
      data: { kept: 'file', mac: '50:C7:BF:00:00:07' },
    });
    expect(text()).toContain(`- path: shed   # here\n    host: ${host}\n    mac: 50:C7:BF:00:00:07\n`);
    const announced = await site.observer.json(idOf(1), () => true, after);
    expect(announced).toMatchObject({
      device: { identifiers: ['hs110mqtt_50c7bf000001'], serial_number: '50:C7:BF:00:00:07' },
    });
    const said = await site.observer.say('museum/shed/set', 'ON');
    expect(await site.observer.json('museum/shed/result', () => true, said)).toMatchObject({
      outcome: 'confirmed',
    });
    expect(device.relay).toBe(true);
    const now = treeOf(['shed', 'east/a'], [idOf(1), idOf(2), placeId('east')]);
    await untilRetained(now);
    await restart();
    await untilRetained(now);
  });

  it('is refused where the plug is another one already, or does not answer', async () => {
    await open(['shed', 'east/a']);
    const before = text();
    expect(await ask('plug/replace', { plug: 'shed', mac: '50:C7:BF:00:00:02' })).toMatchObject({
      code: 'taken',
      error: expect.stringMatching(/is east\/a already/),
    });
    expect(await ask('plug/replace', { plug: 'shed', host: '127.0.0.1:9' })).toMatchObject({
      code: 'refused',
    });
    expect(text()).toBe(before);
  });
});

describe('a plug that was taken in', () => {
  const TARGETS = () => [address('lamp'), address('desk')];

  async function adopting(): Promise<void> {
    site = await Site.open(['lamp', 'desk'], { allow: ALLOW, dataDir: 'off' });
    await site.bridge.stop();
    const after = site.observer.seen.length;
    await site.startBridge({
      plugs: [],
      dataDir: join(folder, 'data'),
      discovery: { targets: TARGETS(), interval: '1s' },
    });
    await allOnline(['lamp-1', 'lamp-2'], after);
  }

  it('is configured once it is moved or renamed, in the store where there is no file, and others stay taken in', async () => {
    await adopting();
    const answer = await ask('plug/move', { plug: 'lamp-1', to: 'hall/lamp' });
    expect(answer).toMatchObject({ status: 'ok', data: { kept: 'database' } });
    const yaml = `plugs:\n  - path: hall/lamp\n    mac: 50:C7:BF:00:00:01\n    host: ${address('lamp')}\n`;
    expect(await ask('config/export', {})).toMatchObject({ data: { yaml: expect.stringContaining(yaml) } });
    const now = treeOf(['hall/lamp', 'lamp-2'], [idOf(1), idOf(2), placeId('hall')]);
    await untilRetained(now);
    await restart();
    await untilRetained(now);
  });

  it('may be the new hardware of another: its own path and device go', async () => {
    await adopting();
    await site.plug('lamp').server.stop();
    const answer = await ask('plug/replace', { plug: 'lamp-1', mac: '50:C7:BF:00:00:02' });
    expect(answer).toMatchObject({ status: 'ok', data: { kept: 'database' } });
    const yaml = `plugs:\n  - path: lamp-1\n    mac: 50:C7:BF:00:00:02\n    host: ${address('desk')}\n`;
    expect(await ask('config/export', {})).toMatchObject({ data: { yaml: expect.stringContaining(yaml) } });
    // The one that is replaced answers no more, and is not taken in again.
    const now = treeOf(['lamp-1'], [idOf(1)]);
    await untilRetained(now);
    expect(config(idOf(1)).device).toMatchObject({ serial_number: '50:C7:BF:00:00:02' });
    await restart();
    await untilRetained(now);
  });

  it('is left alone once it is removed, until it is added', async () => {
    await adopting();
    expect(await ask('plug/remove', { plug: 'lamp-1' })).toMatchObject({ status: 'ok' });
    const without = treeOf(['lamp-2'], [idOf(2)]);
    await untilRetained(without);
    await ask('discover', {});
    await untilRetained(without);
    const after = site.observer.seen.length;
    const entry = { path: 'back', mac: '50:C7:BF:00:00:01', host: address('lamp') };
    expect(await ask('plug/add', entry)).toMatchObject({ status: 'ok' });
    await allOnline(['back'], after);
    await untilRetained(treeOf(['lamp-2', 'back'], [idOf(1), idOf(2)]));
  });
});

describe('the configuration', () => {
  it('is set at once where that is possible, and says what needs a restart', async () => {
    await open(['shed']);
    expect(
      await ask('config/set', { options: { 'poll.interval': '700ms', 'log.level': 'debug' } }),
    ).toMatchObject({
      status: 'ok',
      data: { kept: 'file' },
    });
    await site.observer.json(
      'museum/bridge/info',
      (info) => info.poll_interval_ms === 700 && info.log_level === 'debug',
    );
    expect(await ask('config/set', { options: { command: { ttl: '5s' } } })).toMatchObject({
      data: { restart: true, restart_for: ['command.ttl'] },
    });
    expect(await ask('config/get', {})).toMatchObject({
      data: {
        options: { 'poll.interval': { value: '700ms', source: 'file' }, 'poll.timeout': { value: '1s' } },
      },
    });
    expect(await ask('config/set', { options: { poll: { interval: null } } })).toMatchObject({
      status: 'ok',
    });
    expect(await ask('config/get', {})).toMatchObject({
      data: { options: { 'poll.interval': { value: '5s' } } },
    });
  });

  it('may lock a plug, but not unlock it unless that is allowed: neither by setting, moving nor removing', async () => {
    await open(['safe/alarm', 'safe/b', 'shed'], { places: { safe: { locked: true } } });
    expect(await ask('config/set', { plug: 'shed', options: { locked: true } })).toMatchObject({
      status: 'ok',
    });
    const said = await site.observer.say('museum/shed/set', 'ON');
    expect(await site.observer.json('museum/shed/result', () => true, said)).toMatchObject({
      outcome: 'refused',
    });
    const before = text();
    for (const [name, request] of [
      ['config/set', { plug: 'shed', options: { locked: false } }],
      ['config/set', { plug: 'shed', options: { locked: null } }],
      ['config/set', { place: 'safe', options: { locked: false } }],
      ['plug/move', { plug: 'safe/alarm', to: 'alarm' }],
      ['plug/remove', { plug: 'safe/alarm' }],
    ] as const)
      expect(await ask(name, request)).toMatchObject({ code: 'locked' });
    expect(text()).toBe(before);
  });

  it.each([
    [{ options: { 'mqtt.url': 'mqtt://evil.example' } }, 'not-settable'],
    [{ options: { allow: 'raw' } }, 'not-settable'],
    [{ options: { broker: { password: 'x' } } }, 'not-settable'],
    [{ options: { 'poll.intervall': '1s' } }, 'bad-configuration'],
    [{ options: { 'poll.interval': '1 parsec' } }, 'bad-configuration'],
    [{ plug: 'shed', options: { host: '192.0.2.1' } }, 'not-understood'],
    [{ plug: 'nowhere', options: { locked: true } }, 'not-found'],
    [{ place: 'nowhere', options: { stagger: '1s' } }, 'not-found'],
    [{ options: {} }, 'not-understood'],
  ])('is not set to what is wrong or must not come from afar: %j is %s', async (request, code) => {
    await open(['shed']);
    const before = text();
    expect(await ask('config/set', request)).toMatchObject({ status: 'error', code });
    expect(text()).toBe(before);
  });

  it('is read anew for each change: what was changed by hand meanwhile stays, and is in force', async () => {
    await open(['shed']);
    writeFileSync(site.file ?? '', `# by hand\n${text()}`.replace('interval: 100ms', 'interval: 200ms'));
    expect(await ask('plug/rename', { plug: 'shed', name: 'Shed' })).toMatchObject({ status: 'ok' });
    expect(text()).toMatch(/^# by hand\n/);
    expect(text()).toContain('interval: 200ms');
    await site.observer.json('museum/bridge/info', (info) => info.poll_interval_ms === 200);
    writeFileSync(site.file ?? '', `${text()}plugs: []\n`);
    expect(await ask('plug/rename', { plug: 'shed', name: 'Other' })).toMatchObject({ code: 'file-wrong' });
  });

  it('is written with the mode of the file, through a link', async () => {
    await open(['shed']);
    const real = site.file ?? '';
    const link = join(folder, 'link.yaml');
    symlinkSync(real, link);
    site.file = link;
    await restart();
    expect(await ask('plug/rename', { plug: 'shed', name: 'Shed' })).toMatchObject({
      data: { kept: 'file' },
    });
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readFileSync(real, 'utf8')).toContain('name: Shed');
  });

  it('is changed by one after the other of those who ask at the same time', async () => {
    await open(['shed', 'east/a']);
    const names = Array.from({ length: 10 }, (_, index) => `Name ${index}`);
    const answers = await Promise.all(
      names.map((name, index) => ask('plug/rename', { plug: index % 2 === 0 ? 'shed' : 'east/a', name })),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 'ok'));
    expect(text()).toContain('name: Name 8');
    expect(text()).toContain('name: Name 9');
  });

  it('is kept in the store where the file is read-only, and shown as YAML to paste', async () => {
    await open(['shed', 'east/a']);
    chmodSync(site.file ?? '', 0o440);
    const before = text();
    const answer = await ask('plug/move', { plug: 'shed', to: 'yard/shed' });
    const yaml = `# no longer: plug shed\nplugs:\n  - path: yard/shed\n    host: ${address('shed')}\n`;
    expect(answer).toMatchObject({ status: 'ok', data: { kept: 'database', yaml } });
    expect(await ask('config/set', { options: { 'poll.fast': '90s' } })).toMatchObject({
      data: { kept: 'database' },
    });
    expect(text()).toBe(before);
    const now = treeOf(['yard/shed', 'east/a'], [idOf(1), idOf(2), placeId('east'), placeId('yard')]);
    await untilRetained(now);
    await restart();
    await untilRetained(now);
    expect(await ask('config/get', {})).toMatchObject({
      data: { options: { 'poll.fast': { value: '90s' } } },
    });
  });

  it('that is kept in the store gives way where the file says something else by now, with a warning', async () => {
    await open(['shed', 'east/a']);
    chmodSync(site.file ?? '', 0o440);
    await ask('plug/rename', { plug: 'shed', name: 'From the store' });
    await ask('config/set', { options: { 'poll.fast': '90s' } });
    await site.bridge.stop();
    chmodSync(site.file ?? '', 0o640);
    writeFileSync(site.file ?? '', text().replace(/(- path: shed.*\n)/, '$1    name: From the file\n'));
    const after = site.observer.seen.length;
    await site.startBridge();
    const announced = await site.observer.json(idOf(1), () => true, after);
    expect(announced).toMatchObject({ device: { name: 'From the file' } });
    expect(site.bridge.lines).toContainEqual(
      expect.objectContaining({
        level: 40,
        changes: ['plug shed'],
        msg: expect.stringMatching(/the file holds/),
      }),
    );
    // What does not differ stays in force, and goes into the file with the next change.
    expect(await ask('plug/rename', { plug: 'shed', name: 'Last' })).toMatchObject({
      data: { kept: 'file' },
    });
    expect(text()).toContain('fast: 90s');
    expect(text()).toContain('# here');
    expect(await ask('config/export', {})).toMatchObject({ data: { yaml: '' } });
  });
});
