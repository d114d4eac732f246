import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { until } from '../support/until.ts';

const FOLDER = new URL('../fixtures/', import.meta.url);
const RECORDINGS = readdirSync(FOLDER).filter((file) => file.startsWith('HS'));
const clock = new SystemClock();

/** Runs `simulate` until `use` is done with the plugs that it names. */
async function simulating(
  shell: FakeShell,
  argv: readonly string[],
  use: (plugs: readonly { path: string; host: string }[]) => Promise<void>,
): Promise<void> {
  const running = shell.run('simulate', '--port', '0', ...argv);
  await until(() => shell.printed.length > 1, 'the simulated plugs');
  await use(parse(shell.output).plugs);
  shell.interrupt();
  expect(await running).toBe(0);
}

function clientAt(text: string): PlugClient {
  const [host = '', port] = text.split(':');
  return new PlugClient(new TcpTransport({ host, port: Number(port) }, clock), 5000, undefined);
}

describe('the verb simulate', () => {
  it('plays as many plugs as it is told, and names them for the configuration', async () => {
    const shell = new FakeShell();
    await simulating(shell, ['--count', '2'], async (plugs) => {
      expect(plugs.map(({ path }) => path)).toEqual(['shed1', 'shed2']);
      for (const { host } of plugs) {
        const client = clientAt(host);
        expect((await client.read()).sysinfo.model).toBe('HS110(EU)');
        client.close();
      }
    });
  });

  it.each([
    ['HS100', 'plug', false, 0],
    ['KP125', 'plug', true, 0],
    ['HS200', 'plug', false, 0],
    ['HS300', 'strip', true, 6],
    ['KP303', 'strip', false, 3],
    ['EP40', 'strip', false, 2],
    ['HS220', 'plug', false, 0],
    ['KL130', 'bulb', true, 0],
    ['KL430', 'bulb', true, 0],
  ] as const)('plays a %s', async (model, kind, hasMeter, outlets) => {
    const shell = new FakeShell();
    await simulating(shell, ['--model', model], async ([plug, ...more]) => {
      expect(more).toEqual([]);
      const client = clientAt(plug?.host ?? '');
      const { sysinfo } = await client.read();
      expect(sysinfo).toMatchObject({ kind, hasMeter });
      expect([sysinfo.model?.startsWith(model), sysinfo.outlets.length]).toEqual([true, outlets]);
      client.close();
    });
  });

  it.each([['--klap'], ['--klap', '1']])('speaks KLAP with %s, and names the account', async (...klap) => {
    const shell = new FakeShell();
    const login = ['--username', 'me@museum.example', '--password', 'secret'];
    await simulating(
      shell,
      ['--model', 'HS300', ...klap.filter(Boolean), ...login, '--discovery-port', '0'],
      async ([plug]) => {
        const { kasa } = parse(shell.output);
        const asked = new FakeShell({
          env: { HS110_MQTT_KASA_USERNAME: kasa.username, HS110_MQTT_KASA_PASSWORD: kasa.password },
        });
        expect(await asked.run('plug', plug?.host ?? '', 'info')).toBe(0);
        expect(asked.output).toContain('HS300');
        const refused = new FakeShell();
        expect(await refused.run('plug', plug?.host ?? '', 'info')).toBe(1);
        expect(refused.errors).toContain('HS110_MQTT_KASA_USERNAME');
      },
    );
  });

  it.each(RECORDINGS)('plays %s', async (file) => {
    const text = readFileSync(new URL(encodeURIComponent(file), FOLDER), 'utf8');
    const shell = new FakeShell({ files: { [file]: text } });
    await simulating(shell, ['--from', file], async ([plug]) => {
      const client = clientAt(plug?.host ?? '');
      const { sysinfo } = await client.read();
      expect(`${sysinfo.model}_${sysinfo.hardware}_${sysinfo.firmware?.split(' ')[0]}.json`).toBe(file);
      client.close();
    });
  });

  it('plays what record has written, so that it can be recorded again', async () => {
    const shell = new FakeShell();
    await simulating(shell, ['--count', '1'], async ([plug]) => {
      expect(await shell.run('record', plug?.host ?? '', '--output', 'first.json')).toBe(0);
    });
    const again = new FakeShell({ files: { 'first.json': shell.readFile('first.json') } });
    await simulating(again, ['--from', 'first.json'], async ([plug]) => {
      expect(plug?.path).toBe('plug');
      expect(await again.run('record', plug?.host ?? '', '--output', 'second.json')).toBe(0);
    });
    expect(JSON.parse(again.readFile('second.json'))).toEqual(JSON.parse(shell.readFile('first.json')));
  });

  it.each([
    ['a file that is not there', {}, 'no such file'],
    ['what is not JSON', { 'plug.json': 'plugs:' }, 'plug.json is no recording of a plug'],
    ['what is no recording', { 'plug.json': '{}' }, 'must have system.get_sysinfo'],
  ])('refuses %s with a sentence', async (_, files, sentence) => {
    const shell = new FakeShell({ files });
    expect(await shell.run('simulate', '--from', 'plug.json')).toBe(1);
    expect(shell.errors).toContain(sentence);
  });

  it('plays either a museum or a recording', async () => {
    const shell = new FakeShell();
    expect(await shell.run('simulate', '--from', 'plug.json', '--count', '3')).toBe(2);
  });
});
