import { describe, expect, it } from 'vitest';
import { explain } from '../src/errors.ts';

describe('the codes of the firmware', () => {
  it.each([-1, -2, -3, -5, -7, -8, -10, -11, -14, -21, -2000, -2001, -4002, -10000, -10002])(
    'are explained: %i',
    (code) => {
      expect(explain(code)).not.toContain('undocumented');
    },
  );

  it('are said to be unknown where they are', () => {
    expect(explain(-4711)).toBe('an undocumented code');
  });
});
