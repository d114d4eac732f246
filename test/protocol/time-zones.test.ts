import { describe, expect, it } from 'vitest';
import { indexOfZone, localTime, secondsAhead, zoneOfIndex } from '../../src/protocol/time-zones.ts';

const DATE = Date.parse('2026-03-01T12:00:00Z');

describe('the zones of the firmware', () => {
  it('are known to this machine, all 110 of them', () => {
    const zones = Array.from({ length: 110 }, (_, index) => zoneOfIndex(index) ?? '');
    for (const zone of zones) expect(() => localTime(zone, DATE)).not.toThrow();
    expect(new Set(zones).size).toBe(110);
    expect([zoneOfIndex(110), zoneOfIndex(-1)]).toEqual([undefined, undefined]);
  });

  it('are in the order that plugs have shown: index 39 is London, 13 the middle of North America', () => {
    expect([13, 38, 39, 90].map(zoneOfIndex)).toEqual([
      'America/Chicago',
      'Etc/UTC',
      'Europe/London',
      'Asia/Tokyo',
    ]);
  });

  it.each([
    ['Europe/Berlin', 41],
    ['America/New_York', 18],
    ['Asia/Calcutta', 75],
    ['Europe/Dublin', 39],
    ['Australia/Melbourne', 96],
    ['UTC', 38],
  ])('hold %s', (zone, index) => {
    expect(indexOfZone(zone, DATE)).toBe(index);
  });

  it.each(['Europe/Istanbul', 'America/Mexico_City', 'Asia/Novosibirsk', 'America/Sao_Paulo'])(
    'have another for %s, whose law is no longer the one the firmware knows',
    (zone) => {
      const other = zoneOfIndex(indexOfZone(zone, DATE) ?? -1) ?? '';
      expect(other).not.toBe(zone);
      for (const date of [DATE, Date.parse('2026-07-01T12:00:00Z')])
        expect(localTime(other, date)).toEqual(localTime(zone, date));
    },
  );

  it.each(['Asia/Tehran', 'Australia/Lord_Howe', 'Pacific/Chatham'])('have none for %s', (zone) => {
    expect(indexOfZone(zone, DATE)).toBeUndefined();
  });
});

describe('local time', () => {
  it('begins the day at 0 o’clock and follows the clock of summer', () => {
    expect(localTime('Europe/Berlin', Date.parse('2026-06-30T22:00:05Z'))).toEqual({
      year: 2026,
      month: 7,
      day: 1,
      hour: 0,
      minute: 0,
      second: 5,
    });
  });

  it.each([
    ['Europe/Berlin', '2026-01-15T12:00:00Z'],
    ['Europe/Berlin', '2026-07-15T12:00:00Z'],
    ['America/New_York', '2026-01-15T23:59:59Z'],
    ['America/New_York', '2026-07-15T12:00:00Z'],
  ])('tells how far a clock in %s is ahead, in seconds, at %s', (zone, now) => {
    const date = Date.parse(now);
    for (const ahead of [0, 90, -90, 3600, -3600, 86_400])
      expect(secondsAhead(localTime(zone, date + 1000 * ahead), zone, date)).toBe(ahead);
  });

  it.each([
    ['Europe/Berlin', 'spring', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', 'autumn', '2026-10-25T01:00:00Z'],
    ['America/New_York', 'spring', '2026-03-08T07:00:00Z'],
    ['America/New_York', 'autumn', '2026-11-01T06:00:00Z'],
  ])('is compared across the change in %s in %s as on any other day', (zone, _, change) => {
    for (let minute = -180; minute <= 180; minute++) {
      const date = Date.parse(change) + minute * 60_000;
      for (const ahead of [0, 5, -5])
        expect(secondsAhead(localTime(zone, date + 1000 * ahead), zone, date)).toBe(ahead);
    }
  });

  it.each([
    ['Europe/Berlin', '2026-03-29T01:00:00Z', -3600],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', 3600],
  ])('is wrong where the clock in %s still has not changed two hours after %s', (zone, change, ahead) => {
    const date = Date.parse(change) + 2 * 3_600_000;
    expect(secondsAhead(localTime(zone, date + 1000 * ahead), zone, date)).toBe(ahead);
  });
});
