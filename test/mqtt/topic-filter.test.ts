import { describe, expect, it } from 'vitest';
import { matchesFilter } from '../../src/mqtt/topic-filter.ts';

describe('a topic filter', () => {
  it.each([
    ['museum/lamp/result', 'museum/lamp/result', true],
    ['museum/+/result', 'museum/lamp/result', true],
    ['museum/#', 'museum/lamp/result', true],
    ['museum/#', 'museum', true],
    ['#', 'museum', true],
    ['+/+', '/x', true],
    ['museum/+', 'museum/lamp/result', false],
    ['museum/+/+', 'museum/lamp', false],
    ['museum/lamp', 'museum/lamps', false],
    ['#', '$SYS/uptime', false],
    ['+/uptime', '$SYS/uptime', false],
    ['$SYS/#', '$SYS/uptime', true],
  ])('%s matches %s: %s', (filter, topic, matches) => {
    expect(matchesFilter(filter, topic)).toBe(matches);
  });
});
