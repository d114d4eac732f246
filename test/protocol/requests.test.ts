import { describe, expect, it } from 'vitest';
import { isObject } from '../../src/protocol/json.ts';
import {
  GET_CLOCK_AND_CLOUD,
  GET_SYSINFO,
  GET_SYSINFO_AND_METER,
  getStatistics,
  type Request,
  request,
  STOP_COUNTDOWN,
  setAndConfirm,
  startCountdown,
} from '../../src/protocol/requests.ts';

const ALL: readonly (readonly [string, Request, string])[] = [
  ['the description', GET_SYSINFO, '{"system":{"get_sysinfo":{}}}'],
  ['state and meter', GET_SYSINFO_AND_METER, '{"system":{"get_sysinfo":{}},"emeter":{"get_realtime":{}}}'],
  [
    'what changes slowly',
    GET_CLOCK_AND_CLOUD,
    '{"time":{"get_time":{},"get_timezone":{}},"schedule":{"get_next_action":{}},"cnCloud":{"get_info":{}}}',
  ],
  [
    'a countdown, after deleting an earlier one',
    request(startCountdown(90, false)),
    '{"count_down":{"delete_all_rules":{},"add_rule":{"enable":1,"delay":90,"act":0,"name":"hs110-mqtt"}}}',
  ],
  ['no countdown', request(STOP_COUNTDOWN), '{"count_down":{"delete_all_rules":{}}}'],
  [
    'statistics',
    getStatistics(2026, 1),
    '{"emeter":{"get_daystat":{"year":2026,"month":1},"get_monthstat":{"year":2026}}}',
  ],
  [
    'the relay on, with the meter',
    setAndConfirm({ relay: true }, true),
    '{"system":{"set_relay_state":{"state":1},"get_sysinfo":{}},"emeter":{"get_realtime":{}}}',
  ],
  [
    'the relay off, without a meter',
    setAndConfirm({ relay: false }, false),
    '{"system":{"set_relay_state":{"state":0},"get_sysinfo":{}}}',
  ],
  [
    'the LED on, which the wire calls not off',
    setAndConfirm({ led: true }, false),
    '{"system":{"set_led_off":{"off":0},"get_sysinfo":{}}}',
  ],
  [
    'the LED off',
    setAndConfirm({ led: false }, false),
    '{"system":{"set_led_off":{"off":1},"get_sysinfo":{}}}',
  ],
  [
    'relay and LED together',
    setAndConfirm({ relay: true, led: false }, true),
    '{"system":{"set_relay_state":{"state":1},"set_led_off":{"off":1},"get_sysinfo":{}},"emeter":{"get_realtime":{}}}',
  ],
];

describe('a question', () => {
  it.each(ALL)(
    'for %s is written in the order in which it shall be carried out',
    (_, { text, query }, written) => {
      expect(text).toBe(written);
      expect(JSON.stringify(query)).toBe(written);
    },
  );

  it.each(ALL)('for %s has its length in front on TCP', (_, { frame, text }) => {
    expect(frame.readUInt32BE()).toBe(Buffer.byteLength(text));
    expect(frame).toHaveLength(4 + Buffer.byteLength(text));
  });

  it.each(ALL)('for %s gives every method an object as argument, never null', (_, { query }) => {
    for (const methods of Object.values(query)) {
      expect(Object.values(methods).length).toBeGreaterThan(0);
      expect(Object.values(methods).every(isObject)).toBe(true);
    }
  });

  it('may be any query, with characters beyond ASCII', () => {
    const { frame, text } = request({ system: { set_dev_alias: { alias: 'Süd 🏮' } } });
    expect(frame).toHaveLength(4 + Buffer.byteLength(text));
    expect(Buffer.byteLength(text)).toBeGreaterThan(text.length);
  });

  it('that sets something is made ready once for each combination', () => {
    const combinations = [
      { relay: true },
      { relay: false },
      { led: true },
      { led: false },
      { relay: true, led: true },
      { relay: false, led: true },
    ];
    const all = combinations.flatMap((one) => [setAndConfirm(one, true), setAndConfirm(one, false)]);
    expect(new Set(all.map(({ text }) => text)).size).toBe(12);
    expect(setAndConfirm({ relay: true }, true)).toBe(all[0]);
  });
});
