import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decoded, decodeCommand, MAX_COMMAND_BYTES, receiptJson } from '../../src/api/command-json.ts';
import type { Receipt } from '../../src/bridge/command.ts';

const decode = (payload: unknown): Decoded =>
  decodeCommand(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), {
    origin: 'mqtt',
    user: null,
  });

const command = (fields: object) => ({
  command: {
    relay: undefined,
    led: undefined,
    forMs: undefined,
    ttlMs: undefined,
    id: null,
    origin: 'mqtt',
    user: null,
    ...fields,
  },
});

const DAY_MS = 86_400_000;

describe('a command', () => {
  it.each([
    ['ON', 'on'],
    ['oFf', 'off'],
    ['Toggle', 'toggle'],
    ['1', 'on'],
    ['0', 'off'],
    ['TRUE', 'on'],
    ['false', 'off'],
    ['\n on \t', 'on'],
  ])('that is the word %j switches %s', (text, relay) => {
    expect(decode(text)).toEqual({ command: { relay, id: null, origin: 'mqtt', user: null } });
  });

  it.each([
    [{ state: 'ON' }, { relay: 'on' }],
    [{ state: true }, { relay: 'on' }],
    [{ state: 0 }, { relay: 'off' }],
    [{ led: 'OFF' }, { led: false }],
    [{ brightness: 40 }, { relay: 'on', light: { brightness: 40 } }],
    [
      { brightness: '40', state: 'ON' },
      { relay: 'on', light: { brightness: 40 } },
    ],
    [{ brightness: 0 }, { relay: 'off' }],
    [
      { color_temp: 2700, brightness: 5 },
      { relay: 'on', light: { brightness: 5, colorTemp: 2700 } },
    ],
    [{ led: 1 }, { led: true }],
    [
      { state: 'toggle', led: true },
      { relay: 'toggle', led: true },
    ],
    [
      { state: 'ON', for: '30m' },
      { relay: 'on', forMs: 1_800_000 },
    ],
    [
      { state: 'ON', for: 1.5 },
      { relay: 'on', forMs: 1500 },
    ],
    [
      { state: 'ON', for: '30d', ttl: '7d' },
      { relay: 'on', forMs: 30 * DAY_MS, ttlMs: 7 * DAY_MS },
    ],
    [
      { state: 'ON', ttl: 0 },
      { relay: 'on', ttlMs: 0 },
    ],
    [
      { state: 'ON', id: 'x1' },
      { relay: 'on', id: 'x1' },
    ],
    [
      { state: 'ON', id: 17 },
      { relay: 'on', id: '17' },
    ],
    [
      { state: 'ON', id: null },
      { relay: 'on', id: null },
    ],
  ])('that is %j is understood', (payload, fields) => {
    expect(decode(payload)).toEqual(command(fields));
  });

  it('that is a quoted word is understood', () => {
    expect(decode('"ON"')).toEqual(command({ relay: 'on' }));
  });

  it.each([
    ['', /an empty message is not a command/],
    ['   ', /an empty message is not a command/],
    ['BLINK', /"BLINK" is not a command: send ON, OFF, TOGGLE or/],
    ['[]', /is not a command/],
    ['null', /is not a command/],
    ['{"state":', /is not a command/],
    [{}, /needs "state", "brightness", "color_temp" or "led"/],
    [{ brightness: 101 }, /"brightness" must be a percentage/],
    [{ brightness: '4e1' }, /"brightness" must be a percentage/],
    [{ color_temp: 99 }, /"color_temp" must be kelvin/],
    [{ brightness: 40, state: 'OFF' }, /contradicts/],
    [{ brightness: 40, state: 'TOGGLE' }, /contradicts/],
    [{ brightness: 0, state: 'ON' }, /contradicts/],
    [{ state: null }, /"state" must be ON, OFF or TOGGLE/],
    [{ state: ['ON'] }, /"state" must be/],
    [{ led: 'TOGGLE' }, /"led" must be ON or OFF/],
    [{ led: null }, /"led" must be ON or OFF/],
    [{ led: 'ON', for: '5s' }, /"for" needs "state"/],
    [{ state: 'ON', for: '31d' }, /"for" must be a duration.*at most 30 days/],
    [{ state: 'ON', ttl: '8d' }, /"ttl" must be a duration.*at most 7 days/],
    [{ state: 'ON', for: -1 }, /"for" must be/],
    [{ state: 'ON', ttl: null }, /"ttl" must be/],
    [{ state: 'ON', id: {} }, /"id" must be a text/],
    [{ state: 'ON', id: 'x'.repeat(257) }, /at most 256 characters/],
    [{ state: 'ON', colour: 'red' }, /"colour" is not part of a command/],
    ['{"state":"ON","__proto__":{}}', /"__proto__" is not part of a command/],
    [`{"id":${'['.repeat(1500)}${']'.repeat(1500)}}`, /is not a command/],
    ['x'.repeat(MAX_COMMAND_BYTES + 1), /4097 bytes are too many/],
  ])('that is %.40j is refused in words', (payload, words) => {
    expect(decode(payload)).toMatchObject({ refused: expect.stringMatching(words) });
  });

  it('keeps its id when it is refused, if it can be read', () => {
    expect(decode({ id: 'x1', state: 'MAYBE' })).toMatchObject({ id: 'x1' });
    expect(decode({ id: [], state: 'ON' })).toMatchObject({ id: null });
  });

  it('of any kind is either refused in words or a command that can be carried out', () => {
    const word = fc.constantFrom('ON', 'off', 'TOGGLE', 'MAYBE', '');
    const scalar = fc.oneof(word, fc.double(), fc.boolean(), fc.constant(null), fc.constant('5s'));
    const near = fc.record(
      { state: scalar, led: scalar, for: scalar, ttl: scalar, id: fc.oneof(scalar, fc.string()) },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      near.map((fields) => Buffer.from(JSON.stringify(fields))),
    );
    let understood = 0;
    fc.assert(
      fc.property(payload, (bytes) => {
        const decoded = decodeCommand(bytes, { origin: 'web', user: 'ann' });
        if ('refused' in decoded) {
          expect(decoded.refused).not.toBe('');
          return;
        }
        understood++;
        const { relay, led, forMs, ttlMs, id, origin } = decoded.command;
        expect([undefined, 'on', 'off', 'toggle']).toContain(relay);
        expect([undefined, true, false]).toContain(led);
        expect(relay !== undefined || led !== undefined).toBe(true);
        if (forMs !== undefined) {
          expect(relay).toBeDefined();
          expect(forMs >= 0 && forMs <= 30 * DAY_MS).toBe(true);
        }
        if (ttlMs !== undefined) expect(ttlMs >= 0 && ttlMs <= 7 * DAY_MS).toBe(true);
        expect(id === null || id.length <= 256).toBe(true);
        expect(origin).toBe('web');
      }),
      { numRuns: 2000 },
    );
    expect(understood).toBeGreaterThan(20);
  });
});

describe('a receipt', () => {
  const receipt: Receipt = {
    id: 'x1',
    target: 'east',
    relay: 'off',
    led: undefined,
    outcome: 'confirmed',
    confirmed: 6,
    total: 6,
    missing: [],
    ms: 41,
    replyTo: { topic: 'answers', correlation: null },
  };

  it('names its target as the asker does, and what was wanted as it was sent', () => {
    expect(receiptJson(receipt, 'museum/east')).toBe(
      '{"id":"x1","target":"museum/east","wanted":"OFF","outcome":"confirmed","confirmed":6,"total":6,"missing":[],"ms":41}',
    );
  });

  it('holds the LED, the reason and the countdown where there is something to say of them', () => {
    const full = { ...receipt, target: '', relay: undefined, led: true, reason: 'because', countdown: false };
    expect(JSON.parse(receiptJson(full, 'museum'))).toMatchObject({
      target: 'museum',
      wanted: null,
      led: 'ON',
      reason: 'because',
      countdown: false,
    });
  });
});
