import { describe, expect, it } from 'vitest';
import { type ExplainedOption, explainConfig } from '../../src/config/explain.ts';
import { leaves } from '../../src/config/option.ts';
import { SCHEMA } from '../../src/config/schema.ts';
import type { Sources } from '../../src/config/written.ts';
import { ConfigError } from '../../src/errors.ts';

interface Given {
  readonly text?: string;
  readonly env?: { readonly [name: string]: string };
  readonly flags?: { readonly [name: string]: string };
}

function explain({ text = '', env = {}, flags = {} }: Given): Map<string, ExplainedOption> {
  const sources: Sources = {
    file: { name: 'museum.yaml', text },
    env,
    flags: new Map(Object.entries(flags)),
    readFile: () => 'hush\n',
  };
  return new Map(explainConfig(sources).map((option) => [option.name, option]));
}

describe('the options in force', () => {
  it('are all there, in the order of the schema, when nobody has set any', () => {
    const options = [...explain({}).values()];
    expect(options.map(({ name }) => name)).toEqual([...leaves(SCHEMA)].map(([name]) => name));
    expect(new Set(options.map(({ source }) => source))).toEqual(new Set(['default']));
    expect(options).toContainEqual({ name: 'poll.interval', value: '5s', source: 'default', at: '' });
    expect(options).toContainEqual({ name: 'mqtt.username', value: null, source: 'default', at: '' });
  });

  it('come from the file, unless a variable says otherwise, unless a flag does', () => {
    const text = 'poll:\n  interval: 1s\n';
    const env = { HS110_MQTT_POLL_INTERVAL: '2s' };
    const flags = { 'poll.interval': '3s' };
    expect(explain({ text }).get('poll.interval')).toMatchObject({
      value: '1s',
      source: 'file',
      at: 'museum.yaml:2:3',
    });
    expect(explain({ text, env }).get('poll.interval')).toMatchObject({
      value: '2s',
      source: 'environment',
      at: 'HS110_MQTT_POLL_INTERVAL',
    });
    expect(explain({ text, env, flags }).get('poll.interval')).toMatchObject({
      value: '3s',
      source: 'flag',
      at: '--poll-interval',
    });
  });

  it('are the defaults where the file has nothing but the key', () => {
    expect(explain({ text: 'poll:\n  interval:\n' }).get('poll.interval')).toMatchObject({
      value: '5s',
      source: 'default',
    });
  });

  it('come from no variable that is empty', () => {
    const env = { HS110_MQTT_POLL_INTERVAL: '', HS110_MQTT_MQTT_PASSWORD_FILE: '' };
    expect(explain({ text: 'poll:\n  interval: 1s\n', env }).get('poll.interval')).toMatchObject({
      value: '1s',
      source: 'file',
    });
    expect(explain({ env }).get('mqtt.password')).toMatchObject({ value: null, source: 'default' });
  });

  it('are shown by their present name, with the place of the former one', () => {
    expect(explain({ flags: { 'clock.keep': 'true' } }).get('clock.sync')).toEqual({
      name: 'clock.sync',
      value: 'true',
      source: 'flag',
      at: '--clock-keep',
    });
  });

  it.each([
    ['the file', { text: 'mqtt:\n  password: hush\n' }, 'museum.yaml:2:3'],
    ['a variable', { env: { HS110_MQTT_MQTT_PASSWORD: 'hush' } }, 'HS110_MQTT_MQTT_PASSWORD'],
    [
      'a file that a variable names',
      { env: { HS110_MQTT_MQTT_PASSWORD_FILE: '/run/secret' } },
      'HS110_MQTT_MQTT_PASSWORD_FILE',
    ],
  ])('do not show a secret from %s', (_, given, at) => {
    expect(explain(given).get('mqtt.password')).toMatchObject({ value: '***', at });
  });

  it.each([
    ['alone', 'mqtt://bridge:hush@broker.example', 'mqtt://bridge:***@broker.example'],
    ['with an @ in it', 'mqtt://bridge:hu@sh@broker.example', 'mqtt://bridge:***@broker.example'],
    ['without a name', 'mqtt://:hush@broker.example', 'mqtt://:***@broker.example'],
  ])('do not show the password in the address of a broker, %s', (_, url, masked) => {
    expect(explain({ text: `mqtt:\n  url: ${url}\n` }).get('mqtt.url')?.value).toBe(masked);
    const list = `mqtt:\n  url:\n    - mqtt://127.0.0.1\n    - ${url}\n`;
    expect(explain({ text: list }).get('mqtt.url')?.value).toEqual(['mqtt://127.0.0.1', masked]);
  });

  it('do not show a password with a comma in it', () => {
    const text = 'mqtt:\n  url:\n    - mqtt://bridge:hu,sh@broker.example\n';
    expect(explain({ text }).get('mqtt.url')?.value).toEqual(['mqtt://bridge:***@broker.example']);
  });

  it('do not show the passwords in addresses that stand side by side', () => {
    const flags = { 'mqtt.url': 'mqtt://a:x@one.example, mqtt://127.0.0.1,mqtt://b:y@two.example' };
    expect(explain({ flags }).get('mqtt.url')?.value).toBe(
      'mqtt://a:***@one.example, mqtt://127.0.0.1,mqtt://b:***@two.example',
    );
  });

  it('are those of plugs and places too, as far as written', () => {
    const text = `plugs:
  - path: East Wing/Lamp 1
    host: 192.168.1.151
    poll: { interval: 1s }
places:
  east-wing:
    stagger: 200ms
`;
    const options = [...explain({ text }).values()].filter(({ name }) => /^pl(ug|ace)s/.test(name));
    expect(options).toEqual([
      { name: 'plugs[0].path', value: 'east-wing/lamp-1', source: 'file', at: 'museum.yaml:2:5' },
      { name: 'plugs[0].host', value: '192.168.1.151', source: 'file', at: 'museum.yaml:3:5' },
      { name: 'plugs[0].poll.interval', value: '1s', source: 'file', at: 'museum.yaml:4:13' },
      { name: 'places.east-wing.stagger', value: '200ms', source: 'file', at: 'museum.yaml:7:5' },
    ]);
  });

  it('are not told while anything is wrong', () => {
    expect(() => explain({ text: 'poll:\n  intervall: 1s\n' })).toThrow(ConfigError);
  });

  it('do not show the password of one plug', () => {
    const text = 'plugs: [{path: lamp, host: h, kasa: {username: me, password: hush}}]\n';
    expect(explain({ text }).get('plugs[0].kasa.password')?.value).toBe('***');
  });
});
