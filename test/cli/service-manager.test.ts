import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { missingProgram } from '../support/other-program.ts';
import { Program } from '../support/program.ts';
import { until } from '../support/until.ts';

const missing =
  missingProgram('systemd-notify', "Debian's package systemd") ?? missingProgram('python3', 'Debian has it');

/** Node cannot listen there. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listens", flush=True)
while True: print(s.recv(4096).decode().strip(), flush=True)
`;

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(missing !== undefined)('under systemd', () => {
  it('says when it is ready, that it lives, and when it stops', async () => {
    const program = new Program();
    closing.push(() => program.dispose());
    const socket = program.file('notify');
    const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    closing.push(() => listener.kill());
    const heard: string[] = [];
    createInterface({ input: listener.stdout }).on('line', (line) => heard.push(line));
    await until(() => heard.includes('listens'), 'the listener');
    await program.start(
      { broker: { listen: '127.0.0.1:0' }, discovery: { interval: 0 } },
      { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' },
    );
    await until(
      () => heard.filter((line) => line === 'WATCHDOG=1').length >= 2,
      'the watchdog to hear of it',
    );
    expect(heard.filter((line) => line.includes('=1') && !line.startsWith('BARRIER'))[0]).toBe('READY=1');
    expect(await program.end('SIGTERM')).toMatchObject({ code: 0 });
    await until(() => heard.includes('STOPPING=1'), 'the end');
  });
});

describe('without the program of systemd', () => {
  it('the bridge runs all the same, and says so once', async () => {
    const program = new Program();
    closing.push(() => program.dispose());
    await program.start(
      { broker: { listen: '127.0.0.1:0' }, discovery: { interval: 0 } },
      { NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' },
    );
    await until(() => program.lines.some((line) => line.includes('systemd cannot be told')), 'the warning');
    expect(await program.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(program.lines.filter((line) => line.includes('systemd cannot be told'))).toHaveLength(1);
  });
});
