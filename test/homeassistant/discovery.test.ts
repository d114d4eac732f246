import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlugInfo } from '../../src/bridge/plug-state.ts';
import {
  type Announcement,
  announceBridge,
  announcePlug,
  type DiscoveryOptions,
  type Naming,
} from '../../src/homeassistant/discovery.ts';
import { FLAT_VALUES, Topics } from '../../src/mqtt/topics.ts';

const INFO: PlugInfo = {
  outlet: null,
  mac: '50:C7:BF:12:34:AB',
  alias: 'Reading lamp',
  model: 'HS110(EU)',
  hardware: '2.0',
  firmware: '1.5.4',
  hasMeter: true,
};
const NAMING: Naming = { path: 'east/lamp', name: undefined, area: undefined };
const ID = 'hs110mqtt_50c7bf1234ab';
const OPTIONS: DiscoveryOptions = {
  topics: new Topics('museum'),
  prefix: 'homeassistant',
  form: 'device',
  origin: { name: 'hs110-mqtt', sw_version: '1.2.3' },
  json: true,
};

type Fields = { readonly [key: string]: unknown };

/** What Home Assistant takes; in these places it drops a message for one unknown key. */
const DEVICE_KEYS = new Set(
  'identifiers connections name manufacturer model model_id hw_version sw_version serial_number suggested_area via_device configuration_url'.split(
    ' ',
  ),
);
const ORIGIN_KEYS = new Set(['name', 'sw_version', 'support_url']);
const ROOT_KEYS = new Set(
  'device origin components availability availability_mode state_topic command_topic qos encoding'.split(' '),
);

const COMMON = 'unique_id name icon entity_category enabled_by_default qos device_class';
const PLATFORM_KEYS: { readonly [platform: string]: string } = {
  switch: `${COMMON} command_topic state_topic value_template payload_on payload_off state_on state_off`,
  sensor: `${COMMON} state_topic value_template unit_of_measurement state_class suggested_display_precision`,
  binary_sensor: `${COMMON} state_topic value_template payload_on payload_off`,
  button: `${COMMON} command_topic payload_press`,
};

/** Units and state classes that Home Assistant takes with a class of sensor. */
const SENSORS: {
  readonly [deviceClass: string]: readonly [unit: string | undefined, state: string | undefined];
} = {
  power: ['W', 'measurement'],
  voltage: ['V', 'measurement'],
  current: ['A', 'measurement'],
  energy: ['kWh', 'total_increasing'],
  signal_strength: ['dBm', 'measurement'],
  timestamp: [undefined, undefined],
};

const announced = (options: Partial<DiscoveryOptions> = {}, info = INFO, naming = NAMING): Announcement[] =>
  announcePlug(naming, info, { ...OPTIONS, ...options });

/** The one message of the device form. */
function deviceOf(
  announcements: readonly Announcement[],
): Fields & { device: Fields; components: { [key: string]: Fields } } {
  expect(announcements).toHaveLength(1);
  return JSON.parse(announcements[0]?.payload ?? '');
}

describe('a plug announced as a device', () => {
  it('is announced on one topic, made of its MAC', () => {
    expect(announced().map(({ topic }) => topic)).toEqual([`homeassistant/device/${ID}/config`]);
    expect(announced({ prefix: 'ha' })[0]?.topic).toBe(`ha/device/${ID}/config`);
  });

  it('has no key that Home Assistant does not know, where it is strict', () => {
    const { device, origin, ...root } = deviceOf(
      announced({}, INFO, { ...NAMING, name: 'Lamp', area: 'East' }),
    );
    expect(Object.keys(device).filter((key) => !DEVICE_KEYS.has(key))).toEqual([]);
    expect(Object.keys(origin ?? {}).filter((key) => !ORIGIN_KEYS.has(key))).toEqual([]);
    expect(Object.keys(root).filter((key) => !ROOT_KEYS.has(key))).toEqual([]);
    expect(origin).toEqual({ name: 'hs110-mqtt', sw_version: '1.2.3' });
  });

  it('is described by what is known of it', () => {
    expect(deviceOf(announced({}, INFO, { ...NAMING, area: 'East wing' })).device).toEqual({
      identifiers: [ID],
      name: 'Reading lamp',
      manufacturer: 'TP-Link',
      model: 'HS110',
      model_id: 'HS110(EU)',
      hw_version: '2.0',
      sw_version: '1.5.4',
      suggested_area: 'East wing',
      via_device: 'hs110mqtt_bridge_museum',
    });
  });

  it('is described without null where something is not known, which would be an error', () => {
    const bare = { ...INFO, alias: null, model: null, hardware: null, firmware: null };
    expect(deviceOf(announced({}, bare)).device).toEqual({
      identifiers: [ID],
      name: 'Plug 34AB',
      manufacturer: 'TP-Link',
      via_device: 'hs110mqtt_bridge_museum',
    });
  });

  it.each([
    ['Lamp by the door', 'Reading lamp', 'Lamp by the door'],
    [undefined, 'Reading lamp', 'Reading lamp'],
    [undefined, '', 'HS110 34AB'],
    [undefined, null, 'HS110 34AB'],
  ])('is called, configured as %j and by itself %j: %s', (name, alias, called) => {
    expect(deviceOf(announced({}, { ...INFO, alias }, { ...NAMING, name })).device.name).toBe(called);
  });

  it('is available when both the bridge and the plug are', () => {
    expect(deviceOf(announced())).toMatchObject({
      availability: [{ topic: 'museum/bridge/state' }, { topic: 'museum/east/lamp/availability' }],
      availability_mode: 'all',
    });
  });

  it('is not announced before its MAC is known, nor where nothing is to be', () => {
    expect(announced({}, { ...INFO, mac: null })).toEqual([]);
    expect(announced({ form: 'off' })).toEqual([]);
    expect(announceBridge({ ...OPTIONS, form: 'off' })).toEqual([]);
  });

  it('keeps its ids when its name, path and firmware change', () => {
    const ids = (...of: Parameters<typeof announced>) =>
      Object.values(deviceOf(announced(...of)).components).map(({ unique_id }) => unique_id);
    const other = { ...INFO, alias: 'Other', firmware: '9', model: 'HS110(UK)' };
    expect(ids({}, other, { path: 'desk', name: 'Desk', area: 'x' })).toEqual(ids());
  });
});

describe('the entities of a plug', () => {
  const { components } = deviceOf(announced());

  it('are these, and those of the meter only where there is one', () => {
    expect(Object.keys(components)).toEqual([
      'relay',
      'power',
      'voltage',
      'current',
      'energy',
      'energy_today',
      'energy_month',
      'led',
      'rssi',
      'on_since',
      'cloud',
      'restart',
    ]);
    expect(Object.keys(deviceOf(announced({}, { ...INFO, hasMeter: false })).components)).toEqual([
      'relay',
      'led',
      'rssi',
      'on_since',
      'cloud',
      'restart',
    ]);
  });

  it.each(Object.entries(components))(
    'have each what its platform needs, and nothing else: %s',
    (key, entity) => {
      const known = new Set(['platform', ...(PLATFORM_KEYS[String(entity.platform)] ?? '').split(' ')]);
      expect(Object.keys(entity).filter((option) => !known.has(option))).toEqual([]);
      expect(entity).toMatchObject({ unique_id: `${ID}_${key}`, qos: 1 });
      if (entity.platform !== 'button') expect(entity.state_topic).toBe('museum/east/lamp');
      if (entity.platform === 'switch') expect(entity.command_topic).toBe('museum/east/lamp/set');
      expect(entity).not.toHaveProperty('retain');
    },
  );

  it.each(Object.entries(components).filter(([, { platform }]) => platform === 'sensor'))(
    'that are sensors have the unit and the state class that go with their class: %s',
    (_, entity) => {
      const [unit, state] = SENSORS[String(entity.device_class)] ?? ['none of these', ''];
      expect(entity.unit_of_measurement).toBe(unit);
      expect(entity.state_class).toBe(state);
    },
  );

  it('never have the category config where they only show something', () => {
    const wrong = Object.values(components).filter(
      ({ platform, entity_category }) => String(platform).endsWith('sensor') && entity_category === 'config',
    );
    expect(wrong).toEqual([]);
  });

  it('have names that differ, begin with a capital, and do not repeat the device; the relay is the device', () => {
    const names = Object.values(components).map(({ name }) => name);
    expect(components.relay?.name).toBeNull();
    expect(names.filter((name) => name === null)).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) if (name !== null) expect(name).toMatch(/^[A-Z](?!.*(?:Reading|lamp|HS110))/);
  });

  it('read values that are published, from the JSON or each from its own topic', () => {
    const flat = deviceOf(announced({ json: false })).components;
    for (const [key, entity] of Object.entries(components)) {
      if (key === 'restart') continue;
      const value = /^\{\{ value_json\.(\w+) \}\}$/.exec(String(entity.value_template))?.[1];
      expect(FLAT_VALUES).toContain(value);
      expect(flat[key]).toMatchObject({ state_topic: `museum/east/lamp/${value}` });
      expect(flat[key]).not.toHaveProperty('value_template');
    }
  });

  it('send what the bridge understands', () => {
    expect(components.led).toMatchObject({
      payload_on: '{"led":"ON"}',
      payload_off: '{"led":"OFF"}',
      state_on: 'ON',
      state_off: 'OFF',
    });
    expect(components.relay).not.toHaveProperty('payload_on');
    expect(components.restart).toMatchObject({ command_topic: 'museum/bridge/request/plug/command' });
    expect(JSON.parse(String(components.restart?.payload_press))).toEqual({
      plug: 'east/lamp',
      command: 'reboot',
    });
  });
});

describe('a plug announced entity by entity', () => {
  const singles = announced({ form: 'single' });

  it('has the same entities, ids and options as in one message, so that it can be migrated', () => {
    const whole = deviceOf(announced());
    expect(singles).toHaveLength(Object.keys(whole.components).length);
    for (const [key, { platform, ...options }] of Object.entries(whole.components)) {
      const single = singles.find(({ topic }) => topic === `homeassistant/${platform}/${ID}/${key}/config`);
      const { device, origin, availability, availability_mode, ...rest } = JSON.parse(
        single?.payload ?? '{}',
      );
      expect(rest).toEqual(options);
      expect({ device, origin, availability, availability_mode }).toEqual({
        device: whole.device,
        origin: whole.origin,
        availability: whole.availability,
        availability_mode: whole.availability_mode,
      });
    }
  });
});

describe('the bridge', () => {
  it('is a device of its own, whose connection has no availability', () => {
    const [only] = announceBridge(OPTIONS);
    expect(only?.topic).toBe('homeassistant/device/hs110mqtt_bridge_museum/config');
    expect(JSON.parse(only?.payload ?? '')).toEqual({
      device: {
        identifiers: ['hs110mqtt_bridge_museum'],
        name: 'hs110-mqtt museum',
        manufacturer: 'hs110-mqtt',
        model: 'MQTT bridge',
        sw_version: '1.2.3',
      },
      origin: OPTIONS.origin,
      components: {
        connection: {
          platform: 'binary_sensor',
          unique_id: 'hs110mqtt_bridge_museum_connection',
          name: 'Connection',
          device_class: 'connectivity',
          entity_category: 'diagnostic',
          state_topic: 'museum/bridge/state',
          payload_on: 'online',
          payload_off: 'offline',
        },
      },
    });
    expect(announceBridge({ ...OPTIONS, form: 'single' }).map(({ topic }) => topic)).toEqual([
      'homeassistant/binary_sensor/hs110mqtt_bridge_museum/connection/config',
    ]);
  });
});

describe('what is announced', () => {
  it('parses, and has topics that Home Assistant takes, whatever people call their plugs', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: null });
    const form = fc.constantFrom('device' as const, 'single' as const);
    fc.assert(
      fc.property(text, text, text, form, (alias, model, firmware, as) => {
        const announcements = [
          ...announced({ form: as }, { ...INFO, alias, model, firmware }),
          ...announceBridge({ ...OPTIONS, form: as, topics: new Topics('a b/Ü') }),
        ];
        for (const { topic, payload } of announcements) {
          expect(topic).toMatch(/^homeassistant(\/[a-zA-Z0-9_-]+){2,3}\/config$/);
          const { device } = JSON.parse(payload);
          expect(Object.values(device).filter((value) => value === null || value === '')).toEqual([]);
        }
      }),
    );
  });
});
