import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dangersIn } from '../../src/plug/dangers.ts';
import { PRESETS } from '../../src/plug/presets/presets.ts';
import { ShellPlug } from '../support/shell-plug.ts';

let plug: ShellPlug;

beforeEach(async () => {
  plug = await ShellPlug.started();
});

afterEach(() => plug.stop());

const DANGEROUS: readonly (readonly string[])[] = [
  ['reboot'],
  ['reset'],
  ['erase'],
  ['schedule', 'clear'],
  ['cloud', 'unbind'],
  ['cloud', 'server', 'local.invalid'],
  ['send', '{"system":{"get_sysinfo":{},"reboot":{"delay":1}}}'],
  ['send', '{"emeter":{"start_calibration":{"vtarget":1,"itarget":1}}}'],
  ['send', '{"smartlife.iot.common.system":{"reset":null}}'],
];

describe('what is dangerous', () => {
  it.each(DANGEROUS.map((words) => [words]))(
    'is not done by a script that does not say --yes: %j',
    async (words) => {
      const { code, errors } = await plug.run(words);
      expect(errors).toMatch(/^hs110-mqtt: nothing was done: .*--yes does it without asking$/);
      expect(code).toBe(2);
      expect(plug.queries).toEqual([]);
    },
  );

  it.each(DANGEROUS.map((words) => [words]))(
    'is asked of a person first, who may decline: %j',
    async (words) => {
      for (const answer of ['', 'n', 'no', 'yellow']) {
        const { code, errors } = await plug.run(words, { typed: [answer] });
        expect(errors).toMatch(/^This .*\nhs110-mqtt: nothing was done$/);
        expect(code).toBe(1);
      }
      for (const query of plug.queries) expect(query).toEqual({ system: { get_sysinfo: {} } });
    },
  );

  it('is done when the person agrees, who is told which plug it is', async () => {
    const { code, questions, output } = await plug.run(['reboot'], { typed: ['y'] });
    expect(questions).toEqual(['Plug: Loom, HS110(EU), 50:C7:BF:00:00:01, at 127.0.0.1. Go ahead? [y/N] ']);
    expect(output).toBe('Done: it restarts in a second.');
    expect(code).toBe(0);
  });

  it('does not get through behind a key that is written twice', async () => {
    const { code } = await plug.run(['send', '{"system":{"reset":{}},"system":{"get_sysinfo":{}}}']);
    expect(code).toBe(0);
    expect(plug.queries).toEqual([{ system: { get_sysinfo: {} } }]);
  });

  it('is none of the presets that only read', () => {
    const circumstances = { date: 0, timeZone: 'UTC', before: { time: { get_time: TIME } } };
    for (const preset of PRESETS.filter(({ readOnly }) => readOnly)) {
      const { query } = preset.plan([], circumstances);
      expect(dangersIn(query)).toEqual([]);
      for (const methods of Object.values(query)) {
        for (const method of Object.keys(methods)) expect(method).toMatch(/^get_/);
      }
    }
  });
});

const TIME = { year: 2026, month: 1, mday: 1, hour: 0, min: 0, sec: 0 };
