import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeShell } from '../support/fake-shell.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hs110-user-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function user(words: readonly string[], piped: readonly string[] = []) {
  const shell = new FakeShell({ piped });
  const code = await shell.run('user', ...words, '--data-dir', dataDir);
  return { code, output: shell.output, errors: shell.errors };
}

describe('user', () => {
  it('adds users with a role and places, lists and removes them', async () => {
    expect(await user(['add', 'anna', '--role', 'admin'], ['paintings\n'])).toMatchObject({
      code: 0,
      output: 'anna was added',
    });
    await user(['add', 'ben', '--place', 'east-wing', '--place', 'shed3'], ['lamplight\n']);
    const { output } = await user(['list', '--json']);
    await user(['remove', 'ben']);

    expect(JSON.parse(output)).toEqual([
      { name: 'anna', role: 'admin', places: null },
      { name: 'ben', role: 'staff', places: ['east-wing', 'shed3'] },
    ]);
    expect((await user(['list'])).output).not.toContain('ben');
    expect((await user(['remove', 'anna'])).output).toContain('without users only this machine');
  });

  it.each([
    [['add', 'ben'], 'paintings', 'the first user must be an admin'],
    [['add', 'ben', '--role', 'admin'], 'short', 'a password has 8'],
    [['remove', 'nobody'], '', 'there is no user nobody'],
    [['password', 'nobody'], 'paintings', 'there is no user nobody'],
  ])('says what is wrong with %j', async (words, password, problem) => {
    const { code, errors } = await user(words, [password]);

    expect(code).toBe(2);
    expect(errors).toContain(problem);
  });

  it('never takes the name of a user twice, in whatever case', async () => {
    await user(['add', 'anna', '--role', 'admin'], ['paintings']);

    expect(await user(['add', 'Anna', '--role', 'viewer'], ['paintings'])).toMatchObject({ code: 2 });
  });
});
