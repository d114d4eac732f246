import process from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import { FormerForm } from '../../src/homeassistant/former-form.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { Observer } from '../support/observer.ts';
import { Site } from '../support/site.ts';

const DEVICE = 'homeassistant/device/hs110mqtt_50c7bf000001/config';
const RELAY = 'homeassistant/switch/hs110mqtt_50c7bf000001/relay/config';
const LED = 'homeassistant/switch/hs110mqtt_50c7bf000001/led/config';
const ID = 'hs110mqtt_50c7bf000001';

const make = (form: 'device' | 'single' | 'off', remembered: readonly string[] = []) =>
  new FormerForm({ prefix: 'homeassistant', form }, remembered);

const retained = (topic: string, payload = '{}', retain = true) => ({
  topic,
  payload: Buffer.from(payload),
  retain,
  responseTopic: undefined,
  correlationData: undefined,
  packetId: undefined,
  dup: false,
  expiresInMs: undefined,
});

describe('the former form of what was announced', () => {
  it.each([
    ['device', ['homeassistant/+/+/+/config']],
    ['single', ['homeassistant/device/+/config']],
    ['off', ['homeassistant/+/+/+/config', 'homeassistant/device/+/config']],
  ] as const)('is looked for, where the form is %s now, on %j', (form, filters) => {
    expect(make(form).filters).toEqual(filters);
  });

  it('is handed out once, for the device that it belongs to', () => {
    const former = make('device');
    for (const topic of [RELAY, LED]) expect(former.note(retained(topic))).toBe(true);
    expect(former.take('hs110mqtt_50c7bf000002')).toEqual([]);
    expect(former.take(ID)).toEqual([RELAY, LED]);
    expect(former.take(ID)).toEqual([]);
  });

  it('is known from what was remembered, also where the broker has forgotten it', () => {
    const other = 'ha/switch/hs110mqtt_50c7bf000001/relay/config';
    expect(make('device', [DEVICE, RELAY, other]).take(ID)).toEqual([RELAY]);
    expect(make('single', [DEVICE, RELAY]).take(ID)).toEqual([DEVICE]);
    expect(make('off', [DEVICE, RELAY]).take(ID)).toEqual([DEVICE, RELAY]);
  });

  it('is told once, however often it is published', () => {
    const former = make('device');
    expect([former.note(retained(RELAY)), former.note(retained(RELAY))]).toEqual([true, false]);
  });

  it('is not any more what somebody has withdrawn meanwhile', () => {
    const former = make('device', [RELAY, LED]);
    former.note(retained(RELAY, ''));
    expect(former.take(ID)).toEqual([LED]);
  });

  it('is found in either form', () => {
    const former = make('off');
    former.note(retained(DEVICE));
    former.note(retained(RELAY));
    expect(former.take(ID)).toEqual([DEVICE, RELAY]);
  });

  it.each([
    ['of the form that is announced now', retained(DEVICE)],
    ['of somebody else', retained('homeassistant/switch/zigbee_1/relay/config')],
    ['that is not retained', retained(RELAY, '{}', false)],
    ['that is withdrawn already', retained(RELAY, '')],
    ['that is none', retained(`homeassistant/switch/${ID}/relay/state`)],
  ])('is not an announcement %s', (_, incoming) => {
    const former = make('device');
    expect(former.note(incoming)).toBe(false);
    expect(former.take(ID)).toEqual([]);
  });
});

if (noMosquitto !== undefined)
  process.stderr.write(`The test of the migration over MQTT 5 is left out: ${noMosquitto}.\n`);

describe.runIf(noMosquitto === undefined)('the migration of what was announced', () => {
  let mosquitto: Mosquitto;
  let site: Site;
  let observer: Observer;

  afterEach(async () => {
    await site.close();
    await observer.end();
    await mosquitto.stop();
  });

  it('is done once over MQTT 5 too, where one’s own messages come back as retained', async () => {
    mosquitto = await Mosquitto.started();
    observer = await Observer.connect(mosquitto.url, 5);
    site = await Site.open(['lamp'], { mqtt: { url: mosquitto.url } });
    await observer.message(DEVICE);
    await site.bridge.stop();
    const after = observer.seen.length;
    await site.startBridge({ homeassistant: { discovery: 'single' } });
    await observer.message(DEVICE, (payload) => payload === '', after);
    // What would be done again would be done before Home Assistant is answered, a second after its birth.
    const born = await observer.say('homeassistant/status', 'online');
    await observer.message(RELAY, () => true, born);
    const told = observer.seen.slice(after).filter(({ topic }) => topic === DEVICE);
    expect(told.map(({ payload }) => payload)).toEqual(['{"migrate_discovery":true}', '']);
  });
});
