import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { announcementProblems } from '../support/announced.ts';
import { Observer } from '../support/observer.ts';
import { Site, type SiteOptions, SURROUNDINGS, startPlug } from '../support/site.ts';
import { until } from '../support/until.ts';

const PATHS = ['shed3', 'barn/loft', 'east-wing/lamp-1', 'east-wing/hall/desk'];

/** The devices of that site: the bridge, four plugs, and five places with the site itself. */
const DEVICES = [
  'bridge_museum',
  'site_museum',
  'place_museum_barn',
  'place_museum_east-wing',
  'place_museum_east-wing_hall',
  ...[1, 2, 3, 4].map((number) => `50c7bf00000${number}`),
];
const LAST_PLUG = 'hs110mqtt_50c7bf000004';

/** Where a dump of what is retained goes for other people's checker, if somebody wants it. */
const FOLDER = process.env.DISCOVERY_DUMPS;

function bulb(path: string, number: number) {
  const { clock } = SURROUNDINGS;
  const device = new SimulatedBulb({ alias: path, mac: `50:C7:BF:00:00:0${number}` }, clock);
  return { path, server: new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random }) };
}

describe('what a site announces', () => {
  let site: Site;

  afterEach(() => site.close());

  /** The last payload of every topic on which something was published that was not taken back. */
  function published(after: number): Map<string, string> {
    const topics = new Map<string, string>();
    for (const { topic, payload } of site.observer.seen.slice(after))
      if (payload === '' || /\/(request|response)\//.test(topic)) topics.delete(topic);
      else topics.set(topic, payload);
    return topics;
  }

  /** What is retained, as a client sees it that comes late. */
  async function retained(after: number): Promise<Map<string, string>> {
    const expected = [...published(after).keys()];
    const fresh = await Observer.connect(site.url);
    const topics = () =>
      new Map(fresh.seen.flatMap(({ topic, payload, retain }) => (retain ? [[topic, payload]] : [])));
    await until(() => expected.every((topic) => topics().has(topic)), 'what is retained');
    await fresh.end();
    return topics();
  }

  /** Waits until all is announced and every place has its members. */
  async function allAnnounced(after = 0): Promise<void> {
    const told = () => {
      const topics = published(after);
      const configs = [...topics].filter(([topic]) => topic.endsWith('/config'));
      const isThere = (id: string) => configs.some(([topic]) => topic.includes(`/hs110mqtt_${id}/`));
      const hasAll = configs.some(
        ([topic, text]) => topic.includes('/hs110mqtt_site_museum/') && text.includes(`${LAST_PLUG}_`),
      );
      return DEVICES.every(isThere) && hasAll && topics.has(`museum/bridge/plugs/${PATHS[3]}`);
    };
    await until(told, 'everything to be announced', 15_000);
  }

  /** Waits until all is announced, and holds it against what Home Assistant takes. */
  async function check(name: string, after = 0): Promise<ReadonlyMap<string, string>> {
    await allAnnounced(after);
    return keep(name, after);
  }

  /** Holds what is retained against what Home Assistant takes, and keeps it for the checker. */
  async function keep(name: string, after: number): Promise<ReadonlyMap<string, string>> {
    const topics = await retained(after);
    expect(announcementProblems(topics)).toEqual([]);
    if (FOLDER !== undefined) {
      mkdirSync(FOLDER, { recursive: true });
      const lines = [...topics].map(([topic, payload]) => JSON.stringify({ topic, payload, retain: 1 }));
      writeFileSync(join(FOLDER, `${name}.jsonl`), `${lines.join('\n')}\n`);
    }
    return topics;
  }

  /** Places, too: a place has members of its own kind. */
  const AS_LIGHTS: SiteOptions = { places: { '/': { as: 'light' } } };
  const ALL: SiteOptions = { allow: ['reboot', 'alias', 'log/level'] };

  it.each<[string, SiteOptions]>([
    ['places', { ...ALL, homeassistant: { areas: 'path' }, places: { '/': { name: 'Open-air museum' } } }],
    ['lights', { ...ALL, ...AS_LIGHTS }],
    ['flat', { ...ALL, mqtt: { output: 'flat' } }],
    ['single', { ...ALL, homeassistant: { discovery: 'single' } }],
  ])('is right and published: %s', async (name, options) => {
    site = await Site.open(PATHS, options);
    await check(name);
  });

  it('is right where a plug has no meter, and where one is away', async () => {
    site = await Site.open(PATHS, {}, { model: 'HS100(EU)' });
    await allAnnounced();
    await site.plug('shed3').server.stop();
    await site.observer.json('museum/bridge/plugs/shed3', ({ problem }) => problem !== null);
    const topics = await check('away');
    expect(JSON.parse(topics.get('museum/bridge/plugs/shed3') ?? '')).toMatchObject({
      problem: 'refused',
      last_seen: expect.any(String),
    });
  });

  it('is right where lamps can be dimmed', async () => {
    site = await Site.open(PATHS, AS_LIGHTS, { model: 'HS220(US)' });
    await check('dimmers');
  });

  it('is right where lamps are bulbs, which have neither a relay nor an LED', async () => {
    const bulbs = PATHS.map((path, index) => bulb(path, index + 1));
    for (const { server } of bulbs) await server.start();
    const plugs = bulbs.map(({ path, server }) => ({ path, host: `${server.host}:${server.port}` }));
    site = await Site.open([], { plugs, ...AS_LIGHTS });
    const topics = await check('bulbs');
    const { components } = JSON.parse(topics.get(`homeassistant/device/${LAST_PLUG}/config`) ?? '');
    expect(components).toMatchObject({ light: { brightness_scale: 100, min_mireds: 112, max_mireds: 400 } });
    expect(Object.keys(components)).not.toEqual(expect.arrayContaining(['led']));
    expect(Object.keys(components).join()).not.toMatch(/voltage|current|relay/);
    for (const { server } of bulbs) await server.stop();
  });

  it('is right after the form was changed, either way, and nothing of the other form is left', async () => {
    site = await Site.open(PATHS, ALL);
    await allAnnounced();
    for (const [discovery, name] of [
      ['single', 'device-to-single'],
      ['device', 'single-to-device'],
    ] as const) {
      await site.bridge.stop();
      const after = site.observer.seen.length;
      await site.startBridge({ homeassistant: { discovery } });
      const topics = await check(name, after);
      const configs = [...topics.keys()].filter((topic) => topic.startsWith('homeassistant/'));
      const devices = configs.filter((topic) => topic.startsWith('homeassistant/device/'));
      expect(devices).toEqual(discovery === 'device' ? configs : []);
    }
  });

  it('is right after plugs and places were renamed, moved and replaced while the bridge ran', async () => {
    const requests = ['plug/rename', 'plug/move', 'plug/replace'];
    site = await Site.open(PATHS, { allow: [...requests, 'alias'] });
    await allAnnounced();
    const hardware = await startPlug('shed3', 9);
    const ask = async (name: string, request: object) => {
      const after = await site.observer.say(`museum/bridge/request/${name}`, JSON.stringify(request));
      const response = await site.observer.json(`museum/bridge/response/${name}`, () => true, after);
      expect(response).toMatchObject({ status: 'ok' });
    };
    await ask('plug/rename', { place: 'barn', name: 'Old barn' });
    await ask('plug/move', { place: 'east-wing', to: 'house/east' });
    await ask('plug/replace', { plug: 'shed3', host: `${hardware.server.host}:${hardware.server.port}` });
    const isDone = () => {
      const topics = published(0);
      const [desk, barn] = [LAST_PLUG, 'hs110mqtt_place_museum_barn'].map(
        (id) => topics.get(`homeassistant/device/${id}/config`) ?? '',
      );
      const left = [...topics.keys()].some((topic) => /^museum\/(bridge\/\w+\/)?east-wing/.test(topic));
      const isNew = topics.get('museum/bridge/plugs/shed3')?.includes('50:C7:BF:00:00:09') === true;
      return !left && isNew && desk?.includes('house/east/hall/desk') && barn?.includes('Old barn');
    };
    await until(() => isDone() === true, 'all to be changed', 20_000);
    const topics = await keep('renamed-moved-replaced', 0);
    const lamp = JSON.parse(topics.get('homeassistant/device/hs110mqtt_50c7bf000001/config') ?? '');
    expect(lamp).toMatchObject({ device: { serial_number: '50:C7:BF:00:00:09' } });
    await hardware.server.stop();
  });

  it('is right after the broker was restarted and has forgotten everything', async () => {
    site = await Site.open(PATHS, ALL);
    await allAnnounced();
    await site.broker.stop();
    const after = site.observer.seen.length;
    await site.startBroker();
    await check('broker-restart', after);
  });
});
