import { describe, expect, it } from 'vitest';
import type { JournalRequest } from '../../src/api/requests/records.ts';
import { Requests } from '../../src/api/requests.ts';
import type { Asker } from '../../src/bridge/command.ts';
import { PlugError } from '../../src/errors.ts';
import type { FoundPlug } from '../../src/plug/discovery.ts';
import { PRESETS, presetOf } from '../../src/plug/presets/presets.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeEditor } from '../support/fake-editor.ts';
import { fakeLevel } from '../support/fake-level.ts';
import { foundPlug } from '../support/finder-bench.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { noClient } from '../support/no-client.ts';

const MAC = '50:C7:BF:00:00:01';
function open(allow: readonly string[] = [], found: readonly FoundPlug[] = []) {
  const bridge = new FakeBridge('lamp');
  const { log, lines } = memoryLog();
  const logLevel = fakeLevel();
  const editor = new FakeEditor();
  const read: JournalRequest[] = [];
  const energySet: [string, number, Asker][] = [];
  const requests = new Requests({
    bridge,
    allow: () => new Set(allow),
    search: async () => found,
    clientOf: noClient,
    logLevel,
    announce: () => 3,
    editor,
    journal: (request) => {
      read.push(request);
      return [{ id: 7 }];
    },
    energySet: (...set) => energySet.push(set),
    timeZone: 'Europe/Berlin',
    clock: new ManualClock(),
    log,
  });
  const ask = async (request: unknown, name = 'plug/command'): Promise<JsonObject> => {
    const text = typeof request === 'string' ? request : JSON.stringify(request);
    return JSON.parse(await requests.answer(name, Buffer.from(text), { origin: 'mqtt', user: null }));
  };
  return { bridge, lines, logLevel, editor, read, energySet, ask };
}

describe('a request', () => {
  it('is answered with what was asked, the data, and the transaction', async () => {
    const { bridge, ask } = open();
    bridge.answer = async () => ({ system: { get_sysinfo: { alias: 'Lamp', mac: MAC, err_code: 0 } } });
    expect(await ask({ plug: 'lamp', command: 'info', transaction: 'T1' })).toMatchObject({
      plug: 'lamp',
      command: 'info',
      status: 'ok',
      transaction: 'T1',
      data: { alias: 'Lamp' },
    });
    expect(bridge.refreshed).toEqual([]);
  });

  it('has the plug read again when it may have changed something', async () => {
    const { bridge, ask } = open(['alias']);
    bridge.answer = async () => ({
      system: { set_dev_alias: { err_code: 0 }, get_sysinfo: { alias: 'Desk', err_code: 0 } },
    });
    expect(await ask({ plug: 'lamp', command: 'alias', args: 'Desk' })).toMatchObject({ status: 'ok' });
    expect(bridge.asked).toMatchObject([
      { path: 'lamp', query: { system: { set_dev_alias: { alias: 'Desk' } } } },
    ]);
    expect(bridge.refreshed).toEqual(['lamp']);
  });

  it('asks the plug first what a command needs to know', async () => {
    const { bridge, ask } = open([]);
    const now = { year: 2026, month: 3, mday: 1, hour: 0, min: 0, sec: 0, err_code: 0 };
    bridge.answer = async ({ time }) =>
      time === undefined
        ? { emeter: { get_monthstat: { month_list: [], err_code: 0 } } }
        : { time: { get_time: now } };
    expect(await ask({ plug: 'lamp', command: 'month' })).toMatchObject({ status: 'ok' });
    expect(bridge.asked.map(({ query }) => query)).toEqual([
      { time: { get_time: {} } },
      { emeter: { get_monthstat: { year: 2026 } } },
    ]);
  });

  it.each([
    ['on', 'ON, OFF or TOGGLE'],
    ['off', 'ON, OFF or TOGGLE'],
    ['toggle', 'ON, OFF or TOGGLE'],
    ['brightness', '{"brightness":40}'],
    ['temperature', '{"color_temp":2700}'],
  ])('does not set by %s, even where that is allowed: it says how', async (command, words) => {
    const { bridge, ask } = open([command]);
    expect(await ask({ plug: 'lamp', command })).toMatchObject({
      status: 'error',
      error: `to switch lamp send ${words} to its topic "set"`,
    });
    expect(bridge.asked).toEqual([]);
  });

  it('gives the plug the time that a command takes', async () => {
    const { bridge, ask } = open();
    bridge.answer = async () => ({ netif: { get_scaninfo: { ap_list: [], err_code: 0 } } });
    expect(await ask({ plug: 'lamp', command: 'wlanscan' })).toMatchObject({ status: 'ok' });
    expect(bridge.asked.map(({ timeoutMs }) => timeoutMs)).toEqual([presetOf('wlanscan')?.timeoutMs]);
    expect(bridge.asked[0]?.timeoutMs).toBeGreaterThan(5000);
  });

  it('is refused where the configuration does not allow it, by name, and that is logged', async () => {
    const { bridge, lines, ask } = open(['alias']);
    expect(await ask({ plug: 'lamp', command: 'reboot' })).toMatchObject({
      status: 'error',
      code: 'not-allowed',
      error: expect.stringMatching(/reboot is not allowed; write "allow: \[reboot\]"/),
    });
    expect(lines).toMatchObject([{ command: 'reboot', origin: 'mqtt', cure: 'allow: [reboot]' }]);
    expect(bridge.asked).toEqual([]);
  });

  it('may be any query where raw is allowed, and nothing but a query', async () => {
    const { bridge, ask } = open(['raw']);
    bridge.answer = async () => ({ time: { get_time: { err_code: 0 } } });
    expect(await ask({ plug: 'lamp', command: 'raw', query: { time: { get_time: {} } } })).toMatchObject({
      status: 'ok',
      data: { time: {} },
    });
    for (const query of [undefined, 'x', [], { time: 1 }, { time: { get_time: null } }]) {
      expect(await ask({ plug: 'lamp', command: 'raw', query })).toMatchObject({ code: 'not-understood' });
    }
    expect(bridge.asked).toHaveLength(1);
  });

  it('never sends a raw query where only other things are allowed', async () => {
    const { bridge, ask } = open(['reboot', 'reset']);
    const request = { plug: 'lamp', command: 'raw', query: { system: { reboot: { delay: 1 } } } };
    expect(await ask(request)).toMatchObject({ code: 'not-allowed' });
    expect(bridge.asked).toEqual([]);
  });

  it.each([
    ['', 'not-understood', /send \{"plug":"shed3","command":"info"\}/],
    ['no JSON', 'not-understood', /it is not JSON/],
    ['[1]', 'not-understood', /a request is a JSON object/],
    [{ plug: 'lamp' }, 'not-understood', /send \{"plug"/],
    [{ plug: 7, command: 'info' }, 'not-understood', /send \{"plug"/],
    [{ plug: 'nowhere', command: 'info' }, 'not-found', /there is no plug nowhere/],
    [{ plug: 'lamp', command: 'explode' }, 'not-understood', /there is no command "explode"/],
    [{ plug: 'lamp', command: 'info', args: [{}] }, 'not-understood', /"args" must be a list/],
    [{ plug: 'lamp', command: 'info', args: ['x'] }, 'bad-argument', /it is written `info`/],
    [`{"transaction":${nested(7000)}}`, 'not-understood', /nested too deep/],
    [
      { plug: 'lamp', command: 'raw', query: { time: { get_time: { a: JSON.parse(nested(20)) } } } },
      'not-understood',
      /nested too deep/,
    ],
    [
      { plug: 'lamp', command: 'info', transaction: 'x'.repeat(300) },
      'not-understood',
      /"transaction" may have 256/,
    ],
    [`{"plug":"${'x'.repeat(17_000)}"}`, 'not-understood', /may have 16384 bytes/],
  ])('that is %.50j is refused in words', async (request, code, words) => {
    const { bridge, ask } = open(['raw', 'reboot']);
    expect(await ask(request)).toMatchObject({ status: 'error', code, error: expect.stringMatching(words) });
    expect(bridge.asked).toEqual([]);
  });

  it('is answered with the plug’s failure', async () => {
    const { bridge, lines, ask } = open();
    bridge.answer = () => Promise.reject(new PlugError('timeout', 'no answer'));
    expect(await ask({ plug: 'lamp', command: 'info', transaction: 1 })).toMatchObject({
      status: 'error',
      code: 'timeout',
      error: 'no answer',
      transaction: 1,
    });
    expect(lines).toEqual([]);
  });

  it('is answered even after a mistake of ours, which is logged', async () => {
    const { bridge, lines, ask } = open();
    bridge.answer = () => Promise.reject(new TypeError('a mistake'));
    expect(await ask({ plug: 'lamp', command: 'info' })).toMatchObject({
      status: 'error',
      code: 'unexpected',
    });
    expect(lines).toMatchObject([{ msg: 'unexpected failure', request: 'plug/command' }]);
  });

  it('to announce everything to Home Assistant again is told how many devices that were', async () => {
    const { ask } = open();
    expect(await ask('{}', 'homeassistant/announce')).toMatchObject({ status: 'ok', data: { announced: 3 } });
  });

  it('that there is not is told which there are', async () => {
    const { ask } = open();
    expect(await ask('{}', 'nonsense')).toMatchObject({
      error: expect.stringMatching(/^there is no request "nonsense"; there are discover, .*plug\/command/),
    });
  });

  it('to look for plugs is answered with what was found', async () => {
    const { ask } = open(
      [],
      [
        foundPlug(MAC, 'Lamp'),
        foundPlug('50:C7:BF:00:00:02', undefined, {
          protocol: 'klap',
          joined: false,
          address: { host: '192.0.2.5', port: 80 },
        }),
      ],
    );
    expect(await ask('', 'discover')).toEqual({
      status: 'ok',
      data: [
        {
          mac: MAC,
          address: '192.0.2.77:9999',
          alias: 'Lamp',
          model: null,
          protocol: 'xor',
          joined: true,
        },
        {
          mac: '50:C7:BF:00:00:02',
          address: '192.0.2.5:80',
          alias: null,
          model: null,
          protocol: 'klap',
          joined: false,
        },
      ],
    });
  });
});

describe('the level of the log', () => {
  it('is told to everybody', async () => {
    const { ask } = open();
    expect(await ask({ transaction: 7 }, 'log/level')).toEqual({
      status: 'ok',
      data: { level: 'info' },
      transaction: 7,
    });
  });

  it('is set where that is allowed', async () => {
    const { ask, logLevel } = open(['log/level']);
    expect(await ask({ level: 'debug' }, 'log/level')).toEqual({ status: 'ok', data: { level: 'debug' } });
    expect(logLevel.level).toBe('debug');
  });

  it('is not set where that is not allowed, nor to what is no level', async () => {
    const { ask, logLevel, lines } = open();
    expect(await ask({ level: 'debug' }, 'log/level')).toMatchObject({ code: 'not-allowed' });
    expect(lines).toMatchObject([{ command: 'log/level', cure: 'allow: [log/level]' }]);
    for (const level of ['loud', 30, null])
      expect(await ask({ level }, 'log/level')).toMatchObject({
        code: 'not-understood',
        error: '"level" must be one of trace, debug, info, warn, error, silent',
      });
    expect(logLevel.level).toBe('info');
  });
});

describe('a request that changes the site', () => {
  const REQUESTS = [
    ['plug/add', { path: 'a', host: '192.0.2.1' }, ['add', { path: 'a', host: '192.0.2.1' }]],
    ['plug/remove', { plug: 'a' }, ['remove', 'a', false]],
    ['plug/rename', { plug: 'a', name: ' A ' }, ['rename', { kind: 'plug', path: 'a' }, 'A', false]],
    ['plug/rename', { place: '/', name: null }, ['rename', { kind: 'place', path: '' }, null, false]],
    ['plug/move', { plug: 'a', to: 'b' }, ['move', { kind: 'plug', path: 'a' }, 'b', false]],
    ['plug/move', { place: 'a', to: 'b' }, ['move', { kind: 'place', path: 'a' }, 'b', false]],
    ['plug/replace', { plug: 'a', mac: 'M' }, ['replace', 'a', { mac: 'M', host: undefined }]],
    ['config/set', { options: { x: 1 } }, ['set', undefined, { x: 1 }, false]],
    ['config/set', { plug: 'a', options: { x: 1 } }, ['set', { kind: 'plug', path: 'a' }, { x: 1 }, false]],
  ] as const;

  it.each(REQUESTS)('is made where it is allowed: %s %j', async (name, request, call) => {
    const { ask, editor } = open([name]);
    const { path: _, ...echoed } = { path: '', transaction: 'T', ...request };
    expect(await ask({ ...request, transaction: 'T' }, name)).toMatchObject({
      status: 'ok',
      transaction: echoed.transaction,
      data: { kept: 'memory' },
    });
    expect(editor.calls).toEqual([call]);
  });

  it.each(REQUESTS)('is refused where it is not: %s', async (name, request) => {
    const { ask, editor } = open(['raw', 'alias']);
    expect(await ask(request, name)).toMatchObject({ status: 'error', code: 'not-allowed' });
    expect(editor.calls).toEqual([]);
  });

  it.each([
    ['plug/remove', {}],
    ['plug/remove', { place: 'a' }],
    ['plug/rename', { plug: 'a' }],
    ['plug/rename', { plug: 'a', name: ' ' }],
    ['plug/rename', { plug: 'a', name: 'x'.repeat(101) }],
    ['plug/rename', { place: 'a', name: 'A', alias: true }],
    ['plug/move', { plug: 'a' }],
    ['plug/move', { plug: 'a', place: 'b', to: 'c' }],
    ['plug/move', { plug: 7, to: 'c' }],
    ['plug/replace', { plug: 'a' }],
    ['config/set', { options: {} }],
    ['config/set', { options: 'x' }],
    ['config/get', { plug: 7 }],
  ])('that says too little or too much is not understood: %s %j', async (name, request) => {
    const { ask, editor } = open([name, 'alias']);
    expect(await ask(request, name)).toMatchObject({ status: 'error', code: 'not-understood' });
    expect(editor.calls).toEqual([]);
  });

  it('gives the plug its name too, first, where that is allowed', async () => {
    const { ask, bridge, editor } = open(['plug/rename']);
    const request = { plug: 'lamp', name: 'Desk', alias: true };
    expect(await ask(request, 'plug/rename')).toMatchObject({ code: 'not-allowed' });
    expect([bridge.asked, editor.calls]).toEqual([[], []]);
    const other = open(['plug/rename', 'alias']);
    other.bridge.answer = async () => {
      throw new PlugError('timeout', 'away');
    };
    expect(await other.ask(request, 'plug/rename')).toMatchObject({ code: 'timeout' });
    expect(other.editor.calls).toEqual([]);
  });

  it('may leave a plug without its lock only where that is allowed', async () => {
    const { ask, editor } = open(['plug/remove', 'unlock']);
    await ask({ plug: 'a' }, 'plug/remove');
    expect(editor.calls).toEqual([['remove', 'a', true]]);
  });
});

describe('a locked plug', () => {
  const RAW = { plug: 'lamp', command: 'raw' };

  it.each(PRESETS.filter(({ readOnly, asCommand }) => !readOnly && asCommand === undefined))(
    'refuses $name, even where that is allowed, and says why',
    async ({ name }) => {
      const { bridge, ask } = open([name]);
      bridge.locked.add('lamp');
      expect(await ask({ plug: 'lamp', command: name, args: [] })).toMatchObject({
        status: 'error',
        code: 'locked',
        error: `lamp is locked by the configuration, which refuses ${name}`,
      });
      expect(bridge.asked).toEqual([]);
    },
  );

  it.each(PRESETS.filter(({ readOnly }) => readOnly))(
    'is asked by $name for nothing but what it reports',
    async ({ name }) => {
      const { bridge, ask } = open();
      bridge.locked.add('lamp');
      await ask({ plug: 'lamp', command: name });
      const methods = bridge.asked.flatMap(({ query }) => Object.values(query).flatMap(Object.keys));
      expect(methods.length).toBeGreaterThan(0);
      expect(methods.filter((method) => !method.startsWith('get_'))).toEqual([]);
    },
  );

  it.each([
    { system: { set_relay_state: { state: 1 } } },
    { count_down: { add_rule: { enable: 1, act: 1, delay: 5 } } },
    { schedule: { add_rule: {} } },
    { system: { get_sysinfo: {}, reboot: { delay: 1 } } },
    { time: { get_time: {} }, system: { reset: {} } },
    { system: { getset: {} } },
  ])('refuses the raw query %j where raw is allowed', async (query) => {
    const { bridge, ask } = open(['raw']);
    bridge.locked.add('lamp');
    expect(await ask({ ...RAW, query })).toMatchObject({
      code: 'locked',
      error: expect.stringMatching(/refuses a raw query with methods other than get_…/),
    });
    expect(bridge.asked).toEqual([]);
  });

  it('answers what only reads: presets, and raw queries of get_ methods where raw is allowed', async () => {
    const { bridge, ask } = open(['raw']);
    bridge.locked.add('lamp');
    bridge.answer = async () => ({ system: { get_sysinfo: { err_code: 0 } } });
    expect(await ask({ plug: 'lamp', command: 'info' })).toMatchObject({ status: 'ok' });
    const query = { system: { get_sysinfo: {} }, emeter: { get_realtime: {} } };
    expect(await ask({ ...RAW, query })).toMatchObject({ status: 'ok' });
    expect(bridge.asked).toHaveLength(2);
  });
});

describe('requests', () => {
  it('are under way up to 64 at a time; more are refused', async () => {
    const { bridge, ask } = open();
    let finish = () => {};
    const finished = new Promise<JsonObject>((resolve) => {
      finish = () => resolve({ system: { get_sysinfo: { err_code: 0 } } });
    });
    bridge.answer = () => finished;
    const codes: unknown[] = [];
    const asked = Array.from({ length: 66 }, () =>
      ask({ plug: 'lamp', command: 'info' }).then(({ code, status }) => codes.push(code ?? status)),
    );
    await settled();
    expect(codes).toEqual(['busy', 'busy']);
    finish();
    await Promise.all(asked);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(64);
    expect(await ask({ plug: 'lamp', command: 'info' })).toMatchObject({ status: 'ok' });
  });

  it('are answered even if what the plug says cannot be written down', async () => {
    const { bridge, ask } = open(['raw']);
    const endless: { self?: unknown } = {};
    endless.self = endless;
    bridge.answer = async () => ({ time: endless });
    expect(await ask({ plug: 'lamp', command: 'raw', query: { time: { get_time: {} } } })).toMatchObject({
      status: 'error',
      code: 'unexpected',
    });
  });
});

/** JSON of lists within lists. */
function nested(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

describe('what is recorded', () => {
  it('is read by plug, place, kind, user and page', async () => {
    const { read, ask } = open();
    expect(await ask({ place: 'east', kind: 'relay', user: 'ann', before: 9, limit: 20 }, 'journal')).toEqual(
      {
        status: 'ok',
        data: { entries: [{ id: 7 }] },
      },
    );
    await ask({ plug: 'lamp', limit: 1e9 }, 'journal');
    const nothing = { kind: undefined, user: undefined, before: undefined };
    expect(read).toEqual([
      { path: 'east', kind: 'relay', user: 'ann', before: 9, limit: 20 },
      { path: 'lamp', ...nothing, limit: 50 },
    ]);
  });

  it('is set to what another meter shows, where that is allowed, and written down', async () => {
    const { bridge, energySet, ask } = open(['energy/set']);
    bridge.change('lamp', { info: INFO });
    expect(await ask({ plug: 'lamp', energy: 1234.5 }, 'energy/set')).toMatchObject({ status: 'ok' });
    expect(bridge.energies.get('lamp')).toBe(1234.5);
    expect(energySet).toEqual([['lamp', 1234.5, { origin: 'mqtt', user: null }]]);
    for (const wrong of [
      { plug: 'lamp' },
      { plug: 'lamp', energy: -1 },
      { plug: 'lamp', energy: 1e9 },
      { energy: 1 },
    ])
      expect(await ask(wrong, 'energy/set')).toMatchObject({ status: 'error', code: 'not-understood' });
    expect(await ask({ plug: 'gone', energy: 1 }, 'energy/set')).toMatchObject({ code: 'not-found' });
  });

  it('has lamps learnt anew, of a plug or a place, and says of which plugs', async () => {
    const { bridge, ask } = open(['lamp/learn']);
    bridge.learning.add('east/a').add('east/b').add('lamp');
    expect(await ask({ place: 'east' }, 'lamp/learn')).toMatchObject({
      data: { plugs: ['east/a', 'east/b'] },
    });
    expect(await ask({ plug: 'lamp' }, 'lamp/learn')).toMatchObject({ data: { plugs: ['lamp'] } });
    expect(await ask({ plug: 'west' }, 'lamp/learn')).toMatchObject({ code: 'not-found' });
    expect(await ask({}, 'lamp/learn')).toMatchObject({ code: 'not-understood' });
  });

  it.each(['energy/set', 'lamp/learn'])(
    'is changed by %s only where the configuration says so',
    async (name) => {
      const { bridge, ask } = open();
      bridge.learning.add('lamp');
      expect(await ask({ plug: 'lamp', energy: 1 }, name)).toMatchObject({
        status: 'error',
        code: 'not-allowed',
      });
      expect(bridge.energies.size).toBe(0);
    },
  );
});
