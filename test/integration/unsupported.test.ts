import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtherDevice, startOthers } from '../support/other-devices.ts';
import { Site } from '../support/site.ts';

let others: OtherDevice[];
let site: Site;

beforeEach(async () => {
  others = await startOthers();
  const plugs = others.map(({ path, server }) => ({ path, host: `127.0.0.1:${server.port}` }));
  site = await Site.open([], { plugs, command: { ttl: '1s' } });
});

afterEach(async () => {
  await site.close();
  await Promise.all(others.map(({ server }) => server.stop()));
});

async function receipt(target: string, payload: object): Promise<{ readonly [key: string]: unknown }> {
  await site.observer.say(`${target}/set`, JSON.stringify({ id: target, ...payload }));
  return await site.observer.json(`${target}/result`, ({ id }) => id === target);
}

/** What the bridge says of its plugs, once that `matches`. */
async function inventory(
  matches: (plugs: readonly { readonly [key: string]: unknown }[]) => boolean,
): Promise<readonly { readonly [key: string]: unknown }[]> {
  const { payload } = await site.observer.message('museum/bridge/plugs', (text) => matches(JSON.parse(text)));
  return JSON.parse(payload);
}

describe('a camera among the plugs', () => {
  it('is never told to switch, neither by itself nor with its place', async () => {
    await inventory((plugs) => plugs.every(({ model }) => typeof model === 'string'));
    for (const { path } of others)
      expect((await receipt(`museum/${path}`, { state: 'OFF' })).outcome).not.toBe('confirmed');
    expect((await receipt('museum', { state: 'OFF' })).confirmed).toBe(0);
    expect((await receipt('museum/other', { state: 'ON', for: '1s' })).confirmed).toBe(0);
    expect(others.map(({ switched }) => switched)).toEqual([0, 0]);
  });

  it('is told as unsupported, and no reading of it is published', async () => {
    const plugs = await inventory((all) => all.every(({ problem }) => problem === 'unsupported'));
    expect(plugs.map(({ path }) => path)).toEqual(['other/camera-1', 'other/camera-2']);
    const { state, power } = await site.observer.json('museum/other/camera-1');
    expect([state, power]).toEqual([null, null]);
  });
});
