import { createServer } from 'node:net';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app/app.ts';
import { Mosquitto, type MosquittoOptions, noMosquitto } from '../support/mosquitto.ts';
import { Observer } from '../support/observer.ts';
import { Program } from '../support/program.ts';
import { Running, Site, type SiteOptions, SURROUNDINGS } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

if (noMosquitto !== undefined)
  process.stderr.write(`The tests of broker faults are skipped: ${noMosquitto}.\n`);

describe.skipIf(noMosquitto !== undefined)('a real broker', () => {
  let mosquitto: Mosquitto;
  let site: Site;
  const stops: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    mosquitto = await Mosquitto.prepared();
  });

  afterEach(async () => {
    await site?.close();
    for (const stop of stops.splice(0).reverse()) await stop();
    await mosquitto.stop();
  });

  /** A site whose bridge uses the broker, or another way to it; MQTT 5 if it may. */
  async function open(
    paths: readonly string[],
    mqtt: object = {},
    options: SiteOptions = {},
    on = false,
  ): Promise<void> {
    site = await Site.open(paths, { ...options, mqtt: { url: mosquitto.url, ...mqtt } }, { on });
  }

  async function observer(url = mosquitto.url, version: 4 | 5 = 5): Promise<Observer> {
    const one = await Observer.connect(url, version);
    stops.push(() => one.end());
    return one;
  }

  async function proxy(): Promise<TcpProxy> {
    const one = await TcpProxy.started(mosquitto.port);
    stops.push(() => one.stop());
    return one;
  }

  /** The bridge's log lines with that message. */
  const said = (message: RegExp) => site.bridge.lines.filter(({ msg }) => message.test(msg));

  async function online(watcher: Observer, ...paths: string[]): Promise<void> {
    for (const path of paths)
      await watcher.message(`museum/${path}/availability`, (payload) => payload === 'online');
  }

  it('that is gone at the start is waited for while plugs are polled, and told everything when it comes', async () => {
    await open(['shed3', 'barn/loft']);
    let polls = 0;
    site.plug('shed3').server.onQuery = () => polls++;
    await until(() => polls > 5, 'polls');
    expect(said(/cannot reach the broker/)).toHaveLength(1);
    await mosquitto.start();
    const watcher = await observer();
    await online(watcher, 'shed3', 'barn/loft');
    await watcher.json('museum', ({ total, unknown }) => total === 2 && unknown === 0);
    for (const topic of ['museum/bridge/state', 'museum/bridge/info', 'museum/barn/loft/state'])
      await watcher.message(topic, (payload) => payload !== '');
  });

  it('that is killed in the middle of a place command gets the one receipt when it is back', async () => {
    await mosquitto.start();
    const way = await proxy();
    await open(['a', 'b', 'slow'], { url: way.url }, {}, true);
    const before = await observer();
    await online(before, 'a', 'b', 'slow');
    site.plug('slow').server.fault = { kind: 'delay', ms: 600 };
    await before.say('museum/set', '{"state":"OFF","id":"closing"}');
    await until(() => !site.plug('a').device.relay, 'the first plug');
    way.close();
    await mosquitto.kill();
    await until(() => !site.plug('slow').device.relay, 'the last plug');
    await mosquitto.start();
    const after = await observer();
    way.open();
    expect(await after.json('museum/result')).toMatchObject({
      id: 'closing',
      outcome: 'confirmed',
      confirmed: 3,
      total: 3,
    });
    await after.json('museum', ({ state }) => state === 'OFF');
    const next = await after.say('museum/set', '{"state":"OFF","id":"next"}');
    await after.json('museum/result', ({ id }) => id === 'next', next);
    expect(after.seen.filter(({ topic }) => topic === 'museum/result')).toHaveLength(2);
  });

  it('that takes nothing more holds up neither polls nor plugs, and then gets receipts and the newest state', async () => {
    await mosquitto.start();
    const way = await proxy();
    const lamps = Array.from({ length: 20 }, (_, index) => `hall/lamp-${index}`);
    await open(['shed3', ...lamps], { url: way.url });
    const watcher = await observer();
    await online(watcher, 'shed3', ...lamps);
    const counts = { polls: 0, ticks: 0 };
    const ticking = setInterval(() => counts.ticks++, 100);
    site.plug('shed3').server.onQuery = () => counts.polls++;
    way.hold();
    const after = await watcher.say('museum/set', '{"state":"ON","id":"slow"}');
    await until(() => lamps.every((path) => site.plug(path).device.relay), 'all plugs to be switched');
    await until(() => counts.ticks >= 20, 'some time');
    clearInterval(ticking);
    expect(counts.polls / counts.ticks).toBeGreaterThan(0.8);
    site.plug('hall/lamp-7').device.press();
    way.release();
    expect(await watcher.json('museum/result', () => true, after)).toMatchObject({
      id: 'slow',
      outcome: 'confirmed',
      confirmed: 21,
    });
    await watcher.json('museum/hall', ({ on, off }) => on === 19 && off === 1, after);
    expect(watcher.seen.filter(({ topic }) => topic === 'museum/result')).toHaveLength(1);
    expect(mosquitto.lines.filter((line) => line.includes('New client connected from'))).toHaveLength(2);
  });

  const WITH_LOGIN = (broker: Mosquitto): MosquittoOptions => ({
    global: ['allow_anonymous false', `password_file ${broker.file('passwords')}`],
  });

  it('that refuses the login is tried again, said once in the log, until the login is right', async () => {
    mosquitto.setPassword('bridge', 'right');
    await mosquitto.start(WITH_LOGIN(mosquitto));
    await open(['shed3'], { username: 'bridge', password: 'wrong', clientId: 'bridge' });
    const refusals = () => mosquitto.lines.filter((line) => line.includes('not authorised')).length;
    await until(() => refusals() >= 2, 'two attempts');
    expect(said(/the broker refuses the login; check mqtt.username and mqtt.password/)).toHaveLength(1);
    mosquitto.setPassword('bridge', 'wrong');
    mosquitto.reload();
    const watcher = await observer(mosquitto.url.replace('//', '//bridge:wrong@'));
    await online(watcher, 'shed3');
    expect(JSON.stringify(site.bridge.lines)).not.toContain('wrong');
  });

  it('that refuses the login ends the program with that message if it is so configured', async () => {
    mosquitto.setPassword('bridge', 'right');
    await mosquitto.start(WITH_LOGIN(mosquitto));
    const program = new Program();
    stops.push(() => program.dispose());
    const login = { username: 'bridge', password: 'wrong', onLoginRefused: 'exit' };
    program.launch({ mqtt: { url: mosquitto.url, ...login }, discovery: { interval: 0 } });
    expect((await program.ended()).code).toBe(1);
    const text = program.lines.join('\n');
    expect(text).toMatch(/the broker refuses the login; check mqtt.username and mqtt.password/);
    expect(program.lines.at(-1)).toMatch(/^hs110-mqtt: the broker mqtt:.* refuses the login: .*[Nn]ot auth/);
    expect(text).not.toContain('wrong');
  });

  it('at which a second bridge has the same name hears no more of one of them once it knows', async () => {
    await mosquitto.start();
    await open(['shed3'], { clientId: 'museum-bridge' });
    await until(() => mosquitto.connectsOf('museum-bridge') === 1, 'the bridge to connect');
    const second = new Running((log) => buildApp(site.config(), { ...SURROUNDINGS, log }));
    stops.push(() => second.stop());
    const guess = ({ msg }: { msg: string }) => /another client may use the same mqtt.clientId/.test(msg);
    const guesses = () => [...site.bridge.lines, ...second.lines].filter(guess);
    await until(() => guesses().length > 0, 'one of the two to say so');
    expect(guesses()[0]).toMatchObject({ level: 50, clientId: 'museum-bridge' });
    const connects = mosquitto.connectsOf('museum-bridge');
    expect(connects).toBeLessThan(12);
    let polls = 0;
    site.plug('shed3').server.onQuery = () => polls++;
    await until(() => polls > 60, 'sixty polls by two bridges');
    expect(mosquitto.connectsOf('museum-bridge')).toBe(connects);
  });

  it('that says that another client took over is left alone for a while, and the log says why', async () => {
    let connects = 0;
    const server = createServer((socket) => {
      connects++;
      // CONNACK, then DISCONNECT with reason code 142.
      socket.once('data', () => socket.end(Buffer.from('2003000000e0028e00', 'hex')));
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(mosquitto.port, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve)));
    await open(['shed3'], { clientId: 'museum-bridge' });
    const message = /another client uses the same mqtt.clientId and took over; give each bridge its own/;
    await until(() => said(message).length > 0, 'the bridge to say so');
    let polls = 0;
    site.plug('shed3').server.onQuery = () => polls++;
    await until(() => polls > 30, 'thirty polls');
    expect(connects).toBe(1);
    expect(said(message)).toHaveLength(1);
  });

  it('that takes small messages only gets those, and the log says what is left out', async () => {
    await mosquitto.start({ global: ['allow_anonymous true', 'max_packet_size 1000'] });
    await open(['shed3'], { clientId: 'bridge' });
    const watcher = await observer();
    await online(watcher, 'shed3');
    const after = await watcher.say('museum/shed3/set', 'ON');
    expect(await watcher.json('museum/shed3/result', () => true, after)).toMatchObject({
      outcome: 'confirmed',
    });
    const leftOut = () => said(/the broker takes no message of this size; left out/);
    // Announcements wait until it is known what the broker retains of former ones.
    await until(() => leftOut().length > 0, 'a message to be left out');
    expect(leftOut()[0]).toMatchObject({
      topic: expect.stringMatching(/^homeassistant\//),
      largest: 1000,
    });
    expect(mosquitto.connectsOf('bridge')).toBe(1);
  });

  it('that takes one message at a time gets them all, one after the other', async () => {
    await mosquitto.start({ global: ['allow_anonymous true', 'max_inflight_messages 1'] });
    const lamps = Array.from({ length: 20 }, (_, index) => `hall/lamp-${index}`);
    await open(lamps, { clientId: 'bridge' });
    const watcher = await observer();
    await online(watcher, ...lamps);
    const commands = lamps.map((path) => watcher.say(`museum/${path}/set`, 'ON'));
    await Promise.all(commands);
    for (const path of lamps)
      expect(await watcher.json(`museum/${path}/result`)).toMatchObject({ outcome: 'confirmed' });
    expect(mosquitto.connectsOf('bridge')).toBe(1);
    expect(mosquitto.lines.join('\n')).not.toMatch(/receive maximum exceeded|protocol error/i);
  });

  it('that is one of several is tried in turn with the others, at the start and after a loss', async () => {
    await mosquitto.start();
    const other = await Mosquitto.prepared();
    stops.push(() => other.stop());
    await open(['shed3'], { url: [other.url, mosquitto.url] });
    await online(await observer(), 'shed3');
    await other.start();
    await mosquitto.kill();
    await online(await observer(other.url), 'shed3');
  });
});
