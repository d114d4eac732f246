import { afterEach, describe, expect, it } from 'vitest';
import { Site } from '../support/site.ts';

const DEVICE = 'homeassistant/device/hs110mqtt_50c7bf000001/config';
const RELAY = 'homeassistant/switch/hs110mqtt_50c7bf000001/relay/config';

describe('the form of what is announced to Home Assistant', () => {
  let site: Site;

  afterEach(() => site.close());

  /** Restarts the bridge with another form; how much had been seen before. */
  async function change(discovery: string): Promise<number> {
    await site.bridge.stop();
    const after = site.observer.seen.length;
    await site.startBridge({ homeassistant: { discovery } });
    return after;
  }

  const order = (topic: string, after: number) =>
    site.observer.seen
      .slice(after)
      .filter((seen) => seen.topic === topic)
      .map(({ payload }) => payload);

  it('is migrated from one message per device to one per entity, once, and back', async () => {
    site = await Site.open(['lamp']);
    await site.observer.json(DEVICE);
    let after = await change('single');
    await site.observer.message(DEVICE, (payload) => payload === '', after);
    expect(order(DEVICE, after)).toEqual(['{"migrate_discovery":true}', '']);
    expect(await site.observer.json(RELAY, () => true, after)).toMatchObject({
      unique_id: 'hs110mqtt_50c7bf000001_relay',
    });

    after = await change('device');
    await site.observer.message(RELAY, (payload) => payload === '', after);
    expect(order(RELAY, after)).toEqual(['{"migrate_discovery":true}', '']);
    expect(
      await site.observer.json(DEVICE, ({ components }) => components !== undefined, after),
    ).toHaveProperty('components.relay');
  });

  it('is withdrawn when discovery is turned off', async () => {
    site = await Site.open(['lamp']);
    await site.observer.json(DEVICE);
    const after = await change('off');
    await site.observer.message(DEVICE, (payload) => payload === '', after);
    await site.observer.message(
      'homeassistant/device/hs110mqtt_bridge_museum/config',
      (payload) => payload === '',
      after,
    );
    expect(order(RELAY, after)).toEqual([]);
  });
});
