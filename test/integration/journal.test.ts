import { describe, expect, it } from 'vitest';
import { isObject, objectsAt } from '../../src/protocol/json.ts';
import { sleep } from '../../src/runtime/clock.ts';
import { Site, SURROUNDINGS } from '../support/site.ts';

describe('the journal of a bridge', () => {
  it('has each change of a relay and each receipt, with who it was', async () => {
    await using site = await Site.open(['shed3', 'east/lamp'], { web: { listen: '127.0.0.1:0' } });
    await site.observer.json('museum', ({ unknown }) => unknown === 0);
    const url = String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ target: 'east', state: 'ON', id: 'x1' });
    await fetch(`${url}api/commands`, { method: 'POST', headers, body });
    site.plug('shed3').device.press();
    await site.observer.json('museum', ({ on }) => on === 2);

    const entries = await entriesOf(url, 3);
    expect(entries).toMatchObject([
      { path: 'shed3', kind: 'relay', what: 'ON', origin: 'plug', user: null },
      expect.anything(),
      expect.anything(),
    ]);
    expect(entries).toContainEqual(
      expect.objectContaining({ path: 'east/lamp', kind: 'relay', what: 'ON', origin: 'web' }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({
        path: 'east',
        kind: 'receipt',
        what: 'ON',
        origin: 'web',
        outcome: 'confirmed',
        detail: { id: 'x1', confirmed: 1, total: 1, missing: [] },
      }),
    );
  });
});

/** The entries, once there are so many: they are written together, a second later at most. */
async function entriesOf(url: string, count: number): Promise<readonly unknown[]> {
  for (let tries = 0; tries < 200; tries++) {
    const answer: unknown = await (await fetch(`${url}api/journal`)).json();
    const entries = isObject(answer) ? objectsAt(answer, 'entries') : [];
    if (entries.length >= count) return entries;
    await sleep(SURROUNDINGS.clock, 50);
  }
  throw new Error(`there are no ${count} entries`);
}
