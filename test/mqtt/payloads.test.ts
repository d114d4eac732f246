import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/bridge/command.ts';
import { unseen } from '../../src/bridge/model.ts';
import {
  type Decoded,
  decodeCommand,
  flatPayloads,
  MAX_COMMAND_BYTES,
  placePayload,
  plugValues,
  receiptPayload,
} from '../../src/mqtt/payloads.ts';
import { FLAT_VALUES, Topics } from '../../src/mqtt/topics.ts';

const decode = (payload: unknown): Decoded =>
  decodeCommand(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), 'mqtt');

const command = (fields: object) => ({
  command: {
    relay: undefined,
    led: undefined,
    forMs: undefined,
    ttlMs: undefined,
    id: null,
    origin: 'mqtt',
    ...fields,
  },
});

const DAY_MS = 86_400_000;

describe('a message on set', () => {
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
    expect(decode(text)).toEqual({ command: { relay, id: null, origin: 'mqtt' } });
  });

  it.each([
    [{ state: 'ON' }, { relay: 'on' }],
    [{ state: true }, { relay: 'on' }],
    [{ state: 0 }, { relay: 'off' }],
    [{ led: 'OFF' }, { led: false }],
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
    [{}, /needs "state" or "led"/],
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
        const decoded = decodeCommand(bytes, 'web');
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

describe('the values of a plug', () => {
  const plug = {
    ...unseen('lamp'),
    relay: true,
    led: false,
    power: 61.2,
    energy: 0,
    rssi: -54,
    onSince: Date.parse('2026-01-01T07:15:00Z'),
    lastSeen: Date.parse('2026-01-01T12:00:00Z'),
    cloud: { bound: true, connected: true },
    changedBy: 'mqtt',
    problem: 'flapping',
  } as const;

  it('are all there, null where they are unknown', () => {
    expect(plugValues(plug)).toEqual({
      state: 'ON',
      power: 61.2,
      voltage: null,
      current: null,
      energy: 0,
      energy_today: null,
      energy_month: null,
      led: 'OFF',
      rssi: -54,
      on_since: '2026-01-01T07:15:00.000Z',
      cloud: 'ON',
      changed_by: 'mqtt',
      problem: 'flapping',
      last_seen: '2026-01-01T12:00:00.000Z',
    });
    expect(new Set(Object.values(plugValues(unseen('lamp'))))).toEqual(new Set([null]));
  });

  it('are the same one by one, in the order of their topics, empty where they are unknown', () => {
    const flat = Object.fromEntries(
      flatPayloads(plugValues(plug)).map((text, at) => [FLAT_VALUES[at], text]),
    );
    expect(flat).toEqual({
      state: 'ON',
      power: '61.2',
      voltage: '',
      current: '',
      energy: '0',
      energy_today: '',
      energy_month: '',
      led: 'OFF',
      rssi: '-54',
      on_since: '2026-01-01T07:15:00.000Z',
      cloud: 'ON',
    });
  });

  it('say nothing of the cloud when the plug did not say whether it is connected', () => {
    expect(plugValues({ ...plug, cloud: { bound: true, connected: undefined } }).cloud).toBeNull();
  });
});

describe('the values of a place', () => {
  it('leave out where it is, which the topic says', () => {
    const place = { path: 'east', state: null, on: 1, off: 0, unknown: 2, total: 3, power: null };
    expect(JSON.parse(placePayload(place))).toEqual({
      state: null,
      on: 1,
      off: 0,
      unknown: 2,
      total: 3,
      power: null,
    });
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

  it('names its target as a topic, and what was wanted as it was sent', () => {
    expect(receiptPayload(receipt, new Topics('museum'))).toBe(
      '{"id":"x1","target":"museum/east","wanted":"OFF","outcome":"confirmed","confirmed":6,"total":6,"missing":[],"ms":41}',
    );
  });

  it('holds the LED, the reason and the countdown where there is something to say of them', () => {
    const full = { ...receipt, target: '', relay: undefined, led: true, reason: 'because', countdown: false };
    expect(JSON.parse(receiptPayload(full, new Topics('museum')))).toMatchObject({
      target: 'museum',
      wanted: null,
      led: 'ON',
      reason: 'because',
      countdown: false,
    });
  });
});
