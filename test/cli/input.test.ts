import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readAll, StandardInput } from '../../src/cli/input.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

/** A terminal in memory: what is written to `keys` is typed, `shown` is what stands on the screen. */
function terminal() {
  const keys = new PassThrough();
  const output = new PassThrough();
  const screen: string[] = [];
  output.on('data', (chunk) => screen.push(String(chunk)));
  const stop = new AbortController();
  const input = new StandardInput({
    input: () => keys,
    output,
    isTerminal: true,
    signal: stop.signal,
    interrupt: () => stop.abort(),
  });
  return { keys, input, stop, shown: () => screen.join('') };
}

describe('a question at the terminal', () => {
  it('is shown, and the line typed is the answer', async () => {
    const { keys, input, shown } = terminal();
    const answer = input.ask('Go ahead? ');
    await until(() => shown().includes('Go ahead? '), 'the question');
    keys.write('yes\r');
    expect(await answer).toBe('yes');
  });

  it('has no answer when the input ends', async () => {
    const { keys, input } = terminal();
    const answer = input.ask('Go ahead? ');
    keys.end();
    expect(await answer).toBeUndefined();
  });

  it('does not show a secret', async () => {
    const { keys, input, shown } = terminal();
    const answer = input.askSecretly('Password: ');
    await until(() => shown().includes('Password: '), 'the question');
    keys.write('pä\u007fass word\r');
    expect(await answer).toBe('pass word');
    expect(shown()).toBe('Password: \n');
  });

  it.each(['ask', 'askSecretly'] as const)('is given up with Ctrl-C (%s)', async (how) => {
    const { keys, input, shown, stop } = terminal();
    const answer = rejectionOf(input[how]('Well? '));
    await until(() => shown().includes('Well? '), 'the question');
    keys.write('half\u0003');
    expect(await answer).toHaveProperty('code', 'interrupted');
    expect(stop.signal.aborted).toBe(true);
  });

  it('is not asked any more once the program is to end', async () => {
    const { input, stop, shown } = terminal();
    stop.abort();
    expect(await rejectionOf(input.ask('Well? '))).toHaveProperty('code', 'interrupted');
    expect(shown()).not.toContain('Well?');
  });
});

describe('what is piped in', () => {
  it('is read to its end', async () => {
    const { keys, input } = terminal();
    const all = readAll(input);
    keys.write('one ');
    keys.end('two');
    expect(String(await all)).toBe('one two');
  });

  it('is left when the program is to end', async () => {
    const { keys, input, stop } = terminal();
    const all = rejectionOf(readAll(input));
    keys.write('one ');
    stop.abort();
    expect(await all).toHaveProperty('code', 'interrupted');
  });
});
