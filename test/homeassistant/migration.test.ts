import { describe, expect, it } from 'vitest';
import { Migration } from '../../src/homeassistant/migration.ts';
import { ManualClock } from '../support/manual-clock.ts';

function open() {
  const clock = new ManualClock();
  const done: string[] = [];
  const migration = new Migration({
    clock,
    send: (topic, payload) => done.push(payload === '' ? `withdraw ${topic}` : `migrate ${topic}`),
  });
  return { clock, done, migration };
}

describe('a migration', () => {
  it('lets go of all that was announced, withdraws it, and only then announces anew, a second apart', async () => {
    const { clock, done, migration } = open();
    migration.begin('lamp', ['relay', 'led'], () => done.push('announce'));
    expect(done.splice(0)).toEqual(['migrate relay', 'migrate led']);
    await clock.advance(999);
    expect(done).toEqual([]);
    await clock.advance(1);
    expect(done.splice(0)).toEqual(['withdraw relay', 'withdraw led']);
    await clock.advance(999);
    expect(done).toEqual([]);
    await clock.advance(1);
    expect(done).toEqual(['announce']);
    expect(clock.armed).toBe(0);
  });

  it('goes its own way with each device', async () => {
    const { clock, done, migration } = open();
    migration.begin('lamp', ['lamp'], () => done.push('announce lamp'));
    await clock.advance(600);
    migration.begin('desk', ['desk'], () => done.push('announce desk'));
    await clock.advance(900);
    expect(done).toEqual(['migrate lamp', 'migrate desk', 'withdraw lamp']);
    await clock.advance(1500);
    expect(done.slice(3)).toEqual(['withdraw desk', 'announce lamp', 'announce desk']);
  });

  it('announces what is to be announced at its end', async () => {
    const { clock, done, migration } = open();
    expect(migration.replace('lamp', () => {})).toBe(false);
    migration.begin('lamp', ['lamp'], () => done.push('old'));
    expect(migration.replace('lamp', () => done.push('new'))).toBe(true);
    await clock.advance(2000);
    expect(done.at(-1)).toBe('new');
    expect(migration.replace('lamp', () => {})).toBe(false);
  });

  it('goes no further once it is forgotten', async () => {
    const { clock, done, migration } = open();
    migration.begin('lamp', ['lamp'], () => done.push('announce'));
    migration.clear();
    expect(clock.armed).toBe(0);
    await clock.advance(5000);
    expect(done).toEqual(['migrate lamp']);
  });
});
