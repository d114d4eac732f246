import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { readSysinfo } from '../../src/protocol/replies.ts';
import type { Store } from '../../src/store/store.ts';
import { macOf } from '../support/bridge-bench.ts';
import { FinderBench, foundPlug } from '../support/finder-bench.ts';
import { settled } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';

const ELSEWHERE = { host: '192.0.2.77', port: 9999 };

const pathsOf = ({ bench }: FinderBench) => [...bench.bridge.plugs()].map(({ path }) => path);

/** A memory of plugs that were taken in by an earlier run, with the paths they had. */
function adopting(...plugs: readonly (readonly [mac: string, path: string])[]): Store {
  const memory = memoryStore();
  for (const [mac, path] of plugs) memory.adopt(mac, { path, address: { host: '192.0.2.77', port: 9999 } });
  return memory;
}

function adoptedIn(memory: Store): [mac: string, path: string][] {
  return [...memory.adopted()].map(([mac, { path }]) => [mac, path]);
}

describe('looking for plugs', () => {
  it('is left be while nothing is missing', async () => {
    const site = new FinderBench(['lamp']);
    await site.run(600_000);
    expect(site.searches).toEqual([]);
  });

  it('begins at once, and goes on at its pace, while a plug’s address is not known', async () => {
    const site = new FinderBench(['lamp'], { lost: ['lamp'], everyMs: 60_000 });
    await site.run(130_000);
    expect(site.searches.map(({ at }) => at)).toEqual([0, 60_000, 120_000]);
    expect(site.searches[0]?.targets).toEqual([]);
  });

  it('begins soon after a plug has gone, asks it where it was in particular, and ends when it is back', async () => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    await site.run(1000);
    site.bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    await site.bench.clock.advance(60_000);
    expect(site.searches).toEqual([
      { at: 7000, targets: [{ host: '192.0.2.1', port: 9999 }], expected: new Set([macOf(1)]) },
    ]);
    site.bench.transport('lamp').behaviour = 'answer';
    await site.bench.clock.advance(600_000);
    expect(site.bench.bridge.plug('lamp')).toMatchObject({ availability: 'online' });
    expect(site.searches.map(({ at }) => at)).toEqual([7000, 67_000, 127_000]);
  });

  it('begins again soon when a plug was lost during a search, which may have passed it over', async () => {
    const site = new FinderBench(['a', 'b'], { lost: ['a'], poll: { offlineAfter: 1 } });
    let release = () => {};
    site.hold = new Promise((resolve) => {
      release = resolve;
    });
    await site.run(1000);
    site.bench.transport('b').behaviour = new PlugError('timeout', 'away');
    await site.bench.clock.advance(6000);
    release();
    await settled();
    await site.bench.clock.advance(60_000);
    expect(site.searches.map(({ at }) => at)).toEqual([0, 9000]);
    await site.bench.clock.advance(10_000);
    expect(site.searches.map(({ at }) => at)).toEqual([0, 9000, 69_000]);
  });

  it('is said to be in vain once, while there is nobody at all', async () => {
    const said = ({ bench }: FinderBench) =>
      bench.log.lines.filter(({ msg }) => msg === 'no plug answers; the search goes on');
    const alone = new FinderBench([], { adopt: true });
    await alone.run(200_000);
    expect(said(alone)).toHaveLength(1);
    const not = new FinderBench(['lamp'], { lost: ['lamp'] });
    await not.run(200_000);
    expect(said(not)).toEqual([]);
  });

  it('is never begun by itself where that is not wanted, yet done on request', async () => {
    const site = new FinderBench(['lamp'], { lost: ['lamp'], everyMs: 0 });
    await site.run(600_000);
    expect(site.searches).toEqual([]);
    site.found = [foundPlug(macOf(9), 'Desk')];
    expect(await site.finder.search()).toEqual(site.found);
    await site.bench.clock.advance(600_000);
    expect(site.searches).toHaveLength(1);
  });

  it('is done once for all who ask at a time', async () => {
    const site = new FinderBench(['lamp']);
    await site.run(0);
    site.found = [foundPlug(macOf(9), 'Desk')];
    const [one, other] = await Promise.all([site.finder.search(), site.finder.search()]);
    expect(one).toBe(other);
    expect(site.searches).toHaveLength(1);
    await site.finder.search();
    expect(site.searches).toHaveLength(2);
  });

  it('gives what it found even if it fails, and says that it failed', async () => {
    const site = new FinderBench(['lamp']);
    await site.run(0);
    site.found = [foundPlug(macOf(9), 'Desk')];
    site.failure = new Error('no network');
    expect(await site.finder.search()).toEqual(site.found);
    expect(site.bench.log.lines.filter(({ msg }) => msg === 'cannot look for plugs')).toMatchObject([
      { reason: 'no network' },
    ]);
  });

  it('ends with the bridge, and leaves no timer armed', async () => {
    const site = new FinderBench(['lamp'], { lost: ['lamp'] });
    await site.run(1000);
    await site.stop();
    expect(site.bench.clock.armed).toBe(0);
    await site.bench.clock.advance(600_000);
    expect(site.searches).toHaveLength(1);
  });
});

describe('a plug that is found', () => {
  it('is asked where it was found, and it is said that it was', async () => {
    const site = new FinderBench(['lamp'], { lost: ['lamp'], wanted: [{ path: 'lamp', alias: 'Lamp' }] });
    site.found = [foundPlug(macOf(5), 'Other'), foundPlug(macOf(1), 'Lamp')];
    site.bench.transport('lamp').behaviour = 'answer';
    await site.run(1000);
    expect(site.bench.bridge.address('lamp')).toEqual(ELSEWHERE);
    expect(site.bench.log.lines.filter(({ msg }) => msg === 'plug found')).toMatchObject([
      { plug: 'lamp', from: 'nowhere yet', to: '192.0.2.77:9999' },
    ]);
  });

  it('is followed by its MAC when it has gone elsewhere, whatever it is called', async () => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    await site.run(1000);
    site.bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    await site.bench.clock.advance(5000);
    site.found = [foundPlug(macOf(1), 'Renamed')];
    site.bench.transport('lamp').behaviour = 'answer';
    await site.bench.clock.advance(2000);
    expect(site.bench.bridge.address('lamp')).toEqual(ELSEWHERE);
    expect(site.bench.bridge.plug('lamp')).toMatchObject({ availability: 'online' });
  });

  it('is not torn away from where it answers', async () => {
    const site = new FinderBench(['lamp']);
    await site.run(1000);
    site.found = [foundPlug(macOf(1), 'Lamp')];
    await site.finder.search();
    expect(site.bench.bridge.address('lamp')).toEqual({ host: '192.0.2.1', port: 9999 });
  });

  it('is not told its address anew when that is the same', async () => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    await site.run(1000);
    site.bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    site.found = [foundPlug(macOf(1), 'Lamp', { address: { host: '192.0.2.1', port: 9999 } })];
    await site.bench.clock.advance(20_000);
    expect(site.searches).not.toEqual([]);
    expect(site.bench.log.lines.filter(({ msg }) => msg === 'plug found')).toEqual([]);
  });

  it('with a wanted name is not taken for another whose MAC is known', async () => {
    const site = new FinderBench(['lamp'], {
      wanted: [{ path: 'lamp', alias: 'Lamp' }],
      poll: { offlineAfter: 1 },
    });
    await site.run(1000);
    site.bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    site.found = [foundPlug(macOf(9), 'Lamp')];
    await site.bench.clock.advance(20_000);
    expect(site.bench.bridge.address('lamp')).toEqual({ host: '192.0.2.1', port: 9999 });
  });

  it.each([
    ['its MAC', macOf(1), '192.0.2.200', 1000],
    ['its address, if it never said its MAC', macOf(9), '192.0.2.1', 0],
  ])('with newer firmware is known by %s, and asked where it now answers', async (_, mac, host, seenMs) => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    const transport = site.bench.transport('lamp');
    if (seenMs === 0) transport.behaviour = new PlugError('refused', 'closed');
    await site.run(seenMs);
    transport.behaviour = new PlugError('refused', 'closed');
    site.found = [foundPlug(mac, undefined, { protocol: 'klap', address: { host, port: 80 } })];
    await site.bench.clock.advance(20_000);
    // One port or the other: which of them is found out by asking.
    expect(site.bench.bridge.address('lamp')?.host).toBe(host);
    transport.behaviour = 'answer';
    await site.bench.clock.advance(40_000);
    expect(site.bench.bridge.plug('lamp')?.problem).toBeNull();
  });

  it('by its MAC, with a protocol that is not spoken here, has that as its problem', async () => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    await site.run(1000);
    site.bench.transport('lamp').behaviour = new PlugError('refused', 'closed');
    const address = { host: '192.0.2.1', port: 80 };
    site.found = [foundPlug(macOf(1), undefined, { protocol: 'other', address })];
    await site.bench.clock.advance(20_000);
    expect(site.bench.bridge.plug('lamp')).toMatchObject({ problem: 'newer-firmware' });
    expect(site.bench.bridge.address('lamp')).toEqual({ host: '192.0.2.1', port: 9999 });
  });
});

describe('a plug that nobody configured', () => {
  it('is left alone unless such plugs are taken in', async () => {
    const site = new FinderBench([]);
    site.found = [foundPlug(macOf(9), 'Desk')];
    await site.run(0);
    await site.finder.search();
    expect(pathsOf(site)).toEqual([]);
  });

  it('is taken in under its name, once, and looked for again all the time', async () => {
    const site = new FinderBench([], { adopt: true });
    site.found = [foundPlug(macOf(8), 'Große Lampe'), foundPlug(macOf(9), 'Desk')];
    await site.run(130_000);
    expect(site.taken).toEqual([`${macOf(8)} grosse-lampe`, `${macOf(9)} desk`]);
    expect(pathsOf(site)).toEqual(['grosse-lampe', 'desk']);
    expect(adoptedIn(site.bench.memory)).toEqual([
      [macOf(8), 'grosse-lampe'],
      [macOf(9), 'desk'],
    ]);
    expect(site.searches).toHaveLength(3);
  });

  it.each([
    ['waits to be set up', { joined: false }],
    ['speaks another protocol', { protocol: 'other' }],
    ['has no relay of its own', { sysinfo: readSysinfo({ mac: macOf(9), alias: 'Strip' }) }],
    [
      'is a strip whose outlets cannot be told apart',
      { sysinfo: readSysinfo({ relay_state: 1, children: [] }) },
    ],
  ] as const)('is not taken in when it %s', async (_, more) => {
    const site = new FinderBench([], { adopt: true });
    site.found = [foundPlug(macOf(9), 'Desk', more)];
    await site.run(1000);
    expect(pathsOf(site)).toEqual([]);
  });

  it('is not taken in when it turns out to be a configured one', async () => {
    const site = new FinderBench(['lamp'], { adopt: true });
    await site.run(1000);
    site.found = [foundPlug(macOf(1), 'Desk')];
    await site.finder.search();
    expect(pathsOf(site)).toEqual(['lamp']);
  });

  it('never gets the path of a configured plug or place', async () => {
    const site = new FinderBench(['lamp', 'east/desk'], { adopt: true });
    site.found = [foundPlug(macOf(8), 'Lamp'), foundPlug(macOf(9), 'East')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp', 'east/desk', 'lamp-0008', 'east-0009']);
  });

  it('does not get a path that was its own in a former run and is configured for another now', async () => {
    const memory = adopting([macOf(8), 'lamp'], [macOf(9), 'east']);
    const site = new FinderBench(['lamp', 'east/desk'], { adopt: true, memory });
    site.found = [foundPlug(macOf(8), 'Lamp'), foundPlug(macOf(9), 'East')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp', 'east/desk', 'lamp-0008', 'east-0009']);
    expect(site.bench.bridge.plug('lamp')?.info?.mac).toBe(macOf(1));
  });

  it('takes nobody else’s plug away when it was renamed since a former run', async () => {
    const memory = adopting([macOf(8), 'lamp']);
    const site = new FinderBench(['lamp'], { adopt: true, memory });
    site.found = [foundPlug(macOf(8), 'Desk')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp', 'desk']);
    expect(site.bench.removed).toEqual([]);
  });

  it('moves when it is renamed, beside the other of the same name', async () => {
    const site = new FinderBench([], { adopt: true });
    site.found = [foundPlug(macOf(8), 'Lamp'), foundPlug(macOf(9), 'Desk')];
    await site.run(1000);
    site.bench.transport('desk').device.answer({ system: { set_dev_alias: { alias: 'Lamp' } } });
    await site.bench.clock.advance(5000);
    await settled();
    expect(pathsOf(site)).toEqual(['lamp', 'lamp-0009']);
    expect(adoptedIn(site.bench.memory).map(([, path]) => path)).toEqual(['lamp', 'lamp-0009']);
  });

  it('is not taken in after the end', async () => {
    const site = new FinderBench([], { adopt: true });
    let release = () => {};
    site.hold = new Promise((resolve) => {
      release = resolve;
    });
    site.found = [foundPlug(macOf(9), 'Desk')];
    await site.run(0);
    const stopped = site.stop();
    release();
    await stopped;
    expect(pathsOf(site)).toEqual([]);
  });
});

describe('what is left out', () => {
  const saidOf = ({ bench }: FinderBench) =>
    bench.log.lines.filter(({ msg }) => msg === 'found and left out');

  it.each([
    ['a strip', { sysinfo: readSysinfo({ alias: 'Desk', children: [] }) }, /strip/],
    ['anything else', { protocol: 'other', sysinfo: readSysinfo({ alias: 'Desk' }) }, /not a plug/],
    ['another protocol', { protocol: 'other' }, /Tapo/],
    ['a plug that waits to be set up', { joined: false }, /set up/],
  ] as const)('is named in the log once: %s', async (_, more, why) => {
    const site = new FinderBench([], { adopt: true });
    site.found = [foundPlug(macOf(9), 'Desk', more)];
    await site.run(200_000);
    expect(site.searches.length).toBeGreaterThan(2);
    expect(saidOf(site)).toMatchObject([
      { mac: macOf(9), alias: 'Desk', address: '192.0.2.77:9999', why: expect.stringMatching(why) },
    ]);
    expect(pathsOf(site)).toEqual([]);
  });

  it('is every plug that is not configured where plugs are not taken in, and the list of names ends', async () => {
    const site = new FinderBench(['lamp']);
    site.found = Array.from({ length: 250 }, (_, index) => foundPlug(macOf(index + 2), 'Desk'));
    await site.run(0);
    for (let turn = 0; turn < 3; turn++) await site.finder.search();
    expect(saidOf(site)).toHaveLength(100);
    expect(site.bench.log.lines.filter(({ msg }) => msg.includes('not named any more'))).toHaveLength(1);
    expect(pathsOf(site)).toEqual(['lamp']);
  });

  it('is no Tapo device for a plug with newer firmware, though it is where that is configured', async () => {
    const site = new FinderBench(['lamp'], { poll: { offlineAfter: 1 } });
    site.bench.transport('lamp').behaviour = new PlugError('refused', 'closed');
    const address = { host: '192.0.2.1', port: 80 };
    site.found = [foundPlug(macOf(9), undefined, { protocol: 'other', address, sysinfo: readSysinfo({}) })];
    await site.run(20_000);
    expect(site.searches).not.toEqual([]);
    expect(site.bench.bridge.plug('lamp')).toMatchObject({ problem: 'refused' });
  });
});

describe('plugs made up by somebody in the network', () => {
  const fakes = (count: number, from: number) =>
    Array.from({ length: count }, (_, index) => foundPlug(macOf(from + index), `Fake ${from + index}`));

  it('are taken in up to a limit, and that is said once', async () => {
    const site = new FinderBench([], { adopt: true, limit: 5 });
    site.found = fakes(20, 10);
    await site.run(1000);
    site.found = fakes(20, 40);
    await site.run(130_000);
    expect(pathsOf(site)).toHaveLength(5);
    expect(site.bench.memory.adopted().size).toBe(5);
    const said = site.bench.log.lines.filter(({ msg }) =>
      msg.includes('more plugs answer than are taken in'),
    );
    expect(said).toMatchObject([{ limit: 5, cure: expect.stringContaining('discovery.limit') }]);
  });

  it('in a former run give way to those that are there', async () => {
    const memory = adopting(...fakes(5, 100).map(({ mac }) => [mac, `fake-${mac.slice(-2)}`] as const));
    const site = new FinderBench([], { adopt: true, limit: 5, memory });
    site.found = fakes(5, 10);
    await site.run(1000);
    expect(pathsOf(site)).toHaveLength(5);
    expect([...memory.adopted().keys()].sort()).toEqual(fakes(5, 10).map(({ mac }) => mac));
  });
});

describe('a plug that is configured by its host', () => {
  const AT_HOST = { address: { host: '192.0.2.1', port: 9999 } };

  it('is not taken in too before it has said who it is', async () => {
    const site = new FinderBench(['lamp'], { adopt: true });
    site.bench.transport('lamp').behaviour = new PlugError('refused', 'it starts up');
    site.found = [foundPlug(macOf(1), 'Desk', AT_HOST), foundPlug(macOf(9), 'Other')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp', 'other']);
  });

  it('is not taken in too where the host is a name', async () => {
    const names = new Map([['lamp.example', ['192.0.2.5', '192.0.2.77']]]);
    const site = new FinderBench(['lamp'], { adopt: true, names });
    const transport = site.bench.transport('lamp');
    transport.address = { host: 'lamp.example', port: 9999 };
    transport.behaviour = new PlugError('refused', 'it starts up');
    site.found = [foundPlug(macOf(1), 'Desk')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp']);
  });

  it('takes the place of the one that was taken in, once it turns out to be that', async () => {
    const site = new FinderBench(['lamp'], { adopt: true });
    const transport = site.bench.transport('lamp');
    transport.behaviour = new PlugError('unreachable', 'another way leads there');
    site.found = [foundPlug(macOf(1), 'Desk')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp', 'desk']);
    transport.behaviour = 'answer';
    await site.bench.clock.advance(60_000);
    expect(pathsOf(site)).toEqual(['lamp']);
    expect(adoptedIn(site.bench.memory)).toEqual([]);
    expect(site.bench.removed).toMatchObject([{ path: 'desk' }]);
  });
});

describe('the path of a plug that was taken in', () => {
  it('is the same after a restart, whoever else of that name answers by then', async () => {
    const memory = adopting([macOf(8), 'lamp-0008']);
    const site = new FinderBench([], { adopt: true, memory });
    site.found = [foundPlug(macOf(8), 'Lamp')];
    await site.run(1000);
    expect(pathsOf(site)).toEqual(['lamp-0008']);
    site.found = [foundPlug(macOf(8), 'Lamp'), foundPlug(macOf(9), 'lamp')];
    await site.finder.search();
    expect(pathsOf(site)).toEqual(['lamp-0008', 'lamp']);
  });

  it('is long enough to be its own where the short ones are configured', async () => {
    const site = new FinderBench(['lamp', 'lamp-0008', 'lamp-000008'], { adopt: true });
    site.found = [foundPlug(macOf(8), 'Lamp')];
    await site.run(1000);
    expect(pathsOf(site)).toContain('lamp-50c7bf000008');
  });
});
