import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Appearance, type AreaRule, Names } from '../../src/bridge/names.ts';
import type { PlugInfo } from '../../src/bridge/plug-state.ts';
import {
  bridgeDevice,
  type DeviceContext,
  placeDevice,
  plugDevice,
  stripDevice,
} from '../../src/homeassistant/devices.ts';
import type { Component, Options } from '../../src/homeassistant/entity.ts';
import { slugOf } from '../../src/homeassistant/entity.ts';
import { PlugIds } from '../../src/homeassistant/ids.ts';
import { announcementsOf, type Device } from '../../src/homeassistant/message.ts';
import { FLAT_VALUES, Topics } from '../../src/mqtt/topics.ts';
import { memoryStore } from '../support/memory-store.ts';

const INFO: PlugInfo = {
  outlet: null,
  mac: '50:C7:BF:12:34:AB',
  alias: 'Reading lamp',
  model: 'HS110(EU)',
  hardware: '2.0',
  firmware: '1.5.4',
  hasMeter: true,
  hasSensors: false,
  light: null,
};
const PATH = 'east/lamp';
const ID = 'hs110mqtt_50c7bf1234ab';
const ORIGIN = { name: 'hs110-mqtt', sw_version: '1.2.3', support_url: 'https://hs110.example' };

interface Site extends Partial<Omit<DeviceContext, 'names'>> {
  readonly plugs?: { readonly [path: string]: Partial<Appearance> };
  readonly places?: { readonly [path: string]: Partial<Appearance> };
  readonly areas?: AreaRule;
}

const written = (of: Site['plugs'] = {}) =>
  new Map(
    Object.entries(of).map(([path, some]) => [
      path,
      { name: undefined, area: undefined, as: undefined, ...some },
    ]),
  );

function context({ plugs, places, areas = 'off', ...more }: Site = {}): DeviceContext {
  const checksLamp = () => false;
  const names = new Names({ site: 'museum', plugs: written(plugs), places: written(places), areas });
  return {
    topics: new Topics('museum'),
    origin: ORIGIN,
    json: true,
    flat: true,
    allow: new Set(),
    names,
    plugIds: new PlugIds(memoryStore()),
    checksLamp,
    as: (path) => names.as(path),
    ...more,
  };
}

function plug(site: Site = {}, info: Partial<PlugInfo> = {}, path = PATH): Device {
  const device = plugDevice(path, { ...INFO, ...info }, context(site));
  if (device === undefined) throw new Error('it is not announced');
  return device;
}

const place = (path: string, members: readonly string[], site: Site = {}) =>
  placeDevice(
    'hs110mqtt_place_museum_east',
    path,
    members.map((member, index) => ({ path: member, id: `hs110mqtt_${index}` })),
    context(site),
  );

const keysOf = ({ components }: Device) => components.map(({ key }) => key);

function entity({ components }: Device, key: string): Options & Pick<Component, 'platform'> {
  const component = components.find((one) => one.key === key);
  if (component === undefined) throw new Error(`there is no ${key}`);
  return { platform: component.platform, ...component.options };
}

/** What Home Assistant takes; in the device map it drops a message for one unknown key. */
const DEVICE_KEYS = new Set(
  'identifiers connections name manufacturer model model_id hw_version sw_version serial_number suggested_area via_device configuration_url'.split(
    ' ',
  ),
);
const COMMON =
  'unique_id default_entity_id name icon entity_category enabled_by_default qos availability json_attributes_topic json_attributes_template';
const PLATFORM_KEYS: { readonly [platform: string]: string } = {
  switch: `device_class command_topic state_topic value_template payload_on payload_off state_on state_off group`,
  light: `command_topic state_topic state_value_template group`,
  sensor: `device_class state_topic value_template unit_of_measurement state_class suggested_display_precision options`,
  binary_sensor: `device_class state_topic value_template payload_on payload_off`,
  button: `device_class command_topic payload_press`,
  number: `device_class command_topic command_template unit_of_measurement min max mode`,
  text: `command_topic command_template state_topic value_template max`,
  select: `command_topic command_template state_topic value_template options`,
  event: `state_topic value_template event_types`,
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
  enum: [undefined, undefined],
};

const EVERYTHING = { allow: new Set(['reboot', 'alias']), checksLamp: () => true };
const LIT: Site = { ...EVERYTHING, plugs: { [PATH]: { as: 'light' } }, places: { east: { as: 'light' } } };

const DEVICES: readonly (readonly [string, Device])[] = [
  ['a plug', plug(EVERYTHING)],
  ['a plug as a light', plug(LIT)],
  ['a plug with flat output', plug({ ...EVERYTHING, json: false, flat: true })],
  ['a place', place('east', [PATH])],
  ['a place of lights', place('east', [PATH], LIT)],
  ['a place with flat output', place('east', [PATH], { json: false, flat: true })],
  ['the bridge', bridgeDevice(context({ allow: new Set(['log/level']) }))],
];

const ENTITIES = DEVICES.flatMap(([name, device]) =>
  device.components.map(({ key }) => [`${key} of ${name}`, entity(device, key), device] as const),
);

describe('a device of any kind', () => {
  it.each(DEVICES)('has no key in its description that Home Assistant does not know: %s', (_, device) => {
    expect(Object.keys(device.description).filter((key) => !DEVICE_KEYS.has(key))).toEqual([]);
  });

  it.each(DEVICES)(
    'has names that differ, begin with a capital and do not repeat its own: %s',
    (_, device) => {
      const names = device.components.map(({ options }) => options.name);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) if (name !== null) expect(name).toMatch(/^[A-Z](?!.*(?:Reading|HS110|East))/);
    },
  );

  it('is called otherwise where an entity of it would repeat its name', () => {
    expect(plug({}, { alias: 'Energy' }).description.name).toBe('Energy plug');
    expect(plug({}, { alias: 'power' }).description.name).toBe('power plug');
    expect(place('east', [], { places: { east: { name: 'All' } } }).description.name).toBe('All place');
  });
});

describe('an entity', () => {
  it.each(ENTITIES)('has what its platform needs, and nothing else: %s', (_, { platform, ...options }) => {
    const known = new Set(`${COMMON} ${PLATFORM_KEYS[platform]}`.split(' '));
    expect(Object.keys(options).filter((option) => !known.has(option))).toEqual([]);
    expect(options.qos).toBe(1);
  });

  it.each(ENTITIES)('has ids made of those of its device, and of its path: %s', (name, options, device) => {
    const key = name.split(' ')[0];
    expect(options.unique_id).toBe(`${device.id}_${key}`);
    expect(options.default_entity_id).toMatch(
      new RegExp(`^${options.platform}\\.[a-z0-9]+(_[a-z0-9]+)*${options.name === null ? '' : `_${key}`}$`),
    );
  });

  it.each(ENTITIES.filter(([, { platform }]) => platform === 'sensor'))(
    'that is a sensor with a class has the unit and the state class that go with it: %s',
    (_, { device_class: deviceClass, unit_of_measurement: unit, state_class: state }) => {
      if (deviceClass === undefined) return;
      expect([unit, state]).toEqual(SENSORS[String(deviceClass)]);
    },
  );

  it.each(ENTITIES.filter(([, { platform }]) => platform.endsWith('sensor')))(
    'that only shows something never has the category config: %s',
    (_, options) => expect(options.entity_category).not.toBe('config'),
  );

  it.each(ENTITIES.filter(([, { state_topic }]) => state_topic !== undefined))(
    'has a template wherever it reads: one that had one before would keep it: %s',
    (_, options) => {
      const { platform, value_template, state_value_template, state_topic } = options;
      if (state_topic === 'museum/bridge/state') return;
      expect(platform === 'light' ? state_value_template : value_template).toMatch(/^\{\{ .* \}\}$/);
    },
  );
});

describe('a plug', () => {
  it('is described by what is known of it, and by its MAC, never by its own id', () => {
    expect(plug({ plugs: { [PATH]: { area: 'East wing' } } }).description).toEqual({
      identifiers: [ID],
      connections: [['mac', '50:c7:bf:12:34:ab']],
      serial_number: '50:C7:BF:12:34:AB',
      name: 'Reading lamp',
      manufacturer: 'TP-Link',
      model: 'HS110(EU)',
      hw_version: '2.0',
      sw_version: '1.5.4',
      suggested_area: 'East wing',
      via_device: 'hs110mqtt_bridge_museum',
    });
  });

  it('that is an outlet does not claim the MAC, by which Home Assistant would merge it with the others', () => {
    const { id, description } = plug({}, { outlet: '01' });
    expect(id).toBe(`${ID}_01`);
    expect(description).not.toHaveProperty('connections');
    expect(description).not.toHaveProperty('serial_number');
  });

  it('that is an outlet is below its strip, which has what the outlets share', () => {
    const outlet = plug({}, { outlet: '01' }, 'desk/2');
    expect(outlet.description).toMatchObject({ via_device: ID });
    expect(keysOf(outlet)).toEqual(expect.arrayContaining(['relay', 'power', 'problem']));
    expect(keysOf(outlet)).not.toContain('led');
    const strip = stripDevice('desk/1', { ...INFO, outlet: '00' }, context());
    expect(strip).toMatchObject({
      id: ID,
      description: {
        identifiers: [ID],
        connections: [['mac', '50:c7:bf:12:34:ab']],
        name: 'Desk strip',
        via_device: 'hs110mqtt_bridge_museum',
      },
    });
    expect(strip && keysOf(strip)).toEqual(['led', 'problem', 'last_seen', 'firmware_risk', 'rssi', 'cloud']);
    const led = strip?.components.find(({ key }) => key === 'led');
    expect(led?.options).toMatchObject({ command_topic: 'museum/desk/1/set' });
  });

  it('is described without null where something is not known, which would be an error', () => {
    expect(plug({}, { alias: null, model: null, hardware: null, firmware: null }).description).toEqual({
      identifiers: [ID],
      connections: [['mac', '50:c7:bf:12:34:ab']],
      serial_number: '50:C7:BF:12:34:AB',
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
    expect(plug({ plugs: { [PATH]: { name } } }, { alias }).description.name).toBe(called);
  });

  it('is in the area of its place, as configured', () => {
    expect(plug({ areas: 'first-level' }).description.suggested_area).toBe('East');
    expect(plug().description).not.toHaveProperty('suggested_area');
  });

  it('is not announced before its MAC is known', () => {
    expect(plugDevice(PATH, { ...INFO, mac: null }, context())).toBeUndefined();
  });

  it('keeps its ids when its name, path and firmware change', () => {
    const ids = ({ components }: Device) => components.map(({ options }) => options.unique_id);
    const other = plug({ plugs: { desk: { name: 'Desk' } } }, { alias: 'Other', firmware: '9' }, 'desk');
    expect(ids(other)).toEqual(ids(plug()));
  });

  it('has these entities, and those of the meter only where there is one', () => {
    const plain = 'on_for led problem last_seen changed_by firmware_risk locked rssi on_since cloud receipt';
    const meter =
      'power voltage current energy energy_today energy_yesterday energy_month energy_last_month energy_boot';
    expect(keysOf(plug())).toEqual(`relay ${meter} ${plain}`.split(' '));
    expect(keysOf(plug({}, { hasMeter: false }))).toEqual(`relay ${plain}`.split(' '));
  });

  it('has a lamp only where one is checked, which is a problem unless it is well, with the reason', () => {
    expect(keysOf(plug())).not.toContain('lamp');
    expect(entity(plug(EVERYTHING), 'lamp')).toMatchObject({
      device_class: 'problem',
      state_topic: 'museum/bridge/plugs/east/lamp',
      value_template:
        "{{ 'OFF' if value_json.lamp_check == 'ok' else 'ON' if value_json.lamp_check else 'None' }}",
      json_attributes_template: "{{ {'reason': value_json.lamp_check} | to_json }}",
    });
  });

  it('has its alias and a restart only where the configuration allows them', () => {
    expect(keysOf(plug(EVERYTHING)).filter((key) => !keysOf(plug()).includes(key))).toEqual([
      'lamp',
      'alias',
      'restart',
    ]);
  });

  it('is a light instead of a switch where the configuration says so', () => {
    expect(keysOf(plug(LIT))[0]).toBe('light');
    expect(keysOf(plug(LIT))).not.toContain('relay');
    expect(entity(plug(LIT), 'light')).toMatchObject({
      platform: 'light',
      name: null,
      state_topic: 'museum/east/lamp/state',
      state_value_template: "{{ value or 'None' }}",
      command_topic: 'museum/east/lamp/set',
    });
    expect(entity(plug({ ...LIT, flat: false }), 'light')).toMatchObject({
      state_topic: 'museum/east/lamp',
      state_value_template: '{{ value_json.state }}',
    });
  });

  it('is available when both the bridge and the plug are, and what is known of it as long as the bridge is', () => {
    const device = plug();
    expect(device.shared).toEqual({
      availability: [{ topic: 'museum/bridge/state' }, { topic: 'museum/east/lamp/availability' }],
      availability_mode: 'all',
    });
    const always = device.components.filter(({ options }) => options.availability !== undefined);
    expect(always.map(({ key }) => key)).toEqual([
      'problem',
      'last_seen',
      'changed_by',
      'firmware_risk',
      'locked',
      'receipt',
    ]);
    for (const { options } of always)
      expect(options.availability).toEqual([{ topic: 'museum/bridge/state' }]);
  });

  it('reads values that are published, from the JSON or each from its own topic', () => {
    const flat = plug({ json: false, flat: true });
    for (const { key, options } of plug().components) {
      if (options.state_topic !== 'museum/east/lamp') continue;
      const value = /value_json\.(\w+)/.exec(String(options.value_template))?.[1];
      expect(FLAT_VALUES).toContain(value);
      expect(entity(flat, key)).toMatchObject({ state_topic: `museum/east/lamp/${value}` });
    }
  });

  it('reads numbers rounded to what is shown, and takes an empty value for unknown', () => {
    const precise = plug().components.filter(({ options }) => 'suggested_display_precision' in options);
    for (const { key, options } of precise) {
      if (options.state_topic !== 'museum/east/lamp') continue;
      const decimals = options.suggested_display_precision;
      expect(options.value_template).toBe(
        `{{ value_json.${key} | round(${decimals}) if value_json.${key} is number else None }}`,
      );
      expect(entity(plug({ json: false, flat: true }), key).value_template).toBe(
        `{{ value | float | round(${decimals}) if value else 'None' }}`,
      );
    }
    expect(entity(plug({ json: false, flat: true }), 'relay').value_template).toBe("{{ value or 'None' }}");
  });

  it('sends what the bridge understands', () => {
    const device = plug(EVERYTHING);
    expect(entity(device, 'led')).toMatchObject({
      payload_on: '{"led":"ON"}',
      payload_off: '{"led":"OFF"}',
      state_on: 'ON',
      state_off: 'OFF',
    });
    expect(entity(device, 'on_for').command_template).toBe('{"state":"ON","for":"{{ value | int }}m"}');
    expect(entity(device, 'restart')).toMatchObject({
      command_topic: 'museum/bridge/request/plug/command',
      payload_press: '{"plug":"east/lamp","command":"reboot"}',
    });
    expect(entity(device, 'alias')).toMatchObject({
      command_topic: 'museum/bridge/request/plug/command',
      command_template: "{{ {'plug': 'east/lamp', 'command': 'alias', 'args': [value]} | to_json }}",
    });
    for (const { options } of device.components) expect(options).not.toHaveProperty('retain');
  });
});

describe('a place', () => {
  it('is a device, available while the bridge is, with a switch, its power, "All off" and its receipts', () => {
    const device = place('east', [PATH], { areas: 'first-level' });
    expect(device.description).toEqual({
      identifiers: ['hs110mqtt_place_museum_east'],
      name: 'East',
      manufacturer: 'hs110-mqtt',
      model: 'Place',
      suggested_area: 'East',
      via_device: 'hs110mqtt_bridge_museum',
    });
    expect(device.shared).toEqual({ availability: [{ topic: 'museum/bridge/state' }] });
    expect(keysOf(device)).toEqual(['relay', 'power', 'energy', 'all_off', 'receipt']);
    expect(entity(device, 'all_off')).toMatchObject({
      platform: 'button',
      command_topic: 'museum/east/set',
      payload_press: 'OFF',
    });
    expect(entity(device, 'receipt')).toMatchObject({
      state_topic: 'museum/east/result',
      event_types: ['confirmed', 'partial', 'failed', 'superseded', 'expired', 'refused'],
      value_template: '{{ dict(value_json, event_type=value_json.outcome) | to_json }}',
    });
  });

  it('that is the whole site is called as is configured', () => {
    const site = place('', [], { places: { '': { name: 'Open-air museum' } } });
    expect(site.description).toMatchObject({ name: 'Open-air museum', model: 'Site' });
    expect(entity(site, 'relay')).toMatchObject({
      default_entity_id: 'switch.museum',
      command_topic: 'museum/set',
    });
  });

  it('reads whether any plug is on, in one word, whatever else is published', () => {
    for (const device of [place('east', []), place('east', [], { json: false, flat: true })])
      expect(entity(device, 'relay')).toMatchObject({
        state_topic: 'museum/bridge/places/east',
        value_template: '{{ value }}',
      });
  });

  it('is a group of those of its plugs that are of its own kind', () => {
    const mixed: Site = { plugs: { 'east/fan': { as: 'switch' } }, places: { east: { as: 'light' } } };
    expect(entity(place('east', [PATH, 'east/fan'], mixed), 'light').group).toEqual(['hs110mqtt_0_light']);
    expect(entity(place('east', [PATH, 'east/fan']), 'relay').group).toEqual([
      'hs110mqtt_0_relay',
      'hs110mqtt_1_relay',
    ]);
    expect(entity(place('east', []), 'relay')).not.toHaveProperty('group');
  });
});

describe('the bridge', () => {
  it('is a device of its own, whose connection is available as soon as anything is known of it', () => {
    const device = bridgeDevice(context());
    expect(device.description).toEqual({
      identifiers: ['hs110mqtt_bridge_museum'],
      name: 'hs110-mqtt museum',
      manufacturer: 'hs110-mqtt',
      model: 'MQTT bridge',
      sw_version: '1.2.3',
    });
    expect(entity(device, 'connection')).toMatchObject({
      state_topic: 'museum/bridge/state',
      availability: [{ topic: 'museum/bridge/state', value_template: "{{ 'online' }}" }],
    });
  });

  it('counts plugs and failed commands, searches, announces again, and has its log level chosen where that is allowed', () => {
    const device = bridgeDevice(context({ allow: new Set(['log/level']) }));
    expect(keysOf(bridgeDevice(context()))).not.toContain('log_level');
    expect(keysOf(device)).toEqual([
      'connection',
      'plugs_online',
      'plugs_offline',
      'failed_commands',
      'search',
      'announce',
      'log_level',
    ]);
    expect(entity(device, 'search').command_topic).toBe('museum/bridge/request/discover');
    expect(entity(device, 'announce').command_topic).toBe('museum/bridge/request/homeassistant/announce');
    expect(entity(device, 'log_level')).toMatchObject({
      command_topic: 'museum/bridge/request/log/level',
      command_template: '{"level":"{{ value }}"}',
      options: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    });
  });
});

describe('what entity ids are made of', () => {
  it.each([
    ['shed3', 'shed3'],
    ['east-wing/lamp-1', 'east_wing_lamp_1'],
    ['east-wing/east-wing-lamp', 'east_wing_lamp'],
    ['east-wing/east-wing-lamp/east-wing-lamp-2', 'east_wing_lamp_2'],
    ['a/a', 'a_a'],
    ['--/_x_', 'x'],
    ['--', 'plug'],
  ])('%s: %s, no word twice', (path, slug) => {
    expect(slugOf(path)).toBe(slug);
  });
});

describe('what is announced', () => {
  it('parses, and has topics that Home Assistant takes, whatever people call their plugs', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: null });
    const form = fc.constantFrom('device' as const, 'single' as const);
    fc.assert(
      fc.property(text, text, text, form, (alias, model, firmware, as) => {
        const options = { prefix: 'homeassistant', form: as, origin: ORIGIN };
        const announcements = [
          ...announcementsOf(plug({}, { alias, model, firmware }), [], options),
          ...announcementsOf(bridgeDevice(context({ topics: new Topics('a b/Ü') })), [], options),
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
