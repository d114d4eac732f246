import { describe, expect, it } from 'vitest';
import { unseen } from '../../src/bridge/plug-state.ts';
import {
  flatPayloads,
  placePayload,
  placeSummary,
  plugValues,
  withoutValues,
} from '../../src/mqtt/payloads.ts';
import { FLAT_VALUES } from '../../src/mqtt/topics.ts';
import { INFO } from '../support/fake-bridge.ts';

describe('the values of a plug', () => {
  const plug = {
    ...unseen('lamp'),
    info: INFO,
    relay: true,
    led: false,
    power: 61.2,
    energy: 0,
    energyBoot: 0.5,
    lamp: 'weak',
    rssi: -54,
    onSince: Date.parse('2026-01-01T07:15:00Z'),
    lastSeen: Date.parse('2026-01-01T12:00:00Z'),
    cloud: { bound: true, connected: true },
    changedBy: 'mqtt',
    problem: 'flapping',
  } as const;

  it('are all there, null where they are unknown', () => {
    expect(plugValues(plug)).toEqual({
      state: 'ON',
      power: 61.2,
      voltage: null,
      current: null,
      energy: 0,
      energy_boot: 0.5,
      energy_today: null,
      energy_yesterday: null,
      energy_month: null,
      energy_last_month: null,
      lamp_check: 'weak',
      led: 'OFF',
      rssi: -54,
      on_since: '2026-01-01T07:15:00.000Z',
      cloud: 'ON',
      changed_by: 'mqtt',
      problem: 'flapping',
      last_seen: '2026-01-01T12:00:00.000Z',
    });
    expect(new Set(Object.values(plugValues(unseen('lamp'))))).toEqual(new Set([null]));
  });

  it('are the same one by one, in the order of their topics, empty where they are unknown', () => {
    const flat = Object.fromEntries(
      flatPayloads(plugValues(plug)).flatMap((text, at) =>
        text === undefined ? [] : [[FLAT_VALUES[at], text]],
      ),
    );
    expect(flat).toEqual({
      state: 'ON',
      power: '61.2',
      voltage: '',
      current: '',
      energy: '0',
      energy_boot: '0.5',
      energy_today: '',
      energy_yesterday: '',
      energy_month: '',
      energy_last_month: '',
      lamp_check: 'weak',
      led: 'OFF',
      rssi: '-54',
      on_since: '2026-01-01T07:15:00.000Z',
      cloud: 'ON',
    });
  });

  it('have a brightness and a colour temperature where it is a lamp that has them', () => {
    const light = { service: 'bulb', kelvin: [2700, 6500], isDimmable: true } as const;
    const bulb = { ...plug, info: { ...INFO, light }, brightness: 40, colorTemp: null };
    expect(plugValues(bulb)).toMatchObject({ brightness: 40, color_temp: null });
    expect(flatPayloads(plugValues(bulb))[FLAT_VALUES.indexOf('brightness')]).toBe('40');
    expect(withoutValues(plugValues(bulb))).toMatchObject({ brightness: null, color_temp: null });
    expect(withoutValues(plugValues(plug))).not.toHaveProperty('brightness');
  });

  it('say nothing of the cloud when the plug did not say whether it is connected', () => {
    expect(plugValues({ ...plug, cloud: { bound: true, connected: undefined } }).cloud).toBeNull();
  });
});

describe('the values of a place', () => {
  it('leave out where it is, which the topic says', () => {
    const place = {
      path: 'east',
      state: null,
      on: 1,
      off: 0,
      unknown: 2,
      total: 3,
      power: null,
      energy: 1.5,
    };
    expect(JSON.parse(placePayload(place))).toEqual({
      kind: 'place',
      state: null,
      on: 1,
      off: 0,
      unknown: 2,
      total: 3,
      power: null,
      energy: 1.5,
    });
  });
});

describe('the summary of a place', () => {
  const place = { path: 'east', on: 0, off: 0, unknown: 0, total: 3, power: null, energy: null };

  it.each([
    ['ON', { state: 'ON', on: 3 }],
    ['ON', { state: 'MIXED', on: 1, off: 2 }],
    ['ON', { state: null, on: 1, unknown: 2 }],
    ['OFF', { state: 'OFF', off: 3 }],
    ['None', { state: null, off: 2, unknown: 1 }],
  ] as const)('is %s of %j', (word, counts) => {
    expect(placeSummary({ ...place, ...counts })).toBe(word);
  });
});
