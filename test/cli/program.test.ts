import { describe, expect, it } from 'vitest';
import { FakeShell, type FakeShellOptions } from '../support/fake-shell.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

async function run(argv: readonly string[], options: FakeShellOptions = {}) {
  const shell = new FakeShell(options);
  const code = await shell.run(...argv);
  return { code, output: shell.output, errors: shell.errors };
}

describe('the command line', () => {
  it.each([
    [['discovr'], 'there is no verb "discovr"; did you mean `hs110-mqtt discover`?'],
    [['discovr', '--yaml'], 'there is no verb "discovr"; did you mean `hs110-mqtt discover`?'],
    [['--log-level', 'debug', 'dicsover'], 'did you mean `hs110-mqtt discover`?'],
    [['toggle'], 'there is no verb "toggle"; did you mean `hs110-mqtt plug HOST toggle`?'],
    [['rebot', '192.168.1.145'], 'did you mean `hs110-mqtt plug HOST reboot`?'],
    [['192.168.1.145'], 'there is no verb "192.168.1.145"\n`hs110-mqtt --help` lists all'],
  ])('names the verb that was most likely meant: %j', async (argv, message) => {
    const { code, errors, output } = await run(argv);
    expect(errors).toContain(message);
    expect(output).toBe('');
    expect(code).toBe(2);
  });

  it.each([
    [['--poll-interval', '1s', 'plug', '192.168.1.145', 'info'], '--poll-interval is for the bridge: plug'],
    [['demo', '--config', 'museum.yaml'], '--config is for the bridge: demo does not take it'],
    [['demo', '--mqtt-base-topic', 'zoo'], '--mqtt-base-topic is for the bridge: demo does not take it'],
    [['discover', '--log-level', 'debug'], '--log-level is for the bridge: discover does not take it'],
    [['encode', '--clock-keep', 'true', '{}'], '--clock-keep is for the bridge: encode does not take it'],
  ])('ignores no flag: %j', async (argv, message) => {
    const { code, errors } = await run(argv);
    expect(errors).toContain(message);
    expect(code).toBe(2);
  });

  it('takes the flags of the configuration where they hold', async () => {
    const { code, output } = await run(['config', 'print', '--poll-interval', '1s']);
    expect(output).toMatch(/^poll\.interval +1s +--poll-interval$/m);
    expect(code).toBe(0);
  });

  it('takes one file at a time', async () => {
    const files = { 'a.yaml': '', 'b.yaml': '' };
    expect(await run(['config', 'check', 'a.yaml', '--config', 'b.yaml'], { files })).toMatchObject({
      code: 2,
      errors: 'hs110-mqtt: one file at a time: a.yaml or --config b.yaml',
    });
  });

  it('takes an empty variable for the file as none', async () => {
    const { code, output } = await run(['config', 'check'], { env: { HS110_MQTT_CONFIG: '' } });
    expect(output).toMatch(/^no file, but defaults/);
    expect(code).toBe(0);
  });

  it('lists every verb in its help, and each has a help of its own with an example', async () => {
    const { output } = await run(['--help']);
    const verbs = [...output.matchAll(/^ {2}([a-z][a-z-]*)\b.* {2,}\w/gm)].map(([, verb = '']) => verb);
    for (const verb of [
      'demo',
      'simulate',
      'health',
      'plug',
      'encode',
      'decode',
      'discover',
      'record',
      'config',
    ])
      expect(verbs).toContain(verb);
    for (const verb of verbs.filter((name) => name !== 'help' && name !== 'config'))
      expect((await run([verb, '--help'])).output).toContain(`$ hs110-mqtt ${verb}`);
  });

  it('shows help for the word as for the flag', async () => {
    expect(await run(['help'])).toEqual(await run(['--help']));
    expect(await run(['help', 'plug'])).toEqual(await run(['plug', '--help']));
  });

  it('says its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, output: '0.0.0-test', errors: '' });
  });
});

describe('the demo', () => {
  it('obeys no variable that is meant for a bridge of one’s own', async () => {
    const shell = new FakeShell({
      env: { HS110_MQTT_MQTT_URL: 'mqtt://127.0.0.1:1', HS110_MQTT_MQTT_BASETOPIC: 'zoo' },
    });
    const ended = shell.run(
      'demo',
      '--count',
      '1',
      '--port',
      String(await freePort()),
      '--page-port',
      String(await freePort()),
    );
    await until(() => shell.output.includes('Ctrl-C ends it.'), 'the demo to run');
    expect(shell.output).toContain('museum/');
    expect(shell.output).not.toContain('zoo');
    shell.interrupt();
    expect(await ended).toBe(0);
  });
});
