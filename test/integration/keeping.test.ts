import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Site, type SiteOptions } from '../support/site.ts';
import { until } from '../support/until.ts';

describe('what a plug should be', () => {
  let site: Site;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  });

  afterEach(async () => {
    await site.close();
    rmSync(folder, { recursive: true });
  });

  async function open(options: SiteOptions = {}, on = false): Promise<void> {
    site = await Site.open(['lamp'], options, { on });
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online');
  }

  const lamp = () => site.plug('lamp');

  it('switches back by itself, by the bridge and by the countdown of the plug', async () => {
    await open();
    const after = await site.observer.say('museum/lamp/set', '{"state":"ON","for":"1s"}');
    expect(await site.observer.json('museum/lamp/result', () => true, after)).toMatchObject({
      outcome: 'confirmed',
      countdown: true,
    });
    const { count_down } = lamp().device.answer({ count_down: { get_rules: {} } });
    expect(count_down).toMatchObject({ get_rules: { rule_list: [{ act: 0, enable: 1, delay: 1 }] } });
    await site.observer.json('museum/lamp', ({ state }) => state === 'OFF', after);
  });

  it('says when the plug does not take the countdown on, and still switches back', async () => {
    await open();
    lamp().device.broken.set('count_down', -1);
    const after = await site.observer.say('museum/lamp/set', '{"state":"ON","for":"300ms"}');
    expect(await site.observer.json('museum/lamp/result', () => true, after)).toMatchObject({
      outcome: 'confirmed',
      countdown: false,
    });
    await site.observer.json(
      'museum/lamp',
      ({ state, changed_by }) => state === 'OFF' && changed_by === 'bridge',
      after,
    );
  });

  it('forgets the way back when a later command comes, on the plug as well', async () => {
    await open();
    let after = await site.observer.say('museum/lamp/set', '{"state":"ON","for":"1h"}');
    await site.observer.json('museum/lamp/result', () => true, after);
    after = await site.observer.say('museum/lamp/set', 'ON');
    await site.observer.json('museum/lamp/result', () => true, after);
    await until(() => {
      const { count_down } = lamp().device.answer({ count_down: { get_rules: {} } });
      return JSON.stringify(count_down).includes('"rule_list":[]');
    }, 'the countdown to be taken off the plug');
  });

  it('puts back what is switched at an enforced plug, and says that it did', async () => {
    await open({ places: { '/': { enforce: true, enforceAfter: '100ms' } } }, true);
    const after = site.observer.seen.length;
    lamp().device.press();
    await site.observer.json(
      'museum/lamp',
      ({ state, changed_by }) => state === 'OFF' && changed_by === 'plug',
      after,
    );
    await site.observer.json(
      'museum/lamp',
      ({ state, changed_by }) => state === 'ON' && changed_by === 'bridge',
      after,
    );
  });

  it('leaves a plug alone that is switched again and again, and says so', async () => {
    await open({ places: { '/': { enforce: true, enforceAfter: 0 } } }, true);
    for (let press = 0; press < 5; press++) {
      await until(() => lamp().device.relay, 'the plug to be put back');
      lamp().device.press();
    }
    await until(() => lamp().device.relay, 'the plug to be put back for the last time');
    lamp().device.press();
    expect(await site.observer.json('museum/lamp', ({ problem }) => problem !== null)).toMatchObject({
      state: 'OFF',
      problem: 'flapping',
    });
    const after = await site.observer.say('museum/lamp/set', 'ON');
    await site.observer.json(
      'museum/lamp',
      ({ problem, state }) => problem === null && state === 'ON',
      after,
    );
  });

  it.each([
    ['off', true, false],
    ['last', true, true],
    ['keep', true, false],
  ] as const)('restores %s after a power cut', async (restore, before, wanted) => {
    await open({ places: { '/': { restore } } }, before);
    await lamp().server.stop();
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'offline');
    // The plug comes back switched off.
    lamp().device.press();
    lamp().device.reboot();
    const after = site.observer.seen.length;
    await lamp().server.start();
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online', after);
    await until(() => lamp().device.relay === wanted, `the relay to be ${wanted ? 'on' : 'off'}`);
  });

  it('remembers what is to be switched back, over a restart of the bridge', async () => {
    await open({ dataDir: folder });
    const after = await site.observer.say('museum/lamp/set', '{"state":"ON","for":"700ms"}');
    await site.observer.json('museum/lamp/result', () => true, after);
    await site.bridge.stop();
    lamp().device.answer({ count_down: { delete_all_rules: {} } });
    await site.startBridge();
    await until(() => !lamp().device.relay, 'the relay to be switched back');
  });

  it.each([
    ['that is configured', 'elsewhere.json', 'elsewhere.json'],
    ['that the container image kept in its data', join('data', 'state.json'), undefined],
  ])('takes over the state file %s, once, with what it had to switch back', async (_, file, configured) => {
    mkdirSync(join(folder, 'data'));
    const command = { relay: 'on', id: 'before', origin: 'mqtt' };
    const commands = [{ target: 'lamp', command, until: Date.now() + 10_000 }];
    const plugs = { lamp: { relay: true, revert: { relay: false, at: Date.now() + 500, armed: false } } };
    writeFileSync(join(folder, file), JSON.stringify({ version: 1, plugs, commands, adopted: {} }));
    const stateFile = configured === undefined ? {} : { stateFile: join(folder, configured) };
    await open({ dataDir: join(folder, 'data'), ...stateFile }, true);
    expect(await site.observer.json('museum/lamp/result')).toMatchObject({
      id: 'before',
      outcome: 'failed',
      reason: 'the bridge was updated before it was carried out',
    });
    await until(() => !lamp().device.relay, 'the relay to be switched back');
    const taken = () =>
      site.bridge.lines.filter(({ msg }) => msg.startsWith('the old state file was taken over'));
    expect(taken()).toHaveLength(1);
    await site.bridge.stop();
    await site.startBridge();
    expect(taken()).toEqual([]);
  });

  it('goes on without a database that is damaged, says so, and leaves it as it is', async () => {
    const file = join(folder, 'hs110-mqtt.db');
    writeFileSync(file, 'this is no database');
    await open({ dataDir: folder });
    await site.observer.say('museum/lamp/set', 'ON');
    expect(await site.observer.json('museum/lamp/result')).toMatchObject({ outcome: 'confirmed' });
    expect(site.bridge.lines.filter(({ msg }) => msg.startsWith('no database'))).toHaveLength(1);
    expect(
      await site.observer.json('museum/bridge/health', ({ database }) => database !== 'ok'),
    ).toMatchObject({
      database: expect.stringContaining('hs110-mqtt.db cannot be used'),
    });
    expect(readFileSync(file, 'utf8')).toBe('this is no database');
  });

  it('does not start beside another bridge on the same data', async () => {
    await open({ dataDir: folder });
    await expect(site.startBridge()).rejects.toThrow(
      /another hs110-mqtt uses the data in .*; stop it, or give each/,
    );
  });
});
