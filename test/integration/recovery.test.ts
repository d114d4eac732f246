import { afterEach, describe, expect, it } from 'vitest';
import { Observer } from '../support/observer.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

describe('recovery', () => {
  let site: Site;

  afterEach(() => site.close());

  it('calls a plug offline with its reason when it is gone, and online again by itself', async () => {
    site = await Site.open(['shed3', 'shed4']);
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online');
    let after = site.observer.seen.length;
    await site.plug('shed3').server.stop();
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'offline', after);
    expect(await site.observer.json('museum/shed3', ({ problem }) => problem !== null, after)).toMatchObject({
      problem: 'refused',
    });
    await site.observer.json('museum', ({ unknown }) => unknown === 1, after);
    expect(site.observer.latest('museum/shed4/availability')).toBe('online');

    after = site.observer.seen.length;
    await site.plug('shed3').server.start();
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online', after);
    await site.observer.json('museum/shed3', ({ problem }) => problem === null, after);
    const told = site.bridge.lines.filter(({ plug }) => plug === 'shed3').map(({ msg }) => msg);
    expect(told.filter((msg) => msg === 'plug is offline')).toHaveLength(1);
    expect(told.filter((msg) => msg === 'plug is back')).toHaveLength(1);
  });

  it('delivers a command to a plug that comes back within its ttl', async () => {
    site = await Site.open(['shed3']);
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online');
    await site.plug('shed3').server.stop();
    const after = await site.observer.say('museum/shed3/set', '{"state":"ON","id":"late"}');
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'offline', after);
    await site.plug('shed3').server.start();
    expect(await site.observer.json('museum/shed3/result', () => true, after)).toMatchObject({
      id: 'late',
      outcome: 'confirmed',
    });
    expect(site.plug('shed3').device.relay).toBe(true);
  });

  it('gives a command up when its ttl runs out, and does not carry it out later', async () => {
    site = await Site.open(['shed3']);
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online');
    await site.plug('shed3').server.stop();
    const after = await site.observer.say('museum/shed3/set', '{"state":"ON","ttl":"300ms"}');
    expect(await site.observer.json('museum/shed3/result', () => true, after)).toMatchObject({
      outcome: 'expired',
      reason: 'refused',
    });
    const back = site.observer.seen.length;
    await site.plug('shed3').server.start();
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online', back);
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('tries a command with ttl 0 once', async () => {
    site = await Site.open(['shed3']);
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online');
    await site.plug('shed3').server.stop();
    const after = await site.observer.say('museum/shed3/set', '{"state":"ON","ttl":0}');
    expect(await site.observer.json('museum/shed3/result', () => true, after)).toMatchObject({
      outcome: 'failed',
      reason: 'refused',
    });
  });

  it('lets a later command take over from one that could not be delivered', async () => {
    site = await Site.open(['shed3']);
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online');
    await site.plug('shed3').server.stop();
    const after = await site.observer.say('museum/shed3/set', '{"state":"ON","id":"first"}');
    await site.observer.say('museum/shed3/set', '{"state":"OFF","id":"second","ttl":"500ms"}');
    expect(await site.observer.json('museum/shed3/result', ({ id }) => id === 'first', after)).toMatchObject({
      outcome: 'superseded',
    });
    expect(await site.observer.json('museum/shed3/result', ({ id }) => id === 'second', after)).toMatchObject(
      { outcome: 'expired' },
    );
  });

  it('publishes everything retained anew when the broker returns with an empty memory', async () => {
    site = await Site.open(['shed3', 'barn/loft']);
    await site.observer.json('museum/barn/loft');
    await site.broker.stop();
    await site.startBroker();
    const fresh = await Observer.connect(site.url);
    for (const topic of [
      'museum/shed3',
      'museum/shed3/state',
      'museum/shed3/availability',
      'museum/barn/loft/state',
      'museum/barn',
      'museum',
      'museum/bridge/state',
      'museum/bridge/info',
      'homeassistant/device/hs110mqtt_50c7bf000001/config',
    ]) {
      await fresh.message(topic, (payload) => payload !== '');
    }
    const late = await Observer.connect(site.url);
    expect((await late.message('museum/shed3/state')).retain).toBe(true);
    await fresh.end();
    await late.end();
  });

  it('polls while there is no broker, and publishes all when it comes', async () => {
    site = await Site.open(['shed3']);
    await site.broker.stop();
    await site.bridge.stop();
    const queries: unknown[] = [];
    site.plug('shed3').server.onQuery = (query) => queries.push(query);
    await site.startBridge();
    await until(() => queries.length > 3, 'polls');
    await site.startBroker();
    const fresh = await Observer.connect(site.url);
    await fresh.message('museum/shed3/availability', (payload) => payload === 'online');
    await fresh.end();
  });

  it('refuses a retained command with a receipt and a warning, at every connect', async () => {
    site = await Site.open(['shed3']);
    await site.observer.json('museum/shed3');
    await site.bridge.stop();
    await site.observer.say('museum/shed3/set', 'ON', { retain: true });
    const after = site.observer.seen.length;
    await site.startBridge();
    const receipt = await site.observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/retained commands are not carried out/),
    });
    expect(site.plug('shed3').device.relay).toBe(false);
    await until(() => site.bridge.lines.some(({ msg }) => msg === 'command refused'), 'the warning');
  });

  it('announces the plugs again when Home Assistant is born', async () => {
    site = await Site.open(['shed3']);
    const topic = 'homeassistant/device/hs110mqtt_50c7bf000001/config';
    await site.observer.json(topic);
    const after = await site.observer.say('homeassistant/status', 'online');
    await site.observer.json(topic, () => true, after);
  });
});
