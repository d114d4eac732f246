import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { decodeBody, encodeFrame, FrameDecoder } from '../../src/protocol/frame.ts';
import { type Fault, script } from '../../src/simulator/faults.ts';

const REPLY = '{"system":{"get_sysinfo":{"alias":"Süd"}}}';

/** What a peer has received when all steps were carried out. */
function sent(fault: Fault, reply = REPLY): Buffer {
  const steps = script(fault, reply, () => 0.5);
  return Buffer.concat(steps.flatMap((step) => ('send' in step ? [step.send] : [])));
}

describe('a fault', () => {
  it.each<[Fault]>([
    [{ kind: 'none' }],
    [{ kind: 'delay', ms: 50, jitterMs: 10 }],
    [{ kind: 'trickle', ms: 5 }],
    [{ kind: 'split' }],
  ])('of timing only, $kind, changes no byte', (fault) => {
    expect(sent(fault)).toEqual(encodeFrame(REPLY));
  });

  it('of kind invalid-utf8 makes a well-formed frame that is never valid text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (reply) => {
        const bodies = new FrameDecoder().push(sent({ kind: 'invalid-utf8' }, reply));
        expect(bodies).toHaveLength(1);
        for (const body of bodies) expect(() => decodeBody(body)).toThrow(ProtocolError);
      }),
    );
  });

  it('that waits draws its jitter by chance', () => {
    expect(script({ kind: 'delay', ms: 50, jitterMs: 10 }, REPLY, () => 0.5)).toMatchObject([
      { afterMs: 55 },
    ]);
    expect(script({ kind: 'trickle', ms: 5 }, REPLY, () => 0.5)).toHaveLength(encodeFrame(REPLY).length);
  });

  it.each<[Fault, string | undefined]>([
    [{ kind: 'none' }, undefined],
    [{ kind: 'silence' }, undefined],
    [{ kind: 'close' }, 'close'],
    [{ kind: 'close-mid-reply' }, 'close'],
    [{ kind: 'reset-mid-reply' }, 'reset'],
    [{ kind: 'http' }, 'close'],
    [{ kind: 'length', length: 0, close: true }, 'close'],
    [{ kind: 'length', length: 0 }, undefined],
  ])('%o ends the connection with: %s', (fault, end) => {
    const last = script(fault, REPLY, () => 0.5).at(-1);
    expect(last !== undefined && 'end' in last ? last.end : undefined).toBe(end);
  });

  it('in the middle of a reply leaves it cut short', () => {
    const cut = sent({ kind: 'close-mid-reply' });
    expect(cut.length).toBeGreaterThan(4);
    expect(cut.length).toBeLessThan(encodeFrame(REPLY).length);
  });
});
