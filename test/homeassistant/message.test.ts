import { describe, expect, it } from 'vitest';
import {
  announcementsOf,
  type Device,
  goneSince,
  textOfComponents,
} from '../../src/homeassistant/message.ts';

const ORIGIN = { name: 'hs110-mqtt', sw_version: '1.2.3', support_url: 'https://hs110.example' };
const DEVICE: Device = {
  id: 'hs110mqtt_1',
  description: { identifiers: ['hs110mqtt_1'], name: 'Lamp' },
  shared: { availability: [{ topic: 'museum/bridge/state' }] },
  components: [
    { key: 'relay', platform: 'switch', options: { unique_id: 'hs110mqtt_1_relay' } },
    { key: 'problem', platform: 'binary_sensor', options: { availability: [{ topic: 'other' }] } },
  ],
};

const told = (form: 'device' | 'single' | 'off', gone: Parameters<typeof announcementsOf>[1] = []) =>
  announcementsOf(DEVICE, gone, { prefix: 'ha', form, origin: ORIGIN }).map(({ topic, payload }) => [
    topic,
    payload === '' ? '' : JSON.parse(payload),
  ]);

describe('an announcement', () => {
  it('is one message for a device with all its entities', () => {
    expect(told('device')).toEqual([
      [
        'ha/device/hs110mqtt_1/config',
        {
          device: DEVICE.description,
          origin: ORIGIN,
          ...DEVICE.shared,
          components: {
            relay: { platform: 'switch', unique_id: 'hs110mqtt_1_relay' },
            problem: { platform: 'binary_sensor', availability: [{ topic: 'other' }] },
          },
        },
      ],
    ]);
  });

  it('is one message for each entity, with the same keys, so that it can be migrated', () => {
    const all = { device: DEVICE.description, origin: ORIGIN };
    expect(told('single')).toEqual([
      ['ha/switch/hs110mqtt_1/relay/config', { unique_id: 'hs110mqtt_1_relay', ...DEVICE.shared, ...all }],
      ['ha/binary_sensor/hs110mqtt_1/problem/config', { availability: [{ topic: 'other' }], ...all }],
    ]);
  });

  it('is none where nothing is to be announced', () => {
    expect(told('off', [{ platform: 'switch', key: 'relay' }])).toEqual([]);
  });

  it('withdraws an entity that is gone once: by its platform alone, or on its topic', () => {
    const gone = [{ platform: 'button', key: 'restart' }] as const;
    const [[, first], [, second]] = told('device', gone) as [[string, Device], [string, Device]];
    expect(first.components).toMatchObject({ relay: {}, restart: { platform: 'button' } });
    expect(second.components).not.toHaveProperty('restart');
    expect(told('single', gone)[0]).toEqual(['ha/button/hs110mqtt_1/restart/config', '']);
  });
});

describe('the entities of a device', () => {
  it('are remembered as a text, by which it is known which of them are gone', () => {
    const text = textOfComponents(DEVICE.components);
    expect(text).toBe('switch/relay binary_sensor/problem');
    expect(goneSince(text, DEVICE.components)).toEqual([]);
    expect(goneSince(`${text} button/restart light/relay`, DEVICE.components)).toEqual([
      { platform: 'button', key: 'restart' },
      { platform: 'light', key: 'relay' },
    ]);
  });

  it('are none in what cannot be read', () => {
    for (const text of ['', 'x', 'toString/x', ' / ']) expect(goneSince(text, [])).toEqual([]);
  });
});
