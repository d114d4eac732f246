import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { book } from '../../src/store/energy-records.ts';
import { addToJournal } from '../../src/store/journal.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { keepTariff } from '../../src/store/tariffs.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';

const KWH = 1_000_000;

describe('at a shell, beside a bridge that runs,', () => {
  let folder: string;
  let store: Store;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
    const clock = new ManualClock();
    store = openStore(join(folder, 'data'), { clock, log: memoryLog().log });
    const end = new AbortController();
    const ended = store.run(end.signal, () => {});
    stop = () => {
      end.abort();
      return ended;
    };
    keepTariff(store, { currency: 'EUR', price: 0.3, bands: [] }, 20250101);
  });
  afterEach(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });

  const run = async (...argv: string[]) => {
    const shell = new FakeShell({ clock: new ManualClock() });
    const code = await shell.run(...argv, '--data-dir', join(folder, 'data'));
    return { code, lines: shell.printed, errors: shell.errorLines };
  };

  const use = (path: string, day: number, kwh: number) =>
    store.transaction(() => book(store, { outlet: path, path, day, band: '', energy: kwh * KWH, late: 0 }));

  it('the energy of plugs and places is told as a table, with its cost', async () => {
    use('east/lamp', 20251230, 2);
    use('shed', 20251231, 1);

    const { code, lines } = await run('energy');
    expect(code).toBe(0);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['kind', 'period', 'path', 'kWh', 'EUR'],
      ['place', '(site)', '3.000', '0.90'],
      ['place', 'east', '2.000', '0.60'],
      ['plug', 'east/lamp', '2.000', '0.60'],
      ['plug', 'shed', '1.000', '0.30'],
    ]);
  });

  it('the energy of one place is told day by day as CSV', async () => {
    use('east/lamp', 20251230, 2);
    use('shed', 20251231, 1);

    const { lines } = await run('energy', '--place', 'east', '--by', 'day', '--from', '2025-12-01', '--csv');
    expect(lines.join('\n').split('\r\n')).toEqual([
      'kind,period,path,kWh,EUR',
      'place,2025-12-30,east,2.000,0.60',
      'plug,2025-12-30,east/lamp,2.000,0.60',
    ]);
  });

  it('a day that is none is refused, and a site that counted nothing says so', async () => {
    expect((await run('energy', '--from', 'yesterday')).code).toBe(2);
    expect((await run('energy')).errors.join()).toContain('nothing was counted');
  });

  it('the journal is told oldest first, with who it was and what is missing', async () => {
    const entry = {
      at: Date.parse('2026-01-01T11:00:00Z'),
      user: null,
      outcome: null,
      ms: null,
      detail: null,
    };
    store.transaction(() => {
      addToJournal(store, { ...entry, kind: 'relay', path: 'shed', what: 'ON', origin: 'plug' });
      addToJournal(store, {
        ...{
          ...entry,
          kind: 'receipt',
          path: '',
          what: 'OFF',
          origin: 'web',
          user: 'anna',
          outcome: 'partial',
        },
        ...{ ms: 41, detail: { missing: [{ path: 'barn/loft', reason: 'timeout' }] } },
      });
    });

    const { lines } = await run('journal');
    expect(lines).toEqual([
      '2026-01-01T12:00:00+01:00  shed  ON  by plug',
      '2026-01-01T12:00:00+01:00  (site)  OFF  partial in 41 ms  by anna  missing: barn/loft',
    ]);
    expect((await run('journal', '--kind', 'relay', '--json')).lines).toHaveLength(1);
  });
});
