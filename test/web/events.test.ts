import { describe, expect, it } from 'vitest';
import { Names } from '../../src/bridge/names.ts';
import { Events, type Listener } from '../../src/web/events.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A page that keeps what it is told, in the form of buffers. */
class Page implements Listener {
  readonly places: readonly string[] | null;
  readonly heard: Buffer[] = [];
  waiting = 0;
  ended = 0;

  constructor(places: readonly string[] | null = null) {
    this.places = places;
  }

  write(bytes: Buffer): void {
    this.heard.push(bytes);
  }

  isAllowed(): boolean {
    return true;
  }

  end(): void {
    this.ended++;
  }
}

function setUp() {
  const clock = new ManualClock();
  const bridge = new FakeBridge('shed3', 'east-wing/lamp-1');
  const names = new Names({ site: 'museum', plugs: new Map(), places: new Map(), areas: 'off' });
  const journal = { onAdded: () => () => {} };
  const events = new Events({ bridge, names, journal, epoch: 'run', clock });
  events.start();
  return { clock, bridge, events };
}

describe('the stream of events', () => {
  it('drops a page that does not read, and goes on for the others', async () => {
    const { clock, bridge, events } = setUp();
    const [slow, good] = [new Page(), new Page()];
    for (const page of [slow, good]) events.add(page, undefined);
    slow.waiting = 5_000_000;
    bridge.seen('shed3', true);
    await clock.advance(100);

    expect([slow.ended, good.ended]).toEqual([1, 0]);
    expect(slow.heard).toHaveLength(1);
    expect(good.heard.at(-1)?.toString()).toContain('event: change');
    expect(events.listeners).toBe(1);
  });

  it('tells what changes within a moment together, written down once for all who see the same', async () => {
    const { clock, bridge, events } = setUp();
    const pages = [new Page(), new Page(), new Page(['east-wing'])];
    for (const page of pages) events.add(page, undefined);
    bridge.seen('shed3', true);
    bridge.seen('east-wing/lamp-1', true);
    await clock.advance(100);

    const [one, other, limited] = pages.map(({ heard }) => heard.slice(1));
    expect(one).toHaveLength(1);
    expect(one?.[0]).toBe(other?.[0]);
    expect(limited?.[0]?.toString()).toContain('east-wing/lamp-1');
    expect(limited?.[0]?.toString()).not.toContain('shed3');
  });

  it('beats every 15 seconds', async () => {
    const { clock, events } = setUp();
    const page = new Page();
    events.add(page, undefined);
    await clock.advance(30_000);

    expect(page.heard.filter((bytes) => bytes.toString().startsWith('event: ping'))).toHaveLength(2);
  });
});
