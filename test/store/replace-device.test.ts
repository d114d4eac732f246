import { describe, expect, it } from 'vitest';
import { keepMeter } from '../../src/store/energy-records.ts';
import { replaceDevice } from '../../src/store/replace-device.ts';
import { memoryStore } from '../support/memory-store.ts';

const OLD = '50:C7:BF:00:00:01';
const NEW = '50:C7:BF:00:00:02';

const meter = (lifetime: number) => ({
  lifetime,
  total: 5,
  at: 1,
  booked: { at: 1, day: 20_260_101, energy: 2, lifetime },
  lamp: { verdict: 'ok' as const, learnt: 40, samples: [] },
});

const outlet = (relay: boolean) => ({ relay, timer: null, disarm: false });

describe('new hardware', () => {
  it('has what is kept of the old: what is wanted, its energy and its lamp, but not what its counters showed', () => {
    const store = memoryStore();
    store.keepOutlet(OLD, outlet(true));
    store.keepOutlet(NEW, outlet(false));
    keepMeter(store, OLD, meter(7_000_000));
    keepMeter(store, NEW, meter(3));
    replaceDevice(store, OLD, NEW);
    expect(store.outlet(NEW, 'x')).toMatchObject({ relay: true });
    expect(store.outlet(OLD, 'x')).toBeUndefined();
    expect(store.meter(NEW)).toEqual({ ...meter(7_000_000), total: null, booked: null });
    expect(store.meter(OLD)).toBeUndefined();
  });

  it('keeps its own where nothing is kept of the old, and takes over every outlet', () => {
    const store = memoryStore();
    store.keepOutlet(NEW, outlet(true));
    replaceDevice(store, OLD, NEW);
    expect(store.outlet(NEW, 'x')).toMatchObject({ relay: true });
    store.keepOutlet(`${OLD} 00`, outlet(true));
    store.keepOutlet(`${OLD} 01`, outlet(false));
    replaceDevice(store, OLD, NEW);
    expect([store.outlet(`${NEW} 00`, 'x')?.relay, store.outlet(`${NEW} 01`, 'x')?.relay]).toEqual([
      true,
      false,
    ]);
  });
});
