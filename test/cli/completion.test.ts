import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { FakeShell } from '../support/fake-shell.ts';

async function script(shell: string): Promise<string> {
  const fake = new FakeShell();
  expect(await fake.run('completion', shell)).toBe(0);
  return fake.output;
}

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const line = ['hs110-mqtt', ...words];
  const ask = `COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _hs110_mqtt; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${await script('bash')}\n${ask}`], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.trim().split('\n').filter(Boolean);
}

describe('the completion of a shell', () => {
  it('offers every verb, and the options of the bridge', async () => {
    const words = await offered('');
    for (const verb of ['demo', 'doctor', 'discover', 'plug', 'set', 'status']) expect(words).toContain(verb);
    expect(await offered('doc')).toEqual(['doctor']);
    expect(await offered('--poll-in')).toEqual(['--poll-interval']);
    expect(await offered('--mqtt-pass')).toEqual([]);
  });

  it('offers what may follow a verb, wherever that stands', async () => {
    expect(await offered('config', 'ch')).toEqual(['check']);
    expect(await offered('plug', '192.168.1.145', 'reb')).toEqual(['reboot']);
    expect(await offered('--config', 'museum.yaml', 'doctor', '--bun')).toEqual(['--bundle']);
    expect(await offered('completion', '')).toEqual(expect.arrayContaining(['bash', 'fish', 'zsh']));
  });

  it('is made for zsh and fish too', async () => {
    expect(await script('zsh')).toContain('bashcompinit');
    const fish = await script('fish');
    expect(fish).toContain(
      "complete -c hs110-mqtt -n '__fish_use_subcommand' -a doctor -d 'look at configuration",
    );
    expect(fish).toContain("-n '__fish_seen_subcommand_from set' -l ttl -d");
    for (const line of fish.split('\n').slice(1)) expect(line).toMatch(/^complete -c hs110-mqtt .* -d '.*'$/);
  });
});
