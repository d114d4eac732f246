import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildApp } from '../../src/app/app.ts';
import { examineMachine } from '../../src/cli/doctor/machine.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { configOf, liveConfigOf } from '../support/config-sources.ts';
import { FakeShell, type FakeShellOptions } from '../support/fake-shell.ts';
import { freePort } from '../support/free-port.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { Observer } from '../support/observer.ts';
import { Running, Site, type SiteOptions, SURROUNDINGS, startPlug } from '../support/site.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SYSINFO: JsonObject = {
  mac: '50:C7:BF:00:00:01',
  alias: 'Lamp',
  model: 'HS110(EU)',
  type: 'IOT.SMARTPLUGSWITCH',
  sw_ver: '1.0.5',
  feature: 'TIM',
  relay_state: 0,
  err_code: 0,
};

interface Finding {
  readonly area: string;
  readonly level: string;
  readonly says: string;
  readonly cure?: string;
}

/** A file of a bridge; nothing is searched for in the networks of this machine. */
function fileOf(options: SiteOptions): string {
  return stringify({ discovery: { interval: 0 }, dataDir: 'off', ...options });
}

async function examine(
  options: SiteOptions | string,
  shellOptions: FakeShellOptions = {},
  ...argv: string[]
) {
  const text = typeof options === 'string' ? options : fileOf(options);
  const shell = new FakeShell({ ...shellOptions, files: { ...shellOptions.files, 'site.yaml': text } });
  const code = await shell.run('doctor', '--config', 'site.yaml', ...argv);
  return { code, shell, output: shell.output, errors: shell.errors };
}

/** What is not as it should be. */
async function findingsOf(options: SiteOptions, shellOptions: FakeShellOptions = {}) {
  const { code, output } = await examine(options, shellOptions, '--json');
  const all: Finding[] = JSON.parse(output);
  return { code, all, wrong: all.filter(({ level }) => level !== 'ok') };
}

/** A site that is examined as it is configured. */
async function open(paths: readonly string[], options: SiteOptions = {}) {
  const site = await Site.open(paths, options);
  closing.push(() => site.close());
  for (const path of paths)
    await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
  await site.observer.message('museum/bridge/health');
  const plugs = [...site.plugs.values()].map(({ path, server }) => ({
    path,
    host: `127.0.0.1:${server.port}`,
  }));
  return { site, file: { mqtt: { url: site.url }, plugs, poll: { timeout: '500ms' } } };
}

describe('the doctor', () => {
  it('has nothing to say against a site on which all is well', async () => {
    const { file } = await open(['shed3', 'east-wing/lamp-1']);
    const { code, output, errors } = await examine(file);
    expect(output).not.toContain('PROBLEM');
    expect(output).toMatch(/^ok +configuration {2}site\.yaml: 2 plugs$/m);
    expect(output).toMatch(/^ok +broker {9}mqtt:\/\/127\.0\.0\.1:\d+ takes the login$/m);
    expect(output).toMatch(/^ok +broker {9}it keeps retained messages$/m);
    expect(output).toMatch(/^ok +bridge {9}is online, version 0\.0\.0-test$/m);
    expect(output).toMatch(/^ok +plugs {10}2 of 2 are fine$/m);
    expect(output).toMatch(/^0 problems, \d notes?$/m);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
  });

  it('has nothing to say against the embedded broker either', async () => {
    const plug = await startPlug('shed3', 1);
    const port = await freePort();
    const text = fileOf({
      broker: { listen: `127.0.0.1:${port}` },
      web: { listen: 'off' },
      plugs: [{ path: 'shed3', host: `127.0.0.1:${plug.server.port}` }],
    });
    const bridge = new Running((log) => buildApp(liveConfigOf({ file: text }), { ...SURROUNDINGS, log }));
    closing.push(
      () => plug.server.stop(),
      () => bridge.stop(),
    );
    await bridge.ready;
    const observer = await Observer.connect(`mqtt://127.0.0.1:${port}`);
    closing.push(() => observer.end());
    await observer.message('museum/shed3/availability', (payload) => payload === 'online');
    const { code, output } = await examine(text);
    expect(output).not.toContain('PROBLEM');
    expect(code).toBe(0);
  });

  it('leaves nothing behind at the broker', async () => {
    const { site, file } = await open(['shed3']);
    await examine(file);
    const kept = new Map(site.observer.seen.map(({ topic, payload }) => [topic, payload]));
    const probes = [...kept].filter(([topic]) => topic.includes('/doctor/'));
    expect(probes.length).toBeGreaterThan(0);
    expect(probes.filter(([topic, payload]) => topic.endsWith('/kept') && payload !== '')).toEqual([]);
  });

  it('says everything that is wrong with a configuration, as bad usage', async () => {
    const { code, output, errors } = await examine('pol:\n  interval: 1s\nplugs: 7\n');
    expect(output).toMatch(
      /^PROBLEM {2}configuration {2}site\.yaml:1:1: there is no option pol; did you mean poll\?$/m,
    );
    expect(output).toMatch(/^PROBLEM {2}configuration {2}site\.yaml:3:\d+: plugs must be a list/m);
    expect(errors).toBe('hs110-mqtt: 2 problems, 0 notes');
    expect(code).toBe(2);
  });

  it('says that the broker is not there, and goes on', async () => {
    const plug = await startPlug('shed3', 1);
    closing.push(() => plug.server.stop());
    const { code, wrong, all } = await findingsOf({
      mqtt: { url: 'mqtt://127.0.0.1:1' },
      plugs: [{ path: 'shed3', host: `127.0.0.1:${plug.server.port}` }],
    });
    expect(wrong).toContainEqual({
      area: 'broker',
      level: 'problem',
      says: expect.stringContaining('ECONNREFUSED'),
      cure: 'is the broker running, and is mqtt.url its address and port?',
    });
    expect(all).toContainEqual({ area: 'plugs', level: 'ok', says: '1 of 1 are fine' });
    expect(code).toBe(1);
  });

  it('says that the bridge has gone', async () => {
    const { site, file } = await open(['shed3']);
    await site.bridge.stop();
    const { code, wrong } = await findingsOf(file);
    expect(wrong).toContainEqual(
      expect.objectContaining({ area: 'bridge', level: 'problem', says: 'is offline' }),
    );
    expect(code).toBe(1);
  });

  it('names a plug that does not answer, and says what to do', async () => {
    const { site, file } = await open(['shed3', 'shed4']);
    await site.plug('shed3').server.stop();
    const { code, wrong } = await findingsOf(file);
    const [plug, ...others] = wrong.filter(({ area, level }) => area === 'plugs' && level === 'problem');
    expect(plug?.says).toMatch(/^shed3 at 127\.0\.0\.1:\d+: /);
    expect(plug?.cure).toContain('hs110-mqtt discover');
    expect(others).toEqual([]);
    expect(code).toBe(1);
  });

  it('names a plug that another one stands in for', async () => {
    const { file } = await open(['shed3']);
    const plugs = file.plugs.map((plug) => ({ ...plug, mac: '50:C7:BF:99:99:99' }));
    const { wrong } = await findingsOf({ ...file, plugs });
    expect(wrong).toContainEqual(
      expect.objectContaining({ level: 'problem', says: expect.stringContaining('another plug') }),
    );
  });

  it('knows what is worth knowing of a plug: signal, firmware, clock, cloud', async () => {
    const said: JsonObject = {
      system: { get_sysinfo: { ...SYSINFO, hw_ver: '4.0', rssi: -88 } },
      time: {
        get_time: { year: 2000, month: 1, mday: 1, hour: 0, min: 0, sec: 0 },
        get_timezone: { index: 39 },
      },
      schedule: { get_next_action: { err_code: -11, err_msg: 'time not sync' } },
      cnCloud: { get_info: { binded: 1, cld_connection: 1 } },
    };
    const device = {
      closesAfterReply: false,
      answer: (query: JsonObject) =>
        Object.fromEntries(Object.keys(query).map((module) => [module, said[module]])),
    };
    const clock = new SystemClock();
    const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
    await server.start();
    closing.push(() => server.stop());
    const { wrong } = await findingsOf({ plugs: [{ path: 'shed3', host: `127.0.0.1:${server.port}` }] });
    const notes = wrong.filter(({ area, level }) => area === 'plugs' && level === 'note');
    expect(notes.map(({ says }) => says)).toEqual([
      'shed3 has a weak signal: -88 dBm',
      'shed3 is hardware 4.0, on which firmware 1.1.0 closes port 9999',
      'shed3 does not know the time: it books no energy by day and month',
      'shed3 has a connection to the cloud of its vendor',
    ]);
  });

  it('counts apart who answers from where no plug is taken in', async () => {
    const plug = await startPlug('shed3', 3);
    closing.push(() => plug.server.stop());
    const discovery = { interval: '5m', targets: [`127.0.0.1:${plug.server.port}`] };
    const answers = async (networks: readonly string[]) => {
      const { all } = await findingsOf({ discovery: { ...discovery, networks } });
      return all.filter(({ area }) => area === 'network').map(({ says }) => says);
    };
    expect(await answers(['127.0.0.0/8'])).toEqual(['1 device answers at 127.0.0.1']);
    expect(await answers(['10.0.0.0/8'])).toEqual([
      '0 devices answer at 127.0.0.1',
      '1 device answers from outside of discovery.networks',
    ]);
  });

  it('asks the plugs that the bridge has taken in as well', async () => {
    const { site, file } = await open(['shed3']);
    expect(site.plugs.size).toBe(1);
    const { all } = await findingsOf({ ...file, plugs: [] });
    expect(all).toContainEqual({ area: 'plugs', level: 'ok', says: '1 of 1 are fine' });
  });

  it('ends at once when it is interrupted', async () => {
    const { site } = await open([]);
    const shell = new FakeShell({ files: { 'site.yaml': fileOf({ mqtt: { url: site.url } }) } });
    const ended = shell.run('doctor', '--config', 'site.yaml');
    shell.interrupt();
    expect(await ended).toBe(1);
    expect(shell.errors).toBe('');
  });
});

describe('the archive for a bug report', () => {
  it('holds what was found, and nothing that is private', async () => {
    const { file } = await open(['shed3']);
    const folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-doctor-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const secret = { username: 'the-curator', password: 'a-secret-password' };
    const { shell } = await examine(
      {
        ...file,
        mqtt: { ...file.mqtt, ...secret },
        metrics: { token: 'a-secret-metrics-token' },
        kasa: { username: 'curator@example.org', password: 'a-secret-kasa' },
      },
      {},
      '--bundle',
      'doctor.tar.gz',
    );
    expect(shell.errors).toContain('doctor.tar.gz is written. Read it before you give it away.');
    writeFileSync(
      join(folder, 'doctor.tar.gz'),
      Buffer.from(shell.files.get('doctor.tar.gz') ?? '', 'base64'),
    );
    const { status, stdout } = spawnSync('tar', ['xvzf', 'doctor.tar.gz'], { cwd: folder, encoding: 'utf8' });
    expect(status).toBe(0);
    const names = stdout.trim().split('\n');
    expect(names).toEqual([
      'README.txt',
      'system.json',
      'findings.json',
      'configuration.json',
      'bridge.json',
      'plugs.json',
      'sysinfo.json',
    ]);
    const all = names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    expect(all).toContain('"HS110(EU)"');
    expect(all).toContain('"1 of 1 are fine"');
    for (const text of ['curator', 'a-secret', 'Lamp 1', '50:C7:BF:00:00:01'])
      expect(all).not.toContain(text);
  });

  it('is written for a configuration that is not valid too', async () => {
    const { code, shell } = await examine('pol: 1\n', {}, '--bundle');
    expect([...shell.files.keys()].at(-1)).toMatch(/^hs110-mqtt-doctor-\d{8}-\d{4}\.tar\.gz$/);
    expect(code).toBe(2);
  });
});

describe('what the doctor sees of the machine', () => {
  const plugs = Array.from({ length: 120 }, (_, index) => `  - {path: lamp-${index}, host: 10.0.0.${index}}`);
  const config = configOf({ file: `plugs:\n${plugs.join('\n')}\n` });
  const about = (files: { [path: string]: string }, interfaces = {}) =>
    examineMachine(new FakeShell({ files }), config, interfaces);

  it('is too few open files', () => {
    const limits =
      'Limit  Soft  Hard  Units\nMax open files            128                  4096                 files\n';
    expect(about({ '/proc/self/limits': limits })).toContainEqual(
      expect.objectContaining({
        level: 'problem',
        says: 'only 128 files may be open, and 120 plugs need one each',
      }),
    );
  });

  it('is too small a buffer for the answers of many', () => {
    expect(about({ '/proc/sys/net/core/rmem_max': '212992\n' })).toContainEqual(
      expect.objectContaining({ level: 'note', cure: expect.stringContaining('net.core.rmem_max=4194304') }),
    );
  });

  it('is a container without the network of its host', () => {
    const address = {
      address: '172.17.0.2',
      netmask: '255.255.0.0',
      family: 'IPv4',
      internal: false,
      mac: '',
      cidr: null,
    };
    const host = { ...address, address: '192.168.1.5' };
    const files = { '/.dockerenv': '' };
    expect(about(files, { eth0: [address] })).toContainEqual(
      expect.objectContaining({
        level: 'note',
        says: 'a container with a network of its own: a search does not leave it',
      }),
    );
    expect(about(files, { eth0: [host], docker0: [address] })).toContainEqual(
      expect.objectContaining({ level: 'ok', says: 'a container with the network of its host' }),
    );
  });
});

describe.skipIf(noMosquitto !== undefined)('with Mosquitto, the doctor', () => {
  const start = async (...parts: Parameters<typeof Mosquitto.started>) => {
    const broker = await Mosquitto.started(...parts);
    closing.push(() => broker.stop());
    return broker;
  };

  it('sees a login that is refused', async () => {
    const broker = await Mosquitto.prepared();
    broker.setPassword('bridge', 'right');
    closing.push(() => broker.stop());
    await broker.start({ global: ['allow_anonymous false', `password_file ${broker.file('passwords')}`] });
    const { wrong } = await findingsOf({ mqtt: { url: broker.url, username: 'bridge', password: 'wrong' } });
    expect(wrong).toContainEqual(
      expect.objectContaining({
        area: 'broker',
        level: 'problem',
        cure: expect.stringContaining('mqtt.username and mqtt.password'),
      }),
    );
  });

  it('sees an ACL that keeps back what the bridge publishes', async () => {
    const broker = await Mosquitto.prepared();
    writeFileSync(broker.file('acl'), 'topic readwrite elsewhere/#\n');
    closing.push(() => broker.stop());
    await broker.start({ global: ['allow_anonymous true', `acl_file ${broker.file('acl')}`] });
    const { wrong, code } = await findingsOf({ mqtt: { url: broker.url } });
    expect(wrong).toContainEqual(
      expect.objectContaining({
        area: 'broker',
        level: 'problem',
        cure: 'let the login of the bridge read and write museum/# (ACL)',
      }),
    );
    expect(code).toBe(1);
  });

  it('sees a broker that keeps nothing', async () => {
    const broker = await start({ global: ['allow_anonymous true', 'retain_available false'] });
    const { wrong } = await findingsOf({ mqtt: { url: broker.url } });
    expect(wrong).toContainEqual(
      expect.objectContaining({ level: 'problem', says: 'it does not give out retained messages' }),
    );
  });

  it('sees that one message waits for the other', async () => {
    const broker = await start({ global: ['allow_anonymous true', 'set_tcp_nodelay false'] });
    const { wrong } = await findingsOf({ mqtt: { url: broker.url } });
    expect(wrong).toContainEqual(
      expect.objectContaining({ area: 'broker', cure: expect.stringContaining('set_tcp_nodelay true') }),
    );
  });

  it('hears Home Assistant, where it retains that it is there', async () => {
    const broker = await start();
    const observer = await Observer.connect(broker.url);
    closing.push(() => observer.end());
    await observer.say('homeassistant/status', 'offline', { retain: true });
    const { wrong } = await findingsOf({ mqtt: { url: broker.url } });
    expect(wrong).toContainEqual(
      expect.objectContaining({
        area: 'home assistant',
        level: 'note',
        says: 'homeassistant/status is "offline"',
      }),
    );
  });
});
