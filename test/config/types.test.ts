import { describe, expect, it } from 'vitest';
import { brokerUrl, count, duration, endpoint, flag, listOf, oneOf, text } from '../../src/config/types.ts';

describe('the type', () => {
  it.each([
    ['text', text, 'x', 'x'],
    ['text', text, 5, '5'],
    ['text', text, '', undefined],
    ['text', text, true, undefined],
    ['flag', flag, true, true],
    ['flag', flag, 'false', false],
    ['flag', flag, 'no', undefined],
    ['flag', flag, 1, undefined],
    ['duration', duration(0, 1000), '1s', 1000],
    ['duration', duration(0, 1000), 0, 0],
    ['duration', duration(0, 1000), 5, undefined],
    ['duration', duration(0, 1000), null, undefined],
    ['count', count(1, 5), 5, 5],
    ['count', count(1, 5), '5', 5],
    ['count', count(1, 5), 6, undefined],
    ['count', count(1, 5), 0, undefined],
    ['count', count(1, 5), 1.5, undefined],
    ['count', count(1, 5), '1e0', undefined],
    ['count', count(1, 5), ' 1', undefined],
    ['word', oneOf('auto', '5'), 5, '5'],
    ['word', oneOf('on', 'off'), false, 'off'],
    ['word', oneOf('on', 'off'), true, 'on'],
    ['word', oneOf('on', 'off'), 'of', undefined],
    ['word', oneOf('auto'), undefined, undefined],
    ['list', listOf(text), 'a, b', ['a', 'b']],
    ['list', listOf(text), ['a,b'], ['a,b']],
    ['list', listOf(text), [], undefined],
    ['list', listOf(text), 'a,,b', undefined],
    ['list', listOf(count(1, 5)), 3, [3]],
    ['broker', brokerUrl, 'mqtt://a', 'mqtt://a'],
    ['broker', brokerUrl, 'wss://a/mqtt', 'wss://a/mqtt'],
    ['broker', brokerUrl, 'a:1883', undefined],
    ['broker', brokerUrl, 'mqtt://', undefined],
    ['broker', brokerUrl, 5, undefined],
    ['endpoint', endpoint(9999), 'plug', { host: 'plug', port: 9999 }],
    ['endpoint', endpoint(9999), ' 10.0.0.1:80 ', { host: '10.0.0.1', port: 80 }],
    ['endpoint', endpoint(9999), '[fe80::1]:80', { host: 'fe80::1', port: 80 }],
    ['endpoint', endpoint(9999), '[fe80::1]', { host: 'fe80::1', port: 9999 }],
    ['endpoint', endpoint(9999), 'fe80::1', undefined],
    ['endpoint', endpoint(9999), 'plug:65536', undefined],
    ['endpoint', endpoint(9999), 'plug:', undefined],
    ['endpoint', endpoint(9999), 'http://plug', undefined],
    ['endpoint', endpoint(9999), '', undefined],
    ['endpoint', endpoint(9999), 5, undefined],
  ])('%s (%#) reads what it means, and nothing else', (_, type, raw, value) => {
    expect(type.read(raw)).toEqual(value);
  });

  it('duration says its bounds when they are exceeded', () => {
    expect(() => duration(1000, 2000).read('3s')).toThrow('must be from 1000 ms to 2000 ms');
    expect(() => duration(1000, 2000).read('999ms')).toThrow(RangeError);
  });
});
