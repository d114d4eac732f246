import { describe, expect, it } from 'vitest';
import { Memory, type OpenCommand } from '../../src/bridge/memory.ts';

const OPEN: OpenCommand = { target: 'lamp', command: { id: 'x1', origin: 'mqtt' }, until: 1000 };

describe('the memory', () => {
  it('knows of a plug what was written into what it handed out', () => {
    const memory = new Memory();
    memory.plug('lamp').relay = true;
    expect(memory.plug('lamp')).toEqual({ relay: true, revert: null });
    expect(memory.plug('other')).toEqual({ relay: null, revert: null });
  });

  it('holds a command until it is closed, and tells of both', () => {
    const memory = new Memory();
    const seen: number[] = [];
    memory.onChange = () => seen.push(memory.commands.size);
    const close = memory.open(OPEN);
    close();
    expect(seen).toEqual([1, 0]);
  });

  it('forgets a plug that is gone, and tells of it', () => {
    const memory = new Memory([['lamp', { relay: true, revert: null }]]);
    let told = 0;
    memory.onChange = () => told++;
    memory.forget('lamp');
    expect([...memory.plugs]).toEqual([]);
    expect(told).toBe(1);
  });
});
