import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShellPlug } from '../support/shell-plug.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let plug: ShellPlug;

beforeEach(async () => {
  plug = await ShellPlug.started();
});

afterEach(() => plug.stop());

/** Runs the program as its users do. */
function start(...argv: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...argv], { cwd: ROOT });
}

/** Pipes `given` into a program, waits for its end, and returns what came out. */
async function ended(child: ChildProcess, given: string | Uint8Array = '') {
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => errors.push(chunk));
  child.stdin?.on('error', () => {});
  child.stdin?.end(given);
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, bytes: Buffer.concat(output), errors: Buffer.concat(errors).toString() };
}

describe('the program as a process', () => {
  it('makes bytes for a pipe, and reads what comes back through one', async () => {
    const { bytes } = await ended(start('encode', '--raw', '{"system":{"set_relay_state":{"state":1}}}'));
    const { code, bytes: json, errors } = await ended(start('decode'), bytes);
    expect(JSON.parse(json.toString())).toEqual({ system: { set_relay_state: { state: 1 } } });
    expect(errors).toBe('TCP frame: the length says 42\n');
    expect(code).toBe(0);
  });

  it('ends with 1 and one line where it fails, with 2 where it is used wrongly', async () => {
    expect(await ended(start('decode'), 'garbage')).toMatchObject({
      code: 1,
      errors: 'hs110-mqtt: "garbage" is not hexadecimal\n',
    });
    const refused = await ended(start('plug', plug.host, 'reboot'));
    expect(refused.code).toBe(2);
    expect(refused.errors).toContain('--yes does it without asking');
    expect((await ended(start('plug'))).code).toBe(2);
  });

  it('switches a plug', async () => {
    const { code, bytes } = await ended(start('plug', plug.host, 'on'));
    expect(bytes.toString()).toMatch(/^Loom reports ON/);
    expect([code, plug.device.relay]).toEqual([0, true]);
  });

  it('ends quietly with Ctrl-C while it watches, and while it waits', async () => {
    const watching = start('plug', plug.host, 'watch');
    watching.stdout?.once('data', () => watching.kill('SIGINT'));
    expect(await ended(watching)).toMatchObject({ code: 0, errors: '' });

    plug.server.fault = { kind: 'silence' };
    const asked = plug.queries.length;
    const waiting = start('plug', plug.host, 'info');
    const end = ended(waiting);
    await until(() => plug.queries.length > asked, 'the question');
    waiting.kill('SIGINT');
    expect(await end).toMatchObject({ code: 1, errors: '' });
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const child = start('plug', plug.host, 'watch');
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended(child)).toMatchObject({ code: 0, errors: '' });
  });
});
