import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const WORDS = ['interval', 'timeout', 'offlineAfter', 'backoffMax', 'statistics', 'url', 'ca'];

describe('the nearest word', () => {
  it.each([
    ['timout', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['intervall', 'interval'],
    ['offlineafter', 'offlineAfter'],
    ['backofMax', 'backoffMax'],
    ['ulr', 'url'],
    ['interval', 'interval'],
  ])('to %s is %s', (word, near) => {
    expect(nearest(word, WORDS)).toBe(near);
  });

  it.each(['xylophone', 'temperature', 'qqqq', ''])('to "%s" is none', (word) => {
    expect(nearest(word, WORDS.slice(0, 5))).toBeUndefined();
  });

  it('is the nearer of two, and none of no words', () => {
    expect(nearest('polls', ['pool', 'poll'])).toBe('poll');
    expect(nearest('poll', [])).toBeUndefined();
  });
});
