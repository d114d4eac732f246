import type { Store } from './store.ts';

/** New hardware has taken the place of other: what is kept of the outlets of the old one is that of the new one's. */
export function replaceDevice(store: Store, before: string, now: string): void {
  // What waits to be written of the old one goes with it.
  store.transaction(() => {});
  store.transaction(() => {
    for (const sql of STEPS) store.write(sql, [now, before]);
  });
}

/** An outlet's key is the MAC of its device, or begins with that and a space; `?1` is the new MAC, `?2` the old one. */
const isOf = (mac: string, column: string) => `substr(${column}, 1, 17) = ${mac}`;

const STEPS = [
  `DELETE FROM outlet WHERE ${isOf('?1', 'key')} AND EXISTS (SELECT 1 FROM outlet WHERE ${isOf('?2', 'key')})`,
  `UPDATE outlet SET key = ?1 || substr(key, 18) WHERE ${isOf('?2', 'key')}`,
  `DELETE FROM meter WHERE ${isOf('?1', 'outlet')} AND EXISTS (SELECT 1 FROM meter WHERE ${isOf('?2', 'outlet')})`,
  // What the old hardware's own counters showed says nothing about those of the new one.
  `UPDATE meter SET outlet = ?1 || substr(outlet, 18), total = NULL, booked = NULL WHERE ${isOf('?2', 'outlet')}`,
  `DELETE FROM series WHERE ${isOf('?1', 'outlet')} AND EXISTS (SELECT 1 FROM series WHERE ${isOf('?2', 'outlet')})`,
  `UPDATE series SET outlet = ?1 || substr(outlet, 18) WHERE ${isOf('?2', 'outlet')}`,
];
