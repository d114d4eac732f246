import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/mqtt/session-registry.ts';
import { memoryLog } from '../support/memory-log.ts';

describe('what a session keeps of its listeners', () => {
  it('calls a listener at each connect, and a late one at once if there is a connection', () => {
    const registry = new SessionRegistry(memoryLog().log);
    const calls: string[] = [];
    registry.onConnect(() => calls.push('early'));
    registry.opened();
    registry.onConnect(() => calls.push('late'));
    registry.closed();
    registry.onConnect(() => calls.push('off'));
    expect(calls).toEqual(['early', 'late']);
    registry.opened();
    expect(calls).toEqual(['early', 'late', 'early', 'late', 'off']);
  });

  it('takes each filter once, with the higher QoS', () => {
    const registry = new SessionRegistry(memoryLog().log);
    expect(registry.listen(['a', 'b'], () => {}, 1)).toEqual(['a', 'b']);
    expect(registry.listen(['b', 'c'], () => {}, 0)).toEqual(['c']);
    expect(registry.listen(['c'], () => {}, 1)).toEqual([]);
    expect([...registry.filters]).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  it('goes on after a listener has failed, and logs that', () => {
    const { log, lines } = memoryLog();
    const registry = new SessionRegistry(log);
    let delivered = 0;
    registry.onDelivered(() => {
      throw new TypeError('a mistake');
    });
    registry.onDelivered(() => delivered++);
    registry.delivered();
    expect(delivered).toBe(1);
    expect(lines).toMatchObject([{ level: 50, msg: 'a listener of the MQTT session failed' }]);
  });
});
