import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { MODEL_NAMES, simulatedModel } from '../../src/simulator/models.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ACCOUNT, KlapPlug } from '../support/klap-plug.ts';
import { Site, SURROUNDINGS } from '../support/site.ts';

const { clock } = SURROUNDINGS;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Row {
  readonly model: string;
  readonly relays: number;
  readonly metered: boolean;
  readonly light: string;
  readonly platform: string;
}

/** The table in the documentation. */
const ROWS = [
  ...readFileSync(new URL('../../docs/devices.md', import.meta.url), 'utf8').matchAll(
    /^\| ([A-Z]{2}\d.*) \|$/gm,
  ),
].map(([, text = '']): Row => {
  const [model = '', , relays, metered, light = '', platform = ''] = text.split(' | ');
  return { model, relays: Number(relays), metered: metered === 'yes', light, platform };
});

async function xorHost(device: PlugDevice): Promise<string> {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  closing.push(() => server.stop());
  return `127.0.0.1:${server.port}`;
}

async function klapHost(device: PlugDevice): Promise<string> {
  const server = await KlapPlug.startedFor(device);
  closing.push(() => server.stop());
  return `127.0.0.1:${server.port}`;
}

/** A bridge with one device of that model. */
async function siteWith(model: string, host: (device: PlugDevice) => Promise<string>): Promise<Site> {
  const device = simulatedModel(model, 1, clock);
  if (device === undefined) throw new Error(`there is no ${model}`);
  const site = await Site.open([], {
    plugs: [{ path: 'one', host: await host(device) }],
    poll: { interval: '200ms' },
    kasa: ACCOUNT,
  });
  closing.push(() => site.close());
  return site;
}

/** Switches it on, as a whole where it is a strip, and resolves with its receipt. */
async function switchedOn(site: Site, command: object): Promise<{ readonly [key: string]: unknown }> {
  const id = JSON.stringify(command);
  await site.observer.say('museum/one/set', JSON.stringify({ id, ...command }));
  return site.observer.json('museum/one/result', (receipt) => receipt.id === id);
}

describe('the table of devices in the documentation', () => {
  it('has every model that is simulated', () => {
    expect(ROWS.map(({ model }) => model).sort()).toEqual([...MODEL_NAMES].sort());
  });

  it.each(ROWS)('is right of the $model', async ({ model, relays, metered, light, platform }) => {
    const site = await siteWith(model, xorHost);
    const { observer } = site;
    const first = relays > 1 ? 'one/1' : 'one';
    await observer.message(`museum/${first}/availability`, (payload) => payload === 'online');
    expect(await switchedOn(site, { state: 'ON' })).toMatchObject({
      outcome: 'confirmed',
      confirmed: relays,
    });
    const state = await observer.json(
      `museum/${first}`,
      (said) => said.state === 'ON' && (!metered || said.power !== null),
    );
    expect(state.power === null).toBe(!metered);
    expect('brightness' in state).toBe(light.startsWith('brightness'));
    expect('color_temp' in state).toBe(light.endsWith('K'));
    if (light !== '–')
      expect(await switchedOn(site, { brightness: 40 })).toMatchObject({
        outcome: 'confirmed',
        brightness: 40,
      });
    const list = await observer.message('museum/bridge/plugs', (text) => text.includes(model));
    const mac: string = JSON.parse(list.payload)[0].mac;
    const id = mac.replaceAll(':', '').toLowerCase();
    await observer.message(`homeassistant/device/hs110mqtt_${id}${relays > 1 ? '_00' : ''}/config`, (text) =>
      text.includes(`"platform":"${platform}"`),
    );
  });

  it.each(ROWS)('is right of the $model with newer firmware', async ({ model, relays }) => {
    const site = await siteWith(model, klapHost);
    const first = relays > 1 ? 'one/1' : 'one';
    await site.observer.message(`museum/${first}/availability`, (payload) => payload === 'online');
    expect(await switchedOn(site, { state: 'ON' })).toMatchObject({
      outcome: 'confirmed',
      confirmed: relays,
    });
  });
});
