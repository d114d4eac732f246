import { describe, expect, it } from 'vitest';
import { FakeShell, type FakeShellOptions } from '../support/fake-shell.ts';

const MUSEUM = `mqtt:
  url: mqtt://bridge:hush@127.0.0.1
poll:
  interval: 1s
plugs:
  - path: shed3
    host: 192.168.1.145
  - path: east-wing/hall/lamp
    mac: 50:C7:BF:00:00:01
`;

async function run(argv: readonly string[], options: FakeShellOptions = {}) {
  const shell = new FakeShell({ files: { 'museum.yaml': MUSEUM }, ...options });
  const code = await shell.run('config', ...argv);
  return { code, output: shell.output, errors: shell.errors };
}

describe('config check', () => {
  it('says that all is well, and how many plugs and places there are', async () => {
    expect(await run(['check', 'museum.yaml'])).toEqual({
      code: 0,
      output: 'museum.yaml: ok, 2 plugs in 3 places',
      errors: '',
    });
  });

  it('says everything that is wrong at once, each with its place, and ends with 2', async () => {
    const text = 'poll:\n  intervall: 1s\nmqtt:\n  output: xml\nplugs:\n  - host: 192.168.1.145\n';
    const env = { HS110_MQTT_POLL_INTERVALL: '1s' };
    const { code, output, errors } = await run(['check', 'museum.yaml'], {
      files: { 'museum.yaml': text },
      env,
    });
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toContain('museum.yaml:2:3: there is no option intervall in poll; did you mean interval?');
    expect(errors).toContain('museum.yaml:4:3: mqtt.output must be one of json, flat, both; it is "xml"');
    expect(errors).toContain('plugs[0].path is missing');
    expect(errors).toContain(
      'HS110_MQTT_POLL_INTERVALL is no option; did you mean HS110_MQTT_POLL_INTERVAL?',
    );
  });

  it('ends with 2 when the file is not there', async () => {
    const { code, errors } = await run(['check', 'nowhere.yaml']);
    expect(code).toBe(2);
    expect(errors).toContain('the configuration file nowhere.yaml cannot be read');
  });

  it.each([
    ['--config', ['--config', 'museum.yaml', 'check'], {}],
    ['--config after the verb', ['check', '--config', 'museum.yaml'], {}],
    ['a variable', ['check'], { env: { HS110_MQTT_CONFIG: 'museum.yaml' } }],
    ['nothing, when it has the usual name', ['check'], { files: { 'config/default.yaml': MUSEUM } }],
  ])('takes the file that is named by %s', async (_, argv, options) => {
    expect((await run(argv, options)).output).toMatch(/yaml: ok, 2 plugs in 3 places$/);
  });

  it('checks defaults, environment and flags where there is no file', async () => {
    expect((await run(['check'])).output).toBe(
      'no file, but defaults, environment and flags: ok, 0 plugs in 0 places',
    );
    const wrong = await run(['check', '--poll-interval', 'soon']);
    expect(wrong.code).toBe(2);
    expect(wrong.errors).toContain('--poll-interval: poll.interval must be a duration');
  });
});

describe('config print', () => {
  it('shows what is in force and where it came from, without passwords', async () => {
    const env = { HS110_MQTT_MQTT_PASSWORD: 'hush', HS110_MQTT_COMMAND_TTL: '5s' };
    const { code, output } = await run(['print', 'museum.yaml', '--mqtt-base-topic', 'hall'], { env });
    expect(code).toBe(0);
    const rows = output.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual(['OPTION', 'VALUE', 'FROM']);
    for (const row of [
      ['mqtt.url', 'mqtt://bridge:***@127.0.0.1', 'museum.yaml:2:3'],
      ['mqtt.password', '***', 'environment: HS110_MQTT_MQTT_PASSWORD'],
      ['mqtt.baseTopic', 'hall', '--mqtt-base-topic'],
      ['command.ttl', '5s', 'environment: HS110_MQTT_COMMAND_TTL'],
      ['poll.interval', '1s', 'museum.yaml:4:3'],
      ['poll.timeout', '5s', 'default'],
      ['plugs[1].path', 'east-wing/hall/lamp', 'museum.yaml:8:5'],
    ]) {
      expect(rows).toContainEqual(row);
    }
    expect(output).not.toContain('hush');
  });

  it('shows the same to scripts', async () => {
    const { output } = await run(['print', 'museum.yaml', '--json']);
    expect(JSON.parse(output)).toContainEqual({
      name: 'poll.interval',
      value: '1s',
      source: 'file',
      at: 'museum.yaml:4:3',
    });
  });

  it('ends with 2 and the problems when something is wrong', async () => {
    const { code, errors } = await run(['print', 'museum.yaml', '--poll-interval', 'soon']);
    expect(code).toBe(2);
    expect(errors).toContain('--poll-interval');
  });
});

describe('config', () => {
  it('prints a JSON Schema', async () => {
    const { code, output } = await run(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ type: ['object', 'null'], additionalProperties: false });
  });

  it('alone, or with a verb it does not have, says what there is and ends with 2', async () => {
    expect(await run([])).toMatchObject({ code: 2, errors: expect.stringContaining('check [file]') });
    expect((await run(['chekc'])).code).toBe(2);
  });

  it('does not show the verb that makes the documentation', async () => {
    expect((await run(['--help'])).output).not.toContain('docs');
  });
});
