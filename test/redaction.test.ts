import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTIONS, redact, redactValue } from '../src/redaction.ts';

describe('redaction', () => {
  it.each([
    ['mac', '50:C7:BF:12:34:56', '50:C7:BF:00:00:00'],
    ['mac', '50c7bf123456', '50c7bf000000'],
    ['mic_mac', '50-C7-BF-12-34-56', '50-C7-BF-00-00-00'],
    ['deviceId', '8006ABCD', '00000000'],
    ['hwId', 'ABCD', '0000'],
    ['latitude', 52.520008, 0],
    ['longitude_i', 134049, 0],
    ['ssid', 'home', '[Redacted]'],
    ['username', 'ann@home.example', '[Redacted]'],
    ['username', '', ''],
    ['password', 5, '[Redacted]'],
    ['alias', 'Kitchen of Ann', 'Plug'],
    ['id', `8006${'AB'.repeat(18)}03`, `${'0'.repeat(40)}03`],
    ['id', 'A1'.repeat(16), 'A1'.repeat(16)],
    ['icon', 'data:image/png;base64,iVBORw0KGgo', '[Redacted]'],
    ['icon_hash', '', ''],
    ['icon_hash', '4D5F6E', '[Redacted]'],
    ['server', 'plugs.ann.example', '[Redacted]'],
    ['server', 'n-devs.tplinkcloud.com', 'n-devs.tplinkcloud.com'],
    ['server', 'tplinkcloud.com.ann.example', '[Redacted]'],
    ['server', '', ''],
    ['rule_list', [{ id: 'A1B2', name: 'Ann away' }, 'odd'], [{ id: '0001', name: 'Rule' }, 'odd']],
    [
      'rule_list',
      [
        { id: '4E', stime_opt: 0, smin: 450, etime_opt: -1, emin: 0 },
        { id: '5F', stime_opt: 1, smin: 312, etime_opt: 2, emin: 1275 },
      ],
      [
        { id: '01', stime_opt: 0, smin: 450, etime_opt: -1, emin: 0 },
        { id: '02', stime_opt: 1, smin: 0, etime_opt: 2, emin: 0 },
      ],
    ],
    [
      'get_next_action',
      { type: 1, id: 'A1B2', schd_sec: 18_720, action: 1, err_code: 0 },
      { type: 1, id: '0000', schd_sec: 0, action: 1, err_code: 0 },
    ],
    ['next_action', { type: 1, schd_time: 18_720 }, { type: 1, schd_time: 0 }],
    ['relay_state', 1, 1],
  ])('shows %s %j as %j', (key, value, shown) => {
    expect(redactValue(key, value)).toEqual(shown);
  });

  it('reaches every depth and leaves the rest as it was', () => {
    const plug = { relay_state: 1, children: [{ alias: 'Left', state: 0 }], mac: null };
    expect(redact({ a: [plug] })).toEqual({
      a: [{ relay_state: 1, children: [{ alias: 'Plug', state: 0 }], mac: null }],
    });
  });

  it('cuts what is nested deeper than anything a plug says', () => {
    let deep: unknown = { password: 'hush' };
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(JSON.stringify(redact(deep))).not.toContain('hush');
  });

  it('hides a secret in whatever shape it comes', () => {
    const marker = 'Ann of 52.520008';
    const keys = [...REDACTIONS.keys()].filter(
      (key) => !['id', 'rule_list', 'next_action', 'get_next_action'].includes(key),
    );
    const shape = fc.constantFrom<unknown>(marker, [marker], { marker }, [[{ a: marker }]]);
    fc.assert(
      fc.property(fc.constantFrom(...keys), shape, (key, value) => {
        expect(JSON.stringify(redact({ deep: [{ [key]: value }] }))).not.toContain(marker);
      }),
    );
  });

  it('is done in the log too', () => {
    const line = logged(
      "log.info({ mac: '50:C7:BF:12:34:56', plug: { ssid: 'home', rssi: -50 }, password: 'hush' }, 'seen')",
    );
    expect(line).toMatchObject({
      mac: '50:C7:BF:00:00:00',
      plug: { ssid: '[Redacted]', rssi: -50 },
      password: '[Redacted]',
      msg: 'seen',
    });
  });
});

/** What a statement writes to the log, which goes to standard error of a process. */
function logged(statement: string): unknown {
  const module = fileURLToPath(new URL('../src/log.ts', import.meta.url));
  const script = `
    const { createLog } = await import(${JSON.stringify(module)});
    const log = await createLog({ level: 'info', format: 'json' }, console.error);
    ${statement};`;
  const argv = ['-c', `"$0" --import tsx --input-type=module -e "$1" 2>&1`, process.execPath, script];
  return JSON.parse(execFileSync('sh', argv, { encoding: 'utf8' }));
}
