import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type Json, Observer } from '../support/observer.ts';
import { Program } from '../support/program.ts';
import { type Running, type SitePlug, startBroker, startPlug } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

/** How long the program may take to end. */
const END_MS = 5000;

describe('the program', { timeout: 60_000 }, () => {
  const PATHS = ['lamp', 'hall/lamp', 'hall/slow'];
  let plugs: Map<string, SitePlug>;
  let broker: Running;
  let url: string;
  let observer: Observer;
  let program: Program;

  beforeEach(async () => {
    plugs = new Map();
    for (const path of PATHS) plugs.set(path, await startPlug(path, plugs.size + 1, { on: true }));
    ({ running: broker, url } = await startBroker(0));
    observer = await Observer.connect(url);
    program = new Program();
  });

  afterEach(async () => {
    await program.dispose();
    await observer.end();
    await broker.stop();
    await Promise.all([...plugs.values()].map(({ server }) => server.stop()));
  });

  function plug(path: string): SitePlug {
    const found = plugs.get(path);
    if (found === undefined) throw new Error(`there is no plug ${path}`);
    return found;
  }

  const options = (more: object = {}) => ({
    mqtt: { url },
    poll: { interval: '200ms', timeout: '1s' },
    discovery: { interval: 0 },
    plugs: [...plugs.values()].map(({ path, server }) => ({ path, host: `127.0.0.1:${server.port}` })),
    ...more,
  });

  async function start(more: object = {}): Promise<void> {
    await program.start(options(more));
    for (const path of PATHS)
      await observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
  }

  /** Starts it after it was killed; resolves once it has said so itself. */
  async function startAgain(): Promise<number> {
    const after = observer.seen.length;
    await program.start(options());
    await observer.message('museum/bridge/state', (payload) => payload === 'online', after);
    return after;
  }

  const receipts = (topic: string, after = 0): Json[] =>
    observer.seen
      .slice(after)
      .filter((seen) => seen.topic === `museum/${topic}/result`)
      .map(({ payload }): Json => JSON.parse(payload));

  /** Ids of the commands in the database, which the bridge has open, too. */
  function stored(): string[] {
    const rows = new Libsql(join(program.file('data'), 'hs110-mqtt.db')).prepare(
      'SELECT command FROM command',
    );
    return rows.all().map((row) => JSON.parse(Object(row).command).id);
  }

  describe('told to stop', () => {
    it('in the middle of a place command settles it, says that all is offline, and ends well in time', async () => {
      await start();
      plug('hall/slow').server.fault = { kind: 'silence' };
      await observer.say('museum/set', '{"state":"OFF","id":"closing"}');
      await until(() => !plug('hall/lamp').device.relay && !plug('lamp').device.relay, 'all but one');
      const exit = await program.end('SIGTERM');
      expect(exit.code).toBe(0);
      expect(exit.ms).toBeLessThan(END_MS);
      const receipt = await observer.json('museum/result');
      expect(receipt).toMatchObject({
        id: 'closing',
        outcome: 'partial',
        confirmed: 2,
        missing: [{ path: 'hall/slow', reason: 'stopping' }],
      });
      await observer.message('museum/bridge/state', (payload) => payload === 'offline');
      for (const path of PATHS)
        await observer.message(`museum/${path}/availability`, (payload) => payload === 'offline');
      expect(observer.seen.filter(({ topic }) => topic === 'museum/result')).toHaveLength(1);
    });

    it('lets the exchange end that is under way, and says that it was confirmed', async () => {
      await start();
      plug('hall/slow').server.fault = { kind: 'delay', ms: 400 };
      await observer.say('museum/hall/slow/set', '{"state":"OFF","id":"just"}');
      await until(() => !plug('hall/slow').device.relay, 'the plug to be switched');
      expect((await program.end('SIGTERM')).code).toBe(0);
      expect(await observer.json('museum/hall/slow/result')).toMatchObject({ outcome: 'confirmed' });
      expect(observer.latest('museum/hall/slow/state')).toBe('OFF');
    });

    it('fails every command that waits for a plug, each with its receipt', async () => {
      await start();
      await plug('lamp').server.stop();
      for (const id of ['a', 'b']) await observer.say('museum/lamp/set', `{"state":"OFF","id":"${id}"}`);
      await observer.say('museum/lamp/set', '{"led":"OFF","id":"c"}');
      await observer.message('museum/lamp/availability', (payload) => payload === 'offline');
      expect((await program.end('SIGTERM')).code).toBe(0);
      await until(() => receipts('lamp').length >= 3, 'the receipts');
      expect(receipts('lamp').map(({ id, outcome, reason }) => [id, outcome, reason])).toEqual([
        ['a', 'superseded', 'a later command took over'],
        ['b', 'failed', 'stopping'],
        ['c', 'failed', 'stopping'],
      ]);
      expect(stored()).toEqual([]);
    });

    it('ends in time though the broker is gone', async () => {
      await start();
      await broker.stop();
      const exit = await program.end('SIGTERM');
      expect(exit.code).toBe(0);
      expect(exit.ms).toBeLessThan(END_MS);
      ({ running: broker } = await startBroker(Number(new URL(url).port)));
    });

    it('ends in time though the broker has fallen silent', async () => {
      const proxy = await TcpProxy.started(Number(new URL(url).port));
      await start({ mqtt: { url: proxy.url } });
      proxy.hold();
      await observer.say('museum/set', '{"state":"OFF","id":"unheard"}');
      await until(() => PATHS.every((path) => !plug(path).device.relay), 'all plugs to be switched');
      const exit = await program.end('SIGTERM');
      expect(exit.code).toBe(0);
      expect(exit.ms).toBeLessThan(END_MS);
      await proxy.stop();
    });

    it('while it starts ends well', async () => {
      program.launch(options());
      await until(() => program.lines.length > 0, 'its first word', 20_000);
      expect((await program.end('SIGTERM')).code).toBe(0);
    });

    it('ends in time in the middle of a search, and begins no other', async () => {
      const missing = { path: 'missing', mac: '50:C7:BF:00:00:99' };
      const discovery = { interval: '1s', targets: '127.0.0.1:9' };
      await program.start({ ...options({ discovery }), plugs: [missing] });
      const exit = await program.end('SIGTERM');
      expect(exit.code).toBe(0);
      expect(exit.ms).toBeLessThan(END_MS);
    });

    it('with its own broker delivers the receipts before that closes', async () => {
      const port = await freePort();
      await program.start(options({ mqtt: {}, broker: { listen: `127.0.0.1:${port}` } }));
      const own = await Observer.connect(`mqtt://127.0.0.1:${port}`);
      for (const path of PATHS)
        await own.message(`museum/${path}/availability`, (payload) => payload === 'online');
      plug('hall/slow').server.fault = { kind: 'silence' };
      await own.say('museum/hall/set', '{"state":"OFF","id":"last"}');
      await until(() => !plug('hall/lamp').device.relay, 'the plug that answers');
      expect((await program.end('SIGTERM')).code).toBe(0);
      expect(await own.json('museum/hall/result')).toMatchObject({ id: 'last', outcome: 'partial' });
      expect(own.latest('museum/bridge/state')).toBe('offline');
      await own.end();
    });
  });

  describe('killed', () => {
    it('after a timed command was confirmed switches back all the same, by itself', async () => {
      await start();
      const after = await observer.say('museum/lamp/set', '{"state":"OFF","for":"4s","id":"timed"}');
      await observer.json('museum/lamp/result', ({ id }) => id === 'timed', after);
      await program.end('SIGKILL');
      // Nobody but the bridge is to do it.
      plug('lamp').device.answer({ count_down: { delete_all_rules: {} } });
      expect(plug('lamp').device.relay).toBe(false);
      await startAgain();
      await until(() => plug('lamp').device.relay, 'the relay to be switched back');
    });

    it('with a command that waits for its plug carries it out, with one receipt', async () => {
      await start();
      await plug('lamp').server.stop();
      await observer.say('museum/lamp/set', '{"state":"OFF","id":"wanted","ttl":"50s"}');
      await until(() => stored().includes('wanted'), 'the command to be stored');
      await program.end('SIGKILL');
      await plug('lamp').server.start();
      await startAgain();
      expect(await observer.json('museum/lamp/result')).toMatchObject({ id: 'wanted', outcome: 'confirmed' });
      expect(plug('lamp').device.relay).toBe(false);
      await until(() => stored().length === 0, 'the command to be forgotten');
      expect(receipts('lamp')).toHaveLength(1);
    });

    it('in the middle of a place command ends it, with one receipt', async () => {
      await start();
      plug('hall/slow').server.fault = { kind: 'silence' };
      await observer.say('museum/set', '{"state":"OFF","id":"closing","ttl":"50s"}');
      await until(() => stored().includes('closing'), 'the command to be stored');
      await program.end('SIGKILL');
      plug('hall/slow').server.fault = { kind: 'none' };
      await startAgain();
      expect(await observer.json('museum/result')).toMatchObject({
        id: 'closing',
        outcome: 'confirmed',
        confirmed: 3,
      });
      expect(observer.seen.filter(({ topic }) => topic === 'museum/result')).toHaveLength(1);
    });

    it('again and again while it writes starts with what it knew each time', async () => {
      await start();
      for (let round = 0; round < 5; round++) {
        const after = await observer.say('museum/lamp/set', `{"state":"TOGGLE","id":"${round}"}`);
        await observer.say('museum/hall/lamp/set', `{"state":"TOGGLE","for":"1h","id":"${round}"}`);
        await observer.json('museum/lamp/result', ({ id }) => id === `${round}`, after);
        await program.end('SIGKILL');
        await startAgain();
      }
      expect(program.lines.filter((line) => line.includes('no database'))).toEqual([]);
    });
  });
});
