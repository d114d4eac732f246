import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Observer } from '../support/observer.ts';
import { Site, type SiteOptions } from '../support/site.ts';
import { until } from '../support/until.ts';

const CONFIG_1 = 'homeassistant/device/hs110mqtt_50c7bf000001/config';
const CONFIG_2 = 'homeassistant/device/hs110mqtt_50c7bf000002/config';

describe('what is retained', () => {
  let site: Site;
  let folder: string;
  let options: SiteOptions;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
    options = { dataDir: folder, mqtt: { output: 'both' }, discovery: { interval: 0 } };
  });

  afterEach(async () => {
    await site.close();
    rmSync(folder, { recursive: true });
  });

  async function open(paths: readonly string[]): Promise<void> {
    site = await Site.open(paths, options);
    await allOnline(paths);
  }

  async function allOnline(paths: readonly string[], after = 0): Promise<void> {
    for (const path of paths)
      await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online', after);
  }

  /** Topics that match, were published on, and not cleared since. */
  function kept(pattern: RegExp): string[] {
    const latest = new Map(site.observer.seen.map(({ topic, payload }) => [topic, payload]));
    return [...latest].flatMap(([topic, payload]) => (pattern.test(topic) && payload !== '' ? [topic] : []));
  }

  /** Waits until nothing is retained any more on topics that match. */
  async function gone(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + 8000;
    await until(
      () => kept(pattern).length === 0 || performance.now() > deadline,
      'the topics to be cleared',
      9000,
    );
    expect(kept(pattern)).toEqual([]);
  }

  /** Waits until the broker tells a new client of a retained message on that topic. */
  async function retained(topic: string): Promise<void> {
    const fresh = await Observer.connect(site.url);
    // What is published at the same moment may come before.
    await until(
      () => fresh.seen.some((seen) => seen.topic === topic && seen.retain),
      `${topic} to be retained`,
    );
    await fresh.end();
  }

  const plugs = (...paths: readonly string[]) =>
    paths.map((path) => {
      const { server } = site.plug(path);
      return { path, host: `${server.host}:${server.port}` };
    });

  it('of a plug that is taken out of the configuration goes with the next start, with its place and its announcement', async () => {
    await open(['east/a', 'west/b']);
    await site.observer.message(CONFIG_1);
    await site.observer.message(CONFIG_2);
    expect(kept(/^museum\/east/).length).toBeGreaterThan(10);
    await site.bridge.stop();
    await site.startBridge({ plugs: plugs('west/b') });
    await gone(/^museum\/east/);
    await gone(/50c7bf000001/i);
    for (const topic of [CONFIG_2, 'museum/west', 'museum/west/b']) await retained(topic);
  });

  it('of a plug that is renamed or moved stays at its new path alone', async () => {
    await open(['east/a', 'lamp']);
    await site.bridge.stop();
    const [a, lamp] = plugs('east/a', 'lamp');
    const after = site.observer.seen.length;
    // A plug goes where a place was, and a place where a plug was.
    await site.startBridge({
      plugs: [
        { ...a, path: 'lamp/a' },
        { ...lamp, path: 'east' },
      ],
    });
    await allOnline(['lamp/a', 'east'], after);
    await gone(/^museum\/east\/a(\/|$)/);
    await gone(/^museum\/lamp\/(availability|voltage|current)$/);
    for (const topic of ['museum/east', 'museum/lamp', 'museum/lamp/a']) await retained(topic);
    expect(site.observer.latest('museum/lamp')).toContain('"total":1');
  });

  it('goes also if the broker was away when the plug was taken out, and when the bridge stopped after that', async () => {
    await open(['east/a', 'west/b']);
    await site.bridge.stop();
    const host = { ...plugs('west/b')[0] };
    // This run never reaches the broker.
    await site.startBridge({ plugs: [host], mqtt: { url: 'mqtt://127.0.0.1:9' } });
    await site.bridge.stop();
    await retained('museum/east/a');
    await site.startBridge({ plugs: [host], mqtt: { url: site.url } });
    await gone(/^museum\/east/);
    await gone(/50c7bf000001/i);
  });

  it('below an old base topic goes with the change to another', async () => {
    await open(['east/a']);
    await site.bridge.stop();
    const after = site.observer.seen.length;
    await site.startBridge({ mqtt: { output: 'both', baseTopic: 'gallery/two' } });
    await site.observer.message('gallery/two/east/a/availability', (payload) => payload === 'online', after);
    await gone(/^museum/);
    await gone(/^homeassistant\/.*museum/);
    await retained('gallery/two/bridge/state');
  });

  it('below an old discovery prefix goes with the change to another', async () => {
    await open(['east/a']);
    await site.observer.message(CONFIG_1);
    await site.bridge.stop();
    await site.startBridge({ homeassistant: { prefix: 'ha' } });
    await gone(/^homeassistant\//);
    const elsewhere = CONFIG_1.replace('homeassistant', 'ha');
    await site.observer.message(elsewhere);
    await retained(elsewhere);
  });

  it('for Home Assistant goes when discovery is switched off', async () => {
    await open(['east/a']);
    await site.observer.message(CONFIG_1);
    await site.bridge.stop();
    await site.startBridge({ homeassistant: { discovery: 'off' } });
    await gone(/^homeassistant\//);
  });

  it('of a plug that was adopted is there from the start of the next run, before it answers', async () => {
    site = await Site.open(['lamp']);
    const { server } = site.plug('lamp');
    await site.bridge.stop();
    const adopting = { ...options, plugs: [], discovery: { targets: [`${server.host}:${server.port}`] } };
    let after = site.observer.seen.length;
    await site.startBridge(adopting);
    await site.observer.message('museum/lamp-1/availability', (payload) => payload === 'online', after);
    await site.observer.message(CONFIG_1, () => true, after);
    await site.bridge.stop();
    await server.stop();
    after = site.observer.seen.length;
    await site.startBridge(adopting);
    await site.observer.message('museum/lamp-1/availability', (payload) => payload === 'offline', after);
    const receipt = await site.observer.say('museum/set', '{"state":"OFF","ttl":"300ms"}');
    expect(await site.observer.json('museum/result', () => true, receipt)).toMatchObject({
      total: 1,
      missing: [{ path: 'lamp-1' }],
    });
    await retained(CONFIG_1);
  });
});
