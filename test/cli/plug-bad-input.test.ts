import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { ShellPlug } from '../support/shell-plug.ts';
import { until } from '../support/until.ts';

let plug: ShellPlug;
let peer: Server | undefined;

beforeEach(async () => {
  plug = await ShellPlug.started();
});

afterEach(async () => {
  await plug.stop();
  await new Promise<void>((resolve) => (peer === undefined ? resolve() : peer.close(() => resolve())));
  peer = undefined;
});

/** Asks whoever is at `host`, and returns the exit code and the first line of the complaint. */
async function ask(host: string, ...words: string[]): Promise<[code: number, complaint: string | undefined]> {
  const shell = new FakeShell();
  const code = await shell.run('plug', host, ...words, '--timeout', '200ms');
  expect(shell.output).toBe('');
  return [code, shell.errors.split('\n')[0]];
}

/** A server that does `answer` with what it is asked. */
async function peerThat(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  peer = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** Answers with these bytes and closes. */
function answering(bytes: Buffer): Promise<string> {
  return peerThat((socket) => socket.end(bytes));
}

describe('a host that is no plug', () => {
  it('has a name that does not resolve', async () => {
    const shell = new FakeShell();
    expect(await shell.run('plug', 'plug.invalid', 'info')).toBe(1);
    expect(shell.errors).toMatch(/^hs110-mqtt: plug\.invalid:9999 is a name that does not resolve/);
    expect(shell.errors).toContain('`hs110-mqtt discover` finds it');
  });

  it('refuses connections', async () => {
    const { host } = plug;
    await plug.server.stop();
    const shell = new FakeShell();
    expect(await shell.run('plug', host, 'info')).toBe(1);
    expect(shell.errors).toBe(
      `hs110-mqtt: ${host} refuses connections\nIs that the right address? \`hs110-mqtt discover\` shows. If it is, unplug the plug for a moment.`,
    );
  });

  it('answers HTTP', async () => {
    const host = await answering(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
    expect(await ask(host, 'info')).toEqual([
      1,
      "hs110-mqtt: the answer claims 1213486160 bytes; a plug sends at most 65536: this is not the plug's protocol",
    ]);
  });

  it.each(['', '1.2.3.4.5:x', 'a b', '::1', 'host:99999', 'host:0'])('is written %j', async (host) => {
    const shell = new FakeShell();
    expect(await shell.run('plug', host, 'info')).toBe(2);
    expect(shell.errors).toContain('It must be an address such as 192.168.1.145');
  });
});

describe('a plug that misbehaves', () => {
  it.each<[string, Fault, RegExp]>([
    ['hangs', { kind: 'silence' }, /did not answer within 200 ms$/],
    ['closes at once', { kind: 'close' }, /closed the connection without a whole answer$/],
    ['closes in the middle', { kind: 'close-mid-reply' }, /closed the connection without a whole answer$/],
    ['resets the connection', { kind: 'reset-mid-reply' }, /(reset the connection|without a whole answer)$/],
    [
      'claims 4 GiB',
      { kind: 'length', length: 0xffffffff },
      /the answer claims 4294967295 bytes; a plug sends at most 65536: this is not the plug's protocol$/,
    ],
    ['claims more than it sends', { kind: 'length', length: 60_000 }, /did not answer within 200 ms$/],
    ['sends text that is not UTF-8', { kind: 'invalid-utf8' }, /the answer of \d+ bytes is not UTF-8 text$/],
    [
      'sends JSON that is not an object',
      { kind: 'not-an-object' },
      /the answer is not a JSON object: "\[1,2,3\]"$/,
    ],
    [
      'sends what is not JSON',
      { kind: 'invalid-json' },
      /the answer is not JSON: "\{\\"system\\":.*characters\)$/,
    ],
    [
      'answers another question',
      { kind: 'other-answer' },
      /the answer is to another question: it has no system$/,
    ],
  ])('%s', async (_, fault, complaint) => {
    plug.server.fault = fault;
    const [code, said] = await ask(plug.host, 'info');
    expect(said).toMatch(complaint);
    expect(code).toBe(1);
  });

  it.each([
    ['NaN', '{"system":{"get_sysinfo":{"relay_state":NaN}}}', /the answer is not JSON/],
    ['the word NaN alone', 'NaN', /the answer is not JSON: "NaN"$/],
    ['nothing', '', /the answer is not JSON|did not answer|without a whole answer/],
    ['null', 'null', /the answer is not a JSON object: "null"$/],
    [
      'objects in objects in objects',
      `{"system":{"get_sysinfo":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}}`,
      /the answer is nested more than 100 levels deep$/,
    ],
    [
      'lists in lists in lists',
      `{"system":{"get_sysinfo":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
      /the answer is nested more than 100 levels deep$/,
    ],
    ['a module that is a list', '{"system":[]}', /it has no system$/],
    ['a method that is a number', '{"system":{"get_sysinfo":1}}', /it has no system\.get_sysinfo$/],
    [
      'an error of the module',
      '{"system":{"err_code":-1,"err_msg":"module not support"}}',
      /err_code -1 \(module not support\): this plug does not have that module$/,
    ],
    [
      'an error nobody knows',
      '{"system":{"get_sysinfo":{"err_code":-99}}}',
      /err_code -99: an undocumented code$/,
    ],
  ])('sends %s', async (_, text, complaint) => {
    const [code, said] = await ask(await answering(encodeFrame(text)), 'info');
    expect(said).toMatch(complaint);
    expect(code).toBe(1);
  });

  it('sends a length and then nothing', async () => {
    const host = await peerThat((socket) => socket.write(Buffer.from([0, 0, 0, 42])));
    const [code, said] = await ask(host, 'info');
    expect(said).toMatch(/did not answer within 200 ms$/);
    expect(code).toBe(1);
  });

  it('says what a terminal would act upon, which is shown and not acted upon', async () => {
    const host = await answering(
      encodeFrame(
        JSON.stringify({ system: { get_sysinfo: { err_code: -5, err_msg: '\u001b[2J\u009b31m\nsudo' } } }),
      ),
    );
    const [code, said] = await ask(host, 'info');
    expect(said).toContain('err_code -5 (\\u001b[2J\\u009b31m\\nsudo)');
    expect(code).toBe(1);
  });

  it('answers byte by byte, or with more than was asked', async () => {
    expect((await plug.runWith({ kind: 'split' }, ['info'])).code).toBe(0);
    expect((await plug.runWith({ kind: 'surplus' }, ['info'])).code).toBe(0);
    expect((await plug.runWith({ kind: 'length', length: 0, close: true }, ['info'])).code).toBe(0);
  });

  it('is left when the user presses Ctrl-C', async () => {
    plug.server.fault = { kind: 'silence' };
    const shell = new FakeShell();
    const running = shell.run('plug', plug.host, 'info');
    await until(() => plug.queries.length > 0, 'the question');
    shell.interrupt();
    expect(await running).toBe(1);
    expect([shell.output, shell.errors]).toEqual(['', '']);
    await until(() => plug.server.connections === 0, 'the connection to be closed');
  });
});

describe('an alias', () => {
  it.each([
    ['emoji', 'Küche ☕👩‍🍳', 'Küche ☕👩‍🍳'],
    ['a slash, a plus and a hash', 'a/b+c#d', 'a/b+c#d'],
    ['a line end', 'one\ntwo', 'one\\ntwo'],
    ['an escape sequence', '\u001b]0;owned\u0007\u001b[2J', '\\u001b]0;owned\\u0007\\u001b[2J'],
    ['control characters of Latin 1', '\u009b31mred', '\\u009b31mred'],
    ['a turn of the direction of writing', 'abc\u202edcba', 'abc\\u202edcba'],
  ])('with %s reaches a terminal harmless, and a script unchanged', async (_, alias, shown) => {
    expect((await plug.run(['alias', alias])).output).toBe(`alias  ${shown}`);
    expect((await plug.run(['on'])).output).toMatch(new RegExp(`^${escaped(shown)} reports ON`, 'u'));
    for (const words of [
      ['info', '--json'],
      ['send', '--json', '{"system":{"get_sysinfo":{}}}'],
    ]) {
      const { output } = await plug.run(words);
      expect(output).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(JSON.stringify(JSON.parse(output))).toContain(JSON.stringify(alias));
    }
    const { questions, errors } = await plug.run(['reboot'], { typed: ['n'] });
    expect(questions[0]).toContain(shown);
    expect(errors).not.toContain('\u001b');
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
