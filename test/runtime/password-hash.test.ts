import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword, readHash } from '../../src/runtime/password-hash.ts';
import { FakeShell } from '../support/fake-shell.ts';

describe('the hash of a password', () => {
  it('is that of this password only, and another each time', async () => {
    const [one, other] = [await hashPassword('paintings'), await hashPassword('paintings')];
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(other);
    const stored = readHash(one);
    if (stored === undefined) throw new Error('it is not read');
    expect([await isPassword('paintings', stored), await isPassword('Paintings', stored)]).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    'paintings',
    '$scrypt$ln=15,r=8,p=1$$',
    `$scrypt$ln=30,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
    `$scrypt$ln=0,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
    `$argon2id$v=19$m=65536,t=3,p=4$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  ])('is not %s', (text) => {
    expect(readHash(text)).toBeUndefined();
  });
});

describe('the verb hash-password', () => {
  it('asks for the password without showing it, or reads it, and prints the hash', async () => {
    const asked = new FakeShell({ typed: ['paintings'] });
    expect(await asked.run('hash-password')).toBe(0);
    expect(asked.questions).toEqual(['Password: ']);
    const read = new FakeShell({ piped: ['paintings\n'] });
    expect(await read.run('hash-password')).toBe(0);
    const stored = readHash(read.output);
    expect(stored !== undefined && (await isPassword('paintings', stored))).toBe(true);
  });

  it('takes none that is too short', async () => {
    const shell = new FakeShell({ piped: ['abc'] });
    expect(await shell.run('hash-password')).toBe(2);
    expect(shell.errors).toContain('a password has 8 to 1000 characters; this one has 3');
  });
});
