import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configOf } from './support/config-sources.ts';
import { FakeShell } from './support/fake-shell.ts';
import { missingProgram } from './support/other-program.ts';

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
