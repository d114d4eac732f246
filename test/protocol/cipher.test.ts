import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decryptInPlace, encryptInPlace } from '../../src/protocol/cipher.ts';
import { VECTORS } from '../support/fixtures.ts';

describe('the cipher', () => {
  it.each(VECTORS)('encrypts $name as other programs do', ({ plain, body }) => {
    const bytes = Buffer.from(plain, 'utf8');
    encryptInPlace(bytes);
    expect(bytes.toString('hex')).toBe(body);
  });

  it.each(VECTORS)('decrypts $name', ({ plain, body }) => {
    const bytes = Buffer.from(body, 'hex');
    decryptInPlace(bytes);
    expect(bytes.toString('utf8')).toBe(plain);
  });

  it('gives back any bytes it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const copy = Uint8Array.from(bytes);
        encryptInPlace(copy);
        decryptInPlace(copy);
        expect(copy).toEqual(bytes);
      }),
    );
  });

  it('keys every message anew, so that the same text always gives the same bytes', () => {
    const [first, second] = [Buffer.from('{"a":1}'), Buffer.from('{"a":1}')];
    encryptInPlace(first);
    encryptInPlace(second);
    expect(second).toEqual(first);
    expect(first[0]).toBe(0xd0);
  });
});
