import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

describe('a plug on its topics', () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open(['shed3', 'barn/loft']);
    await site.observer.json('museum/shed3');
  });

  afterAll(() => site.close());

  it('publishes one JSON object with all keys, complete from the first, null where the plug has not said it', async () => {
    const state = await site.observer.json('museum/shed3', ({ state }) => state === 'OFF');
    expect(state).toEqual({
      state: 'OFF',
      power: 0,
      voltage: expect.closeTo(230, -1),
      current: 0,
      energy: 0,
      energy_boot: 0,
      energy_today: 0,
      energy_yesterday: null,
      energy_month: 0,
      energy_last_month: null,
      lamp_check: null,
      led: 'ON',
      rssi: -52,
      on_since: null,
      cloud: 'OFF',
      changed_by: null,
      problem: null,
      last_seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it('publishes each value on a topic of its own, as a plain number', async () => {
    expect((await site.observer.message('museum/shed3/state')).payload).toBe('OFF');
    expect((await site.observer.message('museum/shed3/power')).payload).toBe('0');
    expect(Number((await site.observer.message('museum/shed3/voltage', Boolean)).payload)).toBeCloseTo(
      230,
      -1,
    );
    expect((await site.observer.message('museum/shed3/availability')).payload).toBe('online');
  });

  it('publishes plugs of several levels below their places', async () => {
    expect((await site.observer.message('museum/barn/loft/state')).payload).toBe('OFF');
    expect(await site.observer.json('museum/barn', ({ state }) => state === 'OFF')).toMatchObject({
      total: 1,
      off: 1,
    });
  });

  it.each([
    ['ON', 'ON'],
    ['off', 'OFF'],
    ['1', 'ON'],
    ['0', 'OFF'],
    ['true', 'ON'],
    ['False', 'OFF'],
    ['toggle', 'ON'],
    ['Toggle', 'OFF'],
    ['{"state":"on"}', 'ON'],
    ['{"state":false}', 'OFF'],
    ['"ON"', 'ON'],
    [' off\n', 'OFF'],
  ])('understands %j on set, and confirms %s by what the plug reports', async (payload, wanted) => {
    const after = await site.observer.say('museum/shed3/set', payload);
    const receipt = await site.observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({
      id: null,
      target: 'museum/shed3',
      wanted,
      outcome: 'confirmed',
      confirmed: 1,
      total: 1,
    });
    expect(receipt.ms).toEqual(expect.any(Number));
    expect(site.plug('shed3').device.relay).toBe(wanted === 'ON');
    expect(site.observer.latest('museum/shed3/state')).toBe(wanted);
  });

  it('says who switched: a client of MQTT, or the button of the plug', async () => {
    const after = await site.observer.say('museum/shed3/set', 'ON');
    await site.observer.json(
      'museum/shed3',
      ({ state, changed_by }) => state === 'ON' && changed_by === 'mqtt',
      after,
    );
    site.plug('shed3').device.press();
    await site.observer.json(
      'museum/shed3',
      ({ state, changed_by }) => state === 'OFF' && changed_by === 'plug',
      after,
    );
  });

  it('switches the LED alone, and echoes the id', async () => {
    const after = await site.observer.say('museum/shed3/set', '{"led":"OFF","id":"x1"}');
    const receipt = await site.observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({ id: 'x1', wanted: null, led: 'OFF', outcome: 'confirmed' });
    expect(site.plug('shed3').device.led).toBe(false);
    await site.observer.message('museum/shed3/led', (payload) => payload === 'OFF', after);
  });

  it.each([
    ['BLINK', /not a command/],
    ['', /an empty message is not a command/],
    ['{"state":"MAYBE"}', /"state" must be ON, OFF or TOGGLE/],
    ['{"state":"ON","colour":"red"}', /"colour" is not part of a command/],
    ['{"state":"ON","ttl":"soon"}', /"ttl" must be a duration/],
    ['{}', /needs "state", "brightness"/],
    ['[]', /not a command/],
    ['null', /not a command/],
    ['x'.repeat(5000), /5000 bytes are too many/],
  ])('refuses %j with a receipt that says why', async (payload, reason) => {
    const relay = site.plug('shed3').device.relay;
    const after = await site.observer.say('museum/shed3/set', payload);
    const receipt = await site.observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(reason) });
    expect(site.plug('shed3').device.relay).toBe(relay);
  });

  it('keeps the id of a command that it refuses', async () => {
    const after = await site.observer.say('museum/shed3/set', '{"id":"x2","state":"SIDEWAYS"}');
    expect(await site.observer.json('museum/shed3/result', () => true, after)).toMatchObject({
      id: 'x2',
      outcome: 'refused',
    });
  });

  it('refuses a command to a plug that there is not', async () => {
    const after = await site.observer.say('museum/shed99/set', 'ON');
    const receipt = await site.observer.json('museum/shed99/result', () => true, after);
    expect(receipt).toMatchObject({ outcome: 'refused', reason: 'there is no plug or place shed99' });
  });

  it('reads the plug at once on get, and publishes its state even if it is the same', async () => {
    const queries: unknown[] = [];
    site.plug('barn/loft').server.onQuery = (query) => queries.push(query);
    const after = await site.observer.say('museum/barn/loft/get', '');
    await site.observer.json('museum/barn/loft', () => true, after);
    expect(queries.length).toBeGreaterThan(0);
  });

  it('never has two exchanges with one plug under way, and sets and confirms in one', async () => {
    const queries: unknown[] = [];
    const { server } = site.plug('shed3');
    server.onQuery = (query) => queries.push(query);
    const after = await site.observer.say('museum/shed3/set', 'ON');
    await site.observer.json('museum/shed3/result', () => true, after);
    expect(queries).toContainEqual({
      system: { set_relay_state: { state: 1 }, get_sysinfo: {} },
      emeter: { get_realtime: {} },
    });
    expect(server.connections).toBe(1);
  });

  it('tells how the bridge is set up, without secrets', async () => {
    expect(await site.observer.json('museum/bridge/info')).toMatchObject({
      name: 'hs110-mqtt',
      base_topic: 'museum',
      plugs: 2,
    });
    expect((await site.observer.message('museum/bridge/state')).payload).toBe('online');
  });

  it('says by itself that it is offline when it stops, and leaves no connection behind', async () => {
    const after = site.observer.seen.length;
    await site.bridge.stop();
    expect((await site.observer.message('museum/bridge/state', () => true, after)).payload).toBe('offline');
    expect(site.observer.latest('museum/shed3/availability')).toBe('offline');
    await until(() => site.plug('shed3').server.connections === 0, 'the plug to be let go');
    await site.startBridge();
    await site.observer.message('museum/shed3/availability', (payload) => payload === 'online', after);
  });
});
