import { describe, expect, it } from 'vitest';
import { OutletMeter } from '../../src/bridge/outlet-meter.ts';
import {
  type ExpectedChange,
  observe as observeMetered,
  offline,
  type PlugState,
  unseen,
  withStatistics,
} from '../../src/bridge/plug-state.ts';
import type { Observation } from '../../src/plug/plug-client.ts';
import type { Statistics } from '../../src/plug/statistics.ts';
import type { MeterReading, Sysinfo } from '../../src/protocol/replies.ts';

const SYSINFO: Sysinfo = {
  kind: 'plug',
  alias: 'Lamp',
  model: 'HS110(EU)',
  hardware: '2.0',
  firmware: '1.5.4',
  mac: '50:C7:BF:00:00:01',
  hasMeter: true,
  hasSensors: false,
  relay: true,
  led: true,
  rssi: -52,
  outlets: [],
  light: undefined,
  onTimeS: 10,
};
const METER: MeterReading = { power: 40.00049, voltage: 230.1, current: 0.1744, energy: 1.5 };

function answer(sysinfo: Partial<Sysinfo> = {}, meter: Partial<MeterReading> | undefined = {}): Observation {
  return { sysinfo: { ...SYSINFO, ...sysinfo }, meter: meter && { ...METER, ...meter } };
}

/** Observes a plug whose meter was never read before. */
function observe(
  before: PlugState,
  seen: Observation,
  { at, expected }: { at: number; expected?: ExpectedChange | undefined },
): PlugState {
  const meter = new OutletMeter(undefined);
  meter.read(seen.meter, seen.sysinfo.relay ?? null, { now: at, date: at });
  return observeMetered(before, seen, { at, meter, expected });
}

const observed = (seen: Observation, at = 100_000, before: PlugState = unseen('lamp')) =>
  observe(before, seen, { at });

describe('what is known of a plug after it answered', () => {
  it('is what it said, to the thousandth', () => {
    expect(observed(answer())).toMatchObject({
      availability: 'online',
      relay: true,
      led: true,
      rssi: -52,
      power: 40,
      voltage: 230.1,
      current: 0.174,
      energy: 1.5,
      energyBoot: 1.5,
      onSince: 90_000,
      lastSeen: 100_000,
    });
  });

  it('is nothing more than it said: what it leaves out becomes unknown, never zero nor what it was', () => {
    const silent = { relay: undefined, led: undefined, rssi: undefined, onTimeS: undefined };
    const before = observed(answer());
    const after = observe(before, { sysinfo: { ...SYSINFO, ...silent }, meter: undefined }, { at: 105_000 });
    expect(after).toMatchObject({
      relay: null,
      led: null,
      rssi: null,
      power: null,
      voltage: null,
      current: null,
      energy: null,
      energyBoot: null,
      onSince: null,
      changedBy: null,
    });
  });

  it('is the same info, the very object, until something in it is another', () => {
    const before = observed(answer());
    expect(observed(answer({ rssi: -60 }), 105_000, before).info).toBe(before.info);
    for (const other of [
      { mac: '50:C7:BF:00:00:02' },
      { alias: 'Desk' },
      { model: 'HS100(EU)' },
      { hardware: '4.0' },
      { firmware: '1.6' },
      { hasMeter: false },
    ]) {
      expect(observed(answer(other), 105_000, before).info).toMatchObject(other);
    }
  });

  it('is no longer its problem', () => {
    const away = offline(observed(answer()), 'timeout');
    expect(observed(answer(), 105_000, away)).toMatchObject({ availability: 'online', problem: null });
  });
});

describe('the time since which a relay is on', () => {
  it('is one time for one switching, however the plug rounds', () => {
    const before = observed(answer({ onTimeS: 10 }));
    expect(observed(answer({ onTimeS: 13 }), 105_000, before).onSince).toBe(90_000);
    expect(observed(answer({ onTimeS: 2 }), 105_000, before).onSince).toBe(103_000);
  });

  it('is not known where the plug does not count', () => {
    const before = observed(answer());
    expect(observed(answer({ onTimeS: undefined }), 105_000, before).onSince).toBeNull();
  });

  it('is none while it is off, whatever the plug counts', () => {
    expect(observed(answer({ relay: false, onTimeS: 10 })).onSince).toBeNull();
  });
});

describe('who switched a relay', () => {
  const off = observed(answer({ relay: false }));

  it.each([
    ['nobody, when it is seen first', unseen('lamp'), undefined, null],
    ['somebody at the plug, when nobody else wanted it', off, undefined, 'plug'],
    ['whoever wanted it', off, { relay: true, origin: 'mqtt' }, 'mqtt'],
    ['somebody at the plug, when the opposite was wanted', off, { relay: false, origin: 'mqtt' }, 'plug'],
  ] as const)('is %s', (_, before, expected, changedBy) => {
    expect(observe(before, answer(), { at: 105_000, expected }).changedBy).toBe(changedBy);
  });

  it('stays who it was while nothing changes, and while the plug is silent', () => {
    const on = observe(off, answer(), { at: 105_000, expected: { relay: true, origin: 'bridge' } });
    expect(observe(on, answer(), { at: 110_000, expected: { relay: true, origin: 'mqtt' } }).changedBy).toBe(
      'bridge',
    );
    expect(observe(on, answer({ relay: undefined }), { at: 110_000 }).changedBy).toBe('bridge');
  });
});

describe('what changes slowly', () => {
  const reading: Statistics = {
    time: undefined,
    zone: undefined,
    clockSet: undefined,
    cloud: { bound: true, connected: false },
    today: 0.12345,
    yesterday: 0.5,
    month: 3.4,
    lastMonth: 12.6789,
    days: [],
  };

  it('is taken over, and unknown where the plug did not say it', () => {
    const state = withStatistics(observed(answer()), reading, 'right');
    expect(state).toMatchObject({
      energyToday: 0.123,
      energyYesterday: 0.5,
      energyMonth: 3.4,
      energyLastMonth: 12.679,
      cloud: { bound: true, connected: false },
      clock: 'right',
      relay: true,
    });
    const silent = withStatistics(
      state,
      { ...reading, today: undefined, month: undefined, cloud: undefined },
      null,
    );
    expect(silent).toMatchObject({ energyToday: null, energyMonth: null, cloud: null, clock: null });
  });

  it('survives the next poll, and keeps one object for the same cloud', () => {
    const state = withStatistics(observed(answer()), reading, 'right');
    const later = observe(state, answer(), { at: 105_000 });
    expect(later).toMatchObject({ energyToday: 0.123, energyMonth: 3.4, clock: 'right' });
    expect(
      withStatistics(later, { ...reading, cloud: { bound: true, connected: false } }, 'right').cloud,
    ).toBe(state.cloud);
  });
});

describe('a plug that is lost', () => {
  it('keeps what it last said, dated by when it did', () => {
    const before = observed(answer());
    expect(offline(before, 'timeout')).toEqual({ ...before, availability: 'offline', problem: 'timeout' });
  });
});
