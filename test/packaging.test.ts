import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { configurationOf, type MqttService } from '../packaging/home-assistant/hs110-mqtt/options.ts';
import { buildApp } from '../src/app/app.ts';
import { configOf, liveConfigOf } from './support/config-sources.ts';
import { FakeShell } from './support/fake-shell.ts';
import { Mosquitto, noMosquitto } from './support/mosquitto.ts';
import { ENV, missingProgram } from './support/other-program.ts';
import { Running, SURROUNDINGS, startPlug } from './support/site.ts';
import { until } from './support/until.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const UNIT = 'packaging/systemd/hs110-mqtt.service';
const noSystemd = missingProgram('systemd-analyze', "Debian's package systemd");

describe('the unit of systemd', () => {
  it('starts the program by its absolute path, with options that there are', async () => {
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(read(UNIT)) ?? [];
    const [node, main, ...args] = command.split(' ');
    expect(node).toBe('/usr/bin/node');
    expect(main).toBe('/usr/lib/hs110-mqtt/dist/main.js');
    const files = { '/etc/hs110-mqtt/hs110-mqtt.yaml': read('packaging/deb/hs110-mqtt.yaml') };
    const shell = new FakeShell({ files });
    expect(await shell.run('config', 'check', ...args), shell.errors).toBe(0);
  });

  it('does not restart the bridge for a mistake in its configuration', () => {
    expect(read(UNIT)).toMatch(/^Restart=on-failure$/m);
    expect(read(UNIT)).toMatch(/^RestartPreventExitStatus=2$/m);
  });

  it.skipIf(noSystemd !== undefined)('exposes the machine to no more than 2.0 of 10', () => {
    const args = ['security', '--offline=true', '--threshold=20', '--no-pager', join(ROOT, UNIT)];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(status, stdout.split('\n').at(-2) + stderr).toBe(0);
    expect(stdout).toMatch(/Overall exposure level for hs110-mqtt\.service: 1\.\d OK/);
  });
});

describe('the configuration that the Debian package brings', () => {
  it('is valid, and so are the examples in it', () => {
    const text = read('packaging/deb/hs110-mqtt.yaml');
    expect(configOf({ file: text }).mqtt.url).toBeUndefined();
    const shown = text
      .replaceAll(/^# (?=(mqtt|plugs):| {2})/gm, '')
      .replaceAll(/^ {2,}\[Service\]\n.*\n/gm, '');
    expect(configOf({ file: shown })).toMatchObject({
      mqtt: { baseTopic: 'museum' },
      plugs: [{ path: 'shed3' }],
    });
  });
});

const compose = parse(read('compose.yaml'));

describe('compose.yaml', () => {
  it('configures the bridge with options that there are', () => {
    const { environment } = compose.services.bridge;
    const { TZ: _, ...env } = environment;
    const config = configOf({ env, secrets: { '/run/secrets/mqtt-bridge': 'hunter2' } });
    expect(config).toMatchObject({
      mqtt: { url: ['mqtt://127.0.0.1:1883'], username: 'bridge', password: 'hunter2' },
      metrics: { listen: { host: '127.0.0.1', port: 9110 } },
    });
  });

  it.each(Object.keys(compose.services))('gives %s nothing that it does not need', (name) => {
    expect(compose.services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    });
  });

  it('mounts files that there are', () => {
    const mounted = Object.values<{ volumes: string[] }>(compose.services)
      .flatMap(({ volumes }) => volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((path) => path.startsWith('./'));
    expect(mounted.length).toBeGreaterThan(2);
    for (const path of mounted) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('keeps every secret out of the file', () => {
    expect(Object.values<object>(compose.secrets).map((secret) => Object.keys(secret))).toEqual([
      ['file'],
      ['file'],
    ]);
  });
});

describe.skipIf(noMosquitto !== undefined)('the Mosquitto of compose.yaml', () => {
  it('lets the bridge do its work, clients switch, and nobody else speak for a plug', async () => {
    const broker = await Mosquitto.prepared();
    const passwords = { bridge: 'of-the-bridge', client: 'of-the-client' };
    writeFileSync(
      broker.file('passwords'),
      Object.entries(passwords)
        .map(([name, password]) => `${name}:${password}\n`)
        .join(''),
    );
    spawnSync('mosquitto_passwd', ['-U', broker.file('passwords')], { env: ENV });
    writeFileSync(broker.file('acl'), read('packaging/compose/mosquitto.acl'));
    const lines = read('packaging/compose/mosquitto.conf')
      .replace('/tmp/passwords', broker.file('passwords'))
      .replace('/mosquitto/config/mosquitto.acl', broker.file('acl'))
      .split('\n')
      .filter((line) => /^(allow_anonymous|password_file|acl_file|set_tcp_nodelay)/.test(line));
    await broker.start({ global: lines });

    const plug = await startPlug('shed3', 1);
    const file = stringify({
      mqtt: { url: broker.url },
      plugs: [{ path: 'east/shed3', host: `127.0.0.1:${plug.server.port}` }],
      dataDir: 'off',
      web: { listen: 'off' },
      discovery: { interval: 0 },
    });
    const login = (username: 'bridge' | 'client') => ({
      HS110_MQTT_MQTT_USERNAME: username,
      HS110_MQTT_MQTT_PASSWORD: passwords[username],
    });
    const live = liveConfigOf({ file, env: login('bridge') });
    const bridge = new Running((log) => buildApp(live, { ...SURROUNDINGS, log }));
    try {
      await bridge.ready;
      const client = await connectAsync(broker.url, { username: 'client', password: passwords.client });
      const seen = new Map<string, string>();
      client.on('message', (topic, payload) => seen.set(topic, payload.toString()));
      await client.subscribeAsync('museum/#', { qos: 1 });
      await until(() => seen.get('museum/east/shed3/availability') === 'online', 'the plug');

      const shell = new FakeShell({ files: { 'site.yaml': file }, env: login('client') });
      expect(await shell.run('all', 'on', '--config', 'site.yaml'), shell.errors).toBe(0);
      expect(plug.device.relay).toBe(true);

      await client.publishAsync('museum/east/shed3/state', 'forged', { qos: 1, retain: true });
      await client.publishAsync('museum/bridge/request/nothing', '{}', { qos: 1 });
      // The broker has dealt with the one before it.
      await until(() => seen.has('museum/bridge/response/nothing'), 'an answer');
      expect(seen.get('museum/east/shed3/state')).toBe('ON');
      await client.endAsync();

      const doctor = new FakeShell({ files: { 'site.yaml': file }, env: login('bridge') });
      await doctor.run('doctor', '--config', 'site.yaml');
      expect(doctor.output).not.toContain('PROBLEM');
    } finally {
      await bridge.stop();
      await plug.server.stop();
      await broker.stop();
    }
  });
});

describe('the manifest for Kubernetes', () => {
  const [workload] = [parse(read('packaging/kubernetes/statefulset.yaml'))];
  const { spec } = workload.spec.template;
  const [container] = spec.containers;

  it('runs one bridge, not as root, with nothing that it does not need', () => {
    expect(workload.spec.replicas).toBe(1);
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
  });

  it('configures it with options that there are, and asks where it answers', () => {
    const env = Object.fromEntries(
      container.env
        .filter(({ name }: { name: string }) => name !== 'TZ')
        .map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    const secrets = { '/run/secrets/hs110-mqtt/mqtt-password': 'hunter2' };
    const config = configOf({ file: read('packaging/kubernetes/hs110-mqtt.yaml'), env, secrets });
    expect(config.mqtt.password).toBe('hunter2');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(container[probe].httpGet).toMatchObject({ ...config.metrics.listen });
  });

  it('is made of files that there are', () => {
    const { resources, configMapGenerator, secretGenerator } = parse(
      read('packaging/kubernetes/kustomization.yaml'),
    );
    const files = [...configMapGenerator, ...secretGenerator].flatMap(({ files: list }) => list);
    for (const file of [...resources, ...files])
      expect(existsSync(join(ROOT, 'packaging/kubernetes', file.split('=').at(-1))), file).toBe(true);
  });
});

describe('the add-on for Home Assistant', () => {
  const manifest = parse(read('packaging/home-assistant/hs110-mqtt/config.yaml'));
  const configured = (options: object, service?: MqttService) =>
    configOf({ file: JSON.stringify(configurationOf({ ...manifest.options, ...options }, service)) });

  it('is of the version of the program, and explains each option', () => {
    expect(manifest.version).toBe(JSON.parse(read('package.json')).version);
    const { configuration } = parse(read('packaging/home-assistant/hs110-mqtt/translations/en.yaml'));
    expect(Object.keys(configuration)).toEqual(Object.keys(manifest.schema));
  });

  it('makes a valid configuration of the options as they are at first: the broker of Home Assistant', () => {
    const service = { host: 'core-mosquitto', port: 1883, username: 'addons', password: 'secret' };
    expect(configured({}, service)).toMatchObject({
      mqtt: {
        url: ['mqtt://core-mosquitto:1883'],
        username: 'addons',
        password: 'secret',
        baseTopic: 'museum',
      },
      poll: { interval: 5000 },
      plugs: [],
    });
    expect(configured({}).mqtt.url).toBeUndefined();
  });

  it("takes a broker and plugs of the user's own", () => {
    const plugs = [{ path: 'east-wing/lamp-1', mac: '50:C7:BF:12:34:56' }];
    expect(configured({ mqtt_url: 'mqtts://broker.lan', mqtt_username: 'me', plugs })).toMatchObject({
      mqtt: { url: ['mqtts://broker.lan'], username: 'me' },
      plugs: [{ path: 'east-wing/lamp-1' }],
    });
  });

  it('serves the page where ingress asks for it', () => {
    expect(configured({}).web.listen).toMatchObject({ port: manifest.ingress_port });
    expect(configured({}).metrics.listen?.port).toBe(
      Number(new URL(manifest.watchdog.replace('[HOST]', 'x')).port),
    );
  });
});

describe('the scripts of the Debian package', () => {
  it.each(['postinst', 'prerm', 'postrm', 'hs110-mqtt', 'build.sh'])(
    '%s is a script that a shell takes',
    (name) => {
      const shell = name === 'build.sh' ? 'bash' : 'sh';
      expect(spawnSync(shell, ['-n', join(ROOT, 'packaging/deb', name)]).status).toBe(0);
    },
  );

  it('purge the data, and nothing before that', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-deb-'));
    const script = read('packaging/deb/postrm').replaceAll('/var/lib', folder);
    writeFileSync(join(folder, 'hs110-mqtt'), 'data');
    const left = () => execFileSync('ls', [folder], { encoding: 'utf8' }).trim();
    spawnSync('sh', ['-c', script, 'postrm', 'remove']);
    expect(left()).toBe('hs110-mqtt');
    spawnSync('sh', ['-c', script, 'postrm', 'purge']);
    expect(left()).toBe('');
    rmSync(folder, { recursive: true });
  });
});
