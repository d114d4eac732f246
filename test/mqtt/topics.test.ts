import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placesOf } from '../../src/bridge/places.ts';
import { baseTopicProblem, FLAT_VALUES, pathProblem, slug, Topics } from '../../src/mqtt/topics.ts';

const NAMES = [...FLAT_VALUES, 'availability', 'result'] as const;

const segment = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'abz059-_') });
const path = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((text) => pathProblem(text) === undefined);
const base = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));

/** Whether a filter matches a topic, by the rules of MQTT. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const parts = filter.split('/');
  if (parts.at(-1) === '#')
    return parts.slice(0, -1).every((part, at) => part === '+' || part === levels[at]);
  return parts.length === levels.length && parts.every((part, at) => part === '+' || part === levels[at]);
}

describe('the filters', () => {
  const all = (topics: Topics, depth: number) => [
    ...topics.filters('set', depth),
    ...topics.filters('get', depth),
    topics.request('#'),
  ];

  it('match none of what is published of a plug, its places and the bridge itself', () => {
    fc.assert(
      fc.property(base, fc.array(path, { maxLength: 5 }), (at, paths) => {
        const topics = new Topics(at);
        const depth = Math.max(1, ...paths.map((one) => placesOf(one).length));
        const nodes = ['', ...paths, ...paths.flatMap(placesOf)];
        const published = [
          ...nodes.map((node) => topics.of(node)),
          ...nodes.flatMap((node) => NAMES.map((name) => topics.below(node, name))),
          topics.bridgeState,
          topics.bridgeInfo,
          topics.bridgePlugs,
          topics.bridgeHealth,
          topics.response('discover'),
          topics.response('plug/command'),
        ];
        const filters = all(topics, depth);
        expect(published.filter((topic) => filters.some((filter) => matches(filter, topic)))).toEqual([]);
      }),
    );
  });

  it('match every command to a plug or place, and every request', () => {
    fc.assert(
      fc.property(base, path, fc.constantFrom('set' as const, 'get' as const), (at, plug, verb) => {
        const topics = new Topics(at);
        const filters = topics.filters(verb, placesOf(plug).length);
        for (const node of [plug, ...placesOf(plug)]) {
          const topic = topics.below(node, verb);
          expect(filters.filter((filter) => matches(filter, topic))).toHaveLength(1);
        }
      }),
    );
    const topics = new Topics('museum');
    expect(matches(topics.request('#'), topics.request('plug/command'))).toBe(true);
  });
});

describe('a topic', () => {
  it('is read as it was made', () => {
    fc.assert(
      fc.property(base, path, fc.constantFrom('set' as const, 'get' as const), (at, plug, verb) => {
        const topics = new Topics(at);
        expect(topics.parse(topics.below(plug, verb))).toEqual({ verb, path: plug });
        expect(topics.parse(topics.below('', verb))).toEqual({ verb, path: '' });
        expect(topics.parse(topics.request(plug))).toEqual({ verb: 'request', name: plug });
      }),
    );
  });

  it.each(['museum//set', 'museum///get', 'museum/lamp//set', 'museum//lamp/set', 'museum//bridge/get'])(
    'with an empty level, %j, names neither the site nor anything below it',
    (topic) => {
      expect(new Topics('museum').parse(topic)).toMatchObject({ path: undefined });
    },
  );

  it.each([
    ['bridgeState', 'site/museum/bridge/state'],
    ['bridgeInfo', 'site/museum/bridge/info'],
    ['bridgePlugs', 'site/museum/bridge/plugs'],
    ['bridgeHealth', 'site/museum/bridge/health'],
  ] as const)('of the bridge, %s, is %s', (name, topic) => {
    expect(new Topics('site/museum')[name]).toBe(topic);
  });

  it('of a response is named as its request', () => {
    expect(new Topics('museum').response('plug/command')).toBe('museum/bridge/response/plug/command');
  });

  it('is none of ours when it is published by us, or is elsewhere', () => {
    fc.assert(
      fc.property(path, (plug) => {
        const topics = new Topics('museum');
        for (const name of NAMES) expect(topics.parse(topics.below(plug, name))).toBeUndefined();
        expect(topics.parse(topics.of(plug))).toBeUndefined();
        expect(topics.parse(`museums/${plug}/set`)).toBeUndefined();
      }),
    );
    expect(new Topics('museum').parse('museum')).toBeUndefined();
    expect(new Topics('museum').parse('other/set')).toBeUndefined();
    expect(new Topics('museum').parse('museum/bridge/response/set')).toBeUndefined();
    expect(new Topics('museum').parse('museum/bridge/set')).toEqual({ verb: 'set', path: 'bridge' });
  });
});

describe('a path', () => {
  it.each([
    ['shed3', undefined],
    ['east-wing/lamp_1', undefined],
    ['bridge', /reserved for the bridge/],
    ['bridge/lamp', /reserved for the bridge/],
    ['east/bridge', undefined],
    ['', /no empty levels/],
    ['/lamp', /no empty levels/],
    ['east//lamp', /no empty levels/],
    ['Große Halle', /for example "grosse-halle"/],
    ['lamp+', /may hold only/],
    ['lamp/state', /"state" is reserved/],
    ['set', /"set" is reserved/],
    ['get/lamp', /"get" is reserved/],
    ['lamp/result', /"result" is reserved/],
    ['availability/lamp', /"availability" is reserved/],
  ])('%j is right or wrong for a reason: %s', (text, problem) => {
    const found = pathProblem(text);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

describe('a base topic', () => {
  it.each([
    ['museum', undefined],
    ['site/a b/Museum', undefined],
    ['', /neither begins nor ends/],
    ['/museum', /neither begins nor ends/],
    ['museum/', /neither begins nor ends/],
    ['mus+um', /may not hold/],
    ['museum/#', /may not hold/],
    ['$SYS', /may not begin with/],
  ])('%j is right or wrong for a reason: %s', (text, problem) => {
    const found = baseTopicProblem(text);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});

describe('a slug', () => {
  it.each([
    ['Große Halle 1', 'grosse-halle-1'],
    ['Café Ünïcode', 'cafe-unicode'],
    ['  --x--  ', 'x'],
    ['Hall – 1', 'hall-1'],
    ['Set', 'plug-set'],
    ['BRIDGE', 'plug-bridge'],
    ['energy today', 'energy-today'],
    ['energy_today', 'plug-energy_today'],
    ['💡', 'plug'],
    ['', 'plug'],
  ])('of %j is %s', (name, expected) => {
    expect(slug(name)).toBe(expected);
  });

  it('is a path of one level that nothing is wrong with, and its own slug, whatever the name', () => {
    const word = fc.constantFrom(
      ...FLAT_VALUES,
      'set',
      'GET',
      'Result',
      'ſet',
      'bridge',
      '-state-',
      'ＳＥＴ',
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), word), (name) => {
        const made = slug(name);
        expect(made).not.toContain('/');
        expect(pathProblem(made)).toBeUndefined();
        expect(slug(made)).toBe(made);
      }),
      { numRuns: 500 },
    );
  });
});
