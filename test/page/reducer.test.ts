import { describe, expect, it } from 'vitest';
import { type Happening, type Live, NOTHING_KNOWN, reduce } from '../../src/web/page/live/reducer.ts';
import { somePlace, somePlug, someReceipt } from './samples.ts';

const having = (...happenings: readonly Happening[]): Live => happenings.reduce(reduce, NOTHING_KNOWN);

const snapshot: Extract<Happening, { readonly type: 'snapshot' }> = {
  type: 'snapshot',
  at: 1000,
  number: 7,
  plugs: [somePlug('shed1', { state: 'ON' }), somePlug('barn/loft', { state: null })],
  places: [somePlace('barn', 'Barn')],
  pending: [],
  problems: 1,
};

const ask = (id: string, given: { target?: string; single?: boolean } = {}): Happening => ({
  type: 'asked',
  ask: { id, target: '', only: null, wanted: 'OFF', single: false, receipt: null, failure: null, ...given },
});

describe('what the page knows', () => {
  it('is nothing before the first snapshot, and says so', () => {
    expect(NOTHING_KNOWN).toMatchObject({ link: 'connecting', heardAt: null });
  });

  it('is replaced as a whole by a snapshot, so that nothing missed meanwhile matters', () => {
    const again: Happening = { ...snapshot, number: 1, plugs: [somePlug('shed2')] };
    const live = having(snapshot, { type: 'link', link: 'lost' }, again);
    expect([...live.plugs.keys()]).toEqual(['shed2']);
    expect(live).toMatchObject({ link: 'live', number: 1 });
  });

  it('changes plug by plug, and forgets what was removed', () => {
    const change: Happening = {
      type: 'change',
      at: 2000,
      number: 8,
      plugs: [somePlug('shed1', { state: 'OFF' })],
      places: [],
      removed: ['barn/loft', 'barn'],
      problems: 0,
    };
    const live = having(snapshot, change);
    expect(live.plugs.get('shed1')?.state).toBe('OFF');
    expect(live.plugs.has('barn/loft')).toBe(false);
    expect(live.places.size).toBe(0);
    expect(live).toMatchObject({ number: 8, problems: 0, heardAt: 2000 });
  });

  it('has no state of a plug that does not answer, whatever that said last', () => {
    const gone = somePlug('shed1', { state: 'OFF', power: 0, availability: 'offline' });
    const live = having({ ...snapshot, plugs: [gone] });
    expect(live.plugs.get('shed1')).toMatchObject({ state: null, power: null, availability: 'offline' });
  });

  it('has lamp 2 before lamp 10, also when one is renamed or new', () => {
    const named = (path: string, name: string) => somePlug(path, { name });
    const live = having({ ...snapshot, plugs: [named('a', 'Lamp 10'), named('b', 'Lamp 2')] });
    const change = { type: 'change', at: 2000, number: 8, places: [], removed: [], problems: 0 } as const;
    const later = reduce(live, { ...change, plugs: [named('a', 'Lamp 1'), named('c', 'lamp 1b')] });
    const names = ({ plugs }: Live) => [...plugs.values()].map(({ name }) => name);
    expect(names(live)).toEqual(['Lamp 2', 'Lamp 10']);
    expect(names(later)).toEqual(['Lamp 1', 'lamp 1b', 'Lamp 2']);
  });

  it('does not go back to a change that the snapshot holds already', () => {
    const old: Happening = {
      type: 'change',
      at: 2000,
      number: 7,
      plugs: [somePlug('shed1', { state: 'OFF' })],
      places: [],
      removed: [],
      problems: 0,
    };
    expect(having(snapshot, old).plugs.get('shed1')?.state).toBe('ON');
  });

  it('never shows what is wanted of a plug as its state', () => {
    const pending: Happening = {
      type: 'pending',
      at: 2000,
      pending: {
        command: 1,
        id: 'x',
        target: '',
        wanted: 'OFF',
        who: { origin: 'web', user: null },
        since: '2026-01-01T12:00:00Z',
      },
    };
    const live = having(snapshot, ask('x'), pending);
    expect(live.plugs.get('shed1')?.state).toBe('ON');
    expect(live.pending.size).toBe(1);
  });

  it('has a command under way until its receipt comes, whichever of the two ways is faster', () => {
    const receipt = someReceipt({ id: 'x', confirmed: 1, total: 2 });
    const bySse: Happening = { type: 'receipt', at: 3000, command: 1, receipt };
    const byPost: Happening = { type: 'answered', id: 'x', receipt };
    for (const ways of [[bySse, byPost], [byPost, bySse], [bySse], [byPost]]) {
      expect(having(snapshot, ask('x'), ...ways).asks).toMatchObject([{ id: 'x', receipt }]);
    }
  });

  it('keeps a receipt with missing plugs until it is read, also when the next command comes', () => {
    const receipt = someReceipt({ id: 'x', outcome: 'partial', confirmed: 58, total: 60 });
    const live = having(snapshot, ask('x'), { type: 'answered', id: 'x', receipt }, ask('y'));
    expect(live.asks.map(({ id }) => id)).toEqual(['x', 'y']);
    expect(reduce(live, { type: 'read', id: 'x' }).asks.map(({ id }) => id)).toEqual(['y']);
  });

  it('makes room for the next command with a receipt that lacks nothing', () => {
    const receipt = someReceipt({ id: 'x', outcome: 'confirmed', confirmed: 60, total: 60 });
    const live = having(snapshot, ask('x'), { type: 'answered', id: 'x', receipt });
    expect(live.asks).toHaveLength(1);
    expect(reduce(live, ask('y')).asks.map(({ id }) => id)).toEqual(['y']);
  });

  it('shows no receipt for one lamp that did as it was told, but has it said', () => {
    const receipt = someReceipt({ id: 'x', target: 'shed1' });
    const live = having(snapshot, ask('x', { target: 'shed1', single: true }), {
      type: 'answered',
      id: 'x',
      receipt,
    });
    expect(live.asks).toEqual([]);
    expect(live.ended).toMatchObject({ id: 'x', receipt });
  });

  it('keeps a command that did not reach the bridge until that is read', () => {
    const live = having(snapshot, ask('x', { single: true }), {
      type: 'failed',
      id: 'x',
      failure: 'unreachable',
    });
    expect(live.asks).toMatchObject([{ id: 'x', failure: 'unreachable' }]);
  });
});
