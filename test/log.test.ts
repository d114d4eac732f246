import fc from 'fast-check';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { createLog } from '../src/log.ts';

const SECRETS = ['ann@home.example', 'hush', 'HomeNet', '52520008', '12:34:56', 'Kitchen of Ann'];

const FORMATS = ['json', 'pretty'] as const;

/** What the program's log prints of what is logged, a line an entry. */
async function logged(
  format: 'json' | 'pretty',
  level: string,
  write: (log: Logger) => void,
): Promise<string[]> {
  const lines: string[] = [];
  write(await createLog({ level, format }, (line) => lines.push(line)));
  return lines;
}

/** Without the colours that pino-pretty puts around its own words. */
function bare(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');
}

describe('the log', () => {
  it.each(FORMATS)('never shows what is nobody’s business, in the form %s', async (format) => {
    const plug = {
      username: 'ann@home.example',
      password: 'hush',
      ssid: 'HomeNet',
      latitude_i: 52520008,
      mac: '50:C7:BF:12:34:56',
      alias: 'Kitchen of Ann',
      relay_state: 1,
    };
    const text = (
      await logged(format, 'info', (log) => {
        log.info(plug, 'at the top');
        log.warn({ plug }, 'one level down');
        log.warn({ found: { first: [{ plug }] } }, 'four levels down');
        log.child(plug).error('in a child');
      })
    ).join('\n');
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    for (const said of ['at the top', 'one level down', 'four levels down', 'in a child'])
      expect(text).toContain(said);
    for (const said of ['[Redacted]', 'relay_state', '50:C7:BF:00:00:00']) expect(text).toContain(said);
  });

  it('is one JSON object a line, without the name of the machine', async () => {
    const lines = await logged('json', 'info', (log) => {
      log.info({ a: 1 }, 'one');
      log.error('two');
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 30, time: expect.any(Number), a: 1, msg: 'one' },
      { level: 50, time: expect.any(Number), msg: 'two' },
    ]);
  });

  it('leaves out what is below its level', async () => {
    const lines = await logged('json', 'warn', (log) => {
      log.info('quiet');
      log.warn('loud');
    });
    expect(lines).toEqual([expect.stringContaining('loud')]);
  });

  const FORGED = 'Lamp\n[12:00:00] \u001b[32mINFO\u001b[39m: all is off\u009b2J\u202eFFO\u2028\u{e0041}';

  it.each(FORMATS)(
    'shows no line and no colour that a foreign text forged, in the form %s',
    async (format) => {
      const lines = await logged(format, 'info', (log) => {
        log.info({ name: FORGED, plug: { named: [FORGED], [FORGED]: 1 } }, 'taken in');
        log.warn({ err: new Error(FORGED) }, 'failed');
        log.child({ topic: FORGED }).info(FORGED);
      });
      expect(lines).toHaveLength(3);
      for (const line of lines) {
        const text = bare(line);
        expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u);
        expect(text).not.toMatch(/\n\[12:00:00\]/);
        expect(
          text
            .split('\n')
            .slice(1)
            .every((more) => /^ {4}|^}/.test(more)),
        ).toBe(true);
      }
    },
  );

  it.each(FORMATS)('cuts texts that are too long, in the form %s', async (format) => {
    const [line = ''] = await logged(format, 'info', (log) =>
      log.info({ name: 'x'.repeat(1e6), plug: { named: 'y'.repeat(1e6) } }, 'taken in'),
    );
    expect(line.length).toBeLessThan(3000);
  });

  it('is JSON a line whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.string({ unit: 'binary' }), async (value, text) => {
        const [line = ''] = await logged('json', 'info', (log) => log.info({ value, text }, text));
        expect(line).not.toMatch(/[\p{Cc}\u202e\u009b]/u);
        expect(JSON.parse(line)).toHaveProperty('msg');
      }),
    );
  });
});
