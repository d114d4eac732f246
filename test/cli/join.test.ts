import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeShell } from '../support/fake-shell.ts';
import { ShellPlug } from '../support/shell-plug.ts';

/** The plug in its own Wi-Fi, and what answers where it is to re-appear. */
let before: ShellPlug;
let after: ShellPlug;

beforeEach(async () => {
  before = await ShellPlug.started();
  after = await ShellPlug.started();
});

afterEach(async () => {
  await before.stop();
  await after.stop();
});

const join = (...words: string[]) =>
  before.run(['join', 'museum', ...words], { piped: ['secret123\nnot this\n'] });

describe('taking a plug into a Wi-Fi', () => {
  it('sends name and password, the password being the first line of standard input', async () => {
    const { code, output, errors } = await join('--yes');
    expect(before.queries.at(-1)).toEqual({
      netif: { set_stainfo: { ssid: 'museum', password: 'secret123', key_type: 3 } },
    });
    expect(output).toContain('Done: the plug goes into museum');
    expect(output + errors).not.toContain('secret123');
    expect(code).toBe(0);
  });

  it('asks a person for the password and whether it is meant, and shows the password nowhere', async () => {
    const { code, questions, output, errors } = await before.run(['join', 'museum'], {
      typed: ['secret123', 'y'],
    });
    expect(questions).toEqual([
      'Password of museum: ',
      'Plug: Loom, HS110(EU), 50:C7:BF:00:00:01, at 127.0.0.1. Go ahead? [y/N] ',
    ]);
    expect(errors).toBe('This moves the plug into another Wi-Fi: it leaves the one it is in.');
    expect(output + errors).not.toContain('secret123');
    expect(code).toBe(0);
  });

  it('needs no password for a Wi-Fi without one', async () => {
    expect((await before.run(['join', 'visitors', '--security', 'open', '--yes'])).code).toBe(0);
    expect(before.queries.at(-1)).toEqual({
      netif: { set_stainfo: { ssid: 'visitors', password: '', key_type: 0 } },
    });
  });

  it('takes no password that cannot be right', async () => {
    const { code, errors } = await before.run(['join', 'museum', '--yes'], { piped: ['short'] });
    expect(errors).toBe('hs110-mqtt: the password has 5 characters: wpa2 needs 8 to 63');
    expect(code).toBe(2);
    expect(before.queries).toEqual([]);
  });

  it('takes no password as an argument', async () => {
    expect((await before.run(['join', 'museum', 'secret123', '--yes'])).code).toBe(2);
    expect(before.queries).toEqual([]);
  });

  it('is done only by a script that says so', async () => {
    expect(await join()).toMatchObject({ code: 2, output: '' });
    expect(before.device.network.password).toBe('');
  });

  it('is verified where the plug is to re-appear', async () => {
    const { code, output, errors } = await join('--yes', '--verify', after.host, '--json');
    expect(JSON.parse(output)).toEqual({
      mac: '50:C7:BF:00:00:01',
      ssid: 'museum',
      host: '127.0.0.1',
      port: after.server.port,
    });
    expect(errors).toBe('Waiting for 50:C7:BF:00:00:01 to re-appear …');
    expect(code).toBe(0);
  });

  it('is verified although the plug left without an answer', async () => {
    before.server.onQuery = (query) => {
      if ('netif' in query) before.server.fault = { kind: 'silence' };
    };
    const { code, errors } = await join('--yes', '--verify', after.host, '--timeout', '100ms');
    expect(errors).toContain('The plug left without an answer.');
    expect(code).toBe(0);
  });

  it('fails where another plug answers instead', async () => {
    await after.stop();
    after = await ShellPlug.started({ mac: '50:C7:BF:00:00:02' });
    const { code, errors } = await join('--yes', '--verify', after.host, '--within', '300ms');
    expect(errors).toContain(
      '50:C7:BF:00:00:01 did not re-appear within 0.3 s: if the password is wrong, it is back in its own Wi-Fi',
    );
    expect(code).toBe(1);
  });

  it('is not begun when the place to verify is no address', async () => {
    expect((await join('--yes', '--verify', 'a b')).code).toBe(2);
    expect(before.queries).toEqual([]);
  });

  it('takes no name that a Wi-Fi cannot have, and no password that is too long', async () => {
    for (const ssid of ['', 'm'.repeat(33), 'ü'.repeat(17)]) {
      const { code, errors } = await before.run(['join', ssid, '--yes'], { piped: ['secret123'] });
      expect(errors).toContain('the name of a Wi-Fi has 1 to 32 bytes in UTF-8, this one has');
      expect(code).toBe(2);
    }
    const { code } = await before.run(['join', 'museum', '--yes'], { piped: ['x'.repeat(64)] });
    expect(code).toBe(2);
    expect(before.queries).toEqual([]);
    const longest = await before.run(['join', 'ü'.repeat(16), '--yes'], { piped: ['x'.repeat(63)] });
    expect(longest.code).toBe(0);
  });

  it('works as its example shows it', async () => {
    const shell = new FakeShell();
    await shell.run('plug', '--help');
    const example = /^ *\$ hs110-mqtt plug \S+ (join .*) < password\.txt$/m.exec(shell.output)?.[1] ?? '';
    const words = example.replace('192.168.1.145', after.host).split(' ');
    expect(words).toContain(after.host);
    expect(await before.run(words, { piped: ['secret123\n'] })).toMatchObject({ code: 0 });
  });

  it('takes an address of digits to verify for an address, not for a MAC', async () => {
    const { code, errors } = await join('--yes', '--verify', '127.100.100.101', '--within', '300ms');
    expect(errors).toContain('did not re-appear within 0.3 s');
    expect(code).toBe(1);
    // At an address the plug is asked over TCP; anywhere it would have been found by broadcast.
    expect(after.queries).toEqual([]);
  });
});
