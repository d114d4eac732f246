import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SECRETS = ['ann@home.example', 'hush', 'HomeNet', '52520008', '12:34:56', 'Kitchen of Ann'];

/** What statements write to the log of the program, which goes to standard error of a process. */
function logged(format: 'json' | 'pretty', level: string, statements: string): string {
  const module = fileURLToPath(new URL('../src/log.ts', import.meta.url));
  const script = `
    const { createLog } = await import(${JSON.stringify(module)});
    const log = await createLog(${JSON.stringify({ level, format })}, console.error);
    ${statements}`;
  const argv = [
    '-c',
    `"$0" --import tsx --input-type=module -e "$1" 2>&1 >/dev/null`,
    process.execPath,
    script,
  ];
  return execFileSync('sh', argv, { encoding: 'utf8' });
}

describe('the log', () => {
  it.each(['json', 'pretty'] as const)('never shows what is nobody’s business, in the form %s', (format) => {
    const text = logged(
      format,
      'info',
      `const plug = {
        username: 'ann@home.example', password: 'hush', ssid: 'HomeNet', latitude_i: 52520008,
        mac: '50:C7:BF:12:34:56', alias: 'Kitchen of Ann', relay_state: 1,
      };
      log.info(plug, 'at the top');
      log.warn({ plug }, 'one level down');
      log.child(plug).error('in a child');`,
    );
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    for (const said of [
      'at the top',
      'one level down',
      'in a child',
      '[Redacted]',
      'relay_state',
      '50:C7:BF:00:00:00',
    ])
      expect(text).toContain(said);
  });

  it('is one JSON object a line, without the name of the machine', () => {
    const lines = logged('json', 'info', `log.info({ a: 1 }, 'one'); log.error('two');`).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 30, time: expect.any(Number), a: 1, msg: 'one' },
      { level: 50, time: expect.any(Number), msg: 'two' },
    ]);
  });

  it('leaves out what is below its level', () => {
    expect(logged('json', 'warn', `log.info('quiet'); log.warn('loud');`)).toMatch(/^[^\n]*loud[^\n]*\n$/);
  });
});
