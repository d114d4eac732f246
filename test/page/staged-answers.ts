import type { BrowserContext } from 'playwright-core';
import type { Energy, EnergyRow, History, JournalEntry, Problem } from '../../src/web/page/wire.ts';

/*
 * What a museum that has run for a year would answer, for pictures and for views that a simulated site of a minute has
 * nothing to show in. The live state is the bridge's own.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LAMPS = ['shed1', 'shed2', 'shed3', 'barn/loft', 'barn/workshop'];
const WING = ['east-wing/lamp-1', 'east-wing/lamp-2', 'east-wing/entrance'];

const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS).toISOString();

const problems: readonly Problem[] = [
  { kind: 'offline', path: 'barn/loft', since: ago(72), reason: 'timeout', cure: '', group: 'barn' },
  { kind: 'offline', path: 'barn/workshop', since: ago(72), reason: 'timeout', cure: '', group: 'barn' },
  { kind: 'lamp-out', path: 'east-wing/lamp-2', since: ago(2900), reason: null, cure: '', group: null },
  { kind: 'weak-signal', path: 'shed1', since: ago(300), reason: '-84 dBm', cure: '', group: null },
];

function entry(id: number, minutes: number, given: Partial<JournalEntry>): JournalEntry {
  return {
    ...{ id, at: ago(minutes), kind: 'relay', path: 'shed2', what: 'OFF', origin: 'web', user: 'Anna' },
    ...{ outcome: null, ms: null, detail: null },
    ...given,
  };
}

const entries: readonly JournalEntry[] = [
  entry(9, 2, { kind: 'receipt', path: '', outcome: 'partial', detail: { confirmed: 58, total: 60 } }),
  entry(8, 3, { user: 'Bert' }),
  entry(7, 64, { path: 'east-wing/entrance', origin: 'plug', user: null }),
  entry(6, 300, { path: 'east-wing/lamp-1', what: 'ON', origin: 'schedule', user: null }),
  entry(5, 301, { path: 'shed3', what: 'ON', origin: 'bridge', user: null }),
  entry(4, 2900, { kind: 'lamp', path: 'east-wing/lamp-2', what: 'out', origin: 'bridge', user: null }),
];

/** A day of a lamp that burns from eight to five, with an hour of which nothing is known. */
function history(): History {
  const now = Math.floor(Date.now() / MINUTE_MS) * 60;
  const points: [number, number, number, number][] = [];
  for (let time = now - 86_400; time <= now; time += 60) {
    const hour = new Date(time * 1000).getUTCHours();
    if (hour === 3) continue;
    const watts = hour >= 8 && hour < 17 ? 60 + Math.round(4 * Math.sin(time / 5000)) / 2 : 0;
    points.push([time, watts, watts, watts + 1]);
  }
  return { resolution: 60, points };
}

function energy(query: URLSearchParams): Energy {
  const plug = query.get('plug');
  const month = (query.get('from') ?? '').slice(0, 7);
  return { currency: 'EUR', rows: plug === null ? siteRows(month) : plugRows(plug, query.get('by')) };
}

function siteRows(period: string): EnergyRow[] {
  const row = (path: string, kind: 'plug' | 'place', kwh: number): EnergyRow => ({
    ...{ path, kind, period, kwh, cost: kwh * 0.31 },
    incomplete: path === 'barn/loft',
  });
  const plugs = [...LAMPS, ...WING].map((path, index) =>
    row(path, 'plug', [31, 28.4, 44.1, 90, 71.4, 18, 18.2, 28][index] ?? 0),
  );
  return [row('', 'place', 329.1), row('barn', 'place', 161.4), row('east-wing', 'place', 64.2), ...plugs];
}

function plugRows(path: string, by: string | null): EnergyRow[] {
  const [count, ms, length] = by === 'day' ? [14, DAY_MS, 10] : [12, 30.4 * DAY_MS, 7];
  const rows = Array.from({ length: count }, (_, index) => ({
    ...{ path, kind: 'plug' as const, cost: null, incomplete: false },
    period: new Date(Date.now() - (count - 1 - index) * ms).toISOString().slice(0, length),
    kwh: by === 'day' ? 0.4 + ((index * 7) % 5) / 20 : 11 + ((index * 5) % 7),
  }));
  // Of one of them nothing is known.
  return rows.filter((_, index) => index !== 5);
}

const found = [
  {
    ...{ mac: '50:C7:BF:12:34:56', address: '192.168.1.77:9999', alias: 'TP-LINK_Smart Plug_3456' },
    model: 'HS110(EU)',
  },
];

const users = [
  { name: 'Anna', role: 'admin', places: null },
  { name: 'Bert', role: 'staff', places: ['barn', 'east-wing'] },
  { name: 'Cees', role: 'viewer', places: null },
];

const kiosks = [{ id: 'k1', name: 'Tablet at the entrance', role: 'staff', places: ['east-wing'] }];

/** Answers for the bridge what a site has gathered in a year. */
export async function stage(context: BrowserContext): Promise<void> {
  const answers: { readonly [path: string]: (query: URLSearchParams) => object } = {
    problems: () => ({ problems }),
    journal: () => ({ entries }),
    history,
    energy,
    found: () => ({ found }),
    users: () => ({ users }),
    kiosks: () => ({ kiosks }),
    tokens: () => ({ tokens: [] }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await context.route(
      ({ pathname }) => pathname === `/api/${name}` || pathname.startsWith(`/api/${name}/`),
      async (route) => {
        const { searchParams } = new URL(route.request().url());
        const isKiosk = route.request().method() === 'POST';
        await route.fulfill({
          json: isKiosk ? { ...kiosks[0], token: 'k7f3kq0s8d2m5v9w1x4z6' } : answer(searchParams),
        });
      },
    );
  }
}
