import { describe, expect, it } from 'vitest';
import { mayBlamePacket } from '../../src/mqtt/disconnect.ts';

describe('a disconnect', () => {
  it.each([
    [undefined, true],
    [144, true],
    [149, true],
    [139, false],
    [141, false],
    [142, false],
  ])('with reason code %s may be due to what was sent: %s', (code, blames) => {
    const disconnect = { connected: true, code, unanswered: false, message: '' };
    expect(mayBlamePacket(disconnect)).toBe(blames);
  });
});
