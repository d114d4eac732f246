import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { RequestListener } from '../../src/mqtt/request-listener.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import type { FoundPlug } from '../../src/plug/discovery.ts';
import { presetOf } from '../../src/plug/presets.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { foundPlug } from '../support/finder-bench.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { RunningTask } from '../support/running-task.ts';

const MAC = '50:C7:BF:00:00:01';
const COMMAND = 'museum/bridge/request/plug/command';
const RESPONSE = 'museum/bridge/response/plug/command';

function open(allow: readonly string[] = [], found: readonly FoundPlug[] = []) {
  const bridge = new FakeBridge('lamp');
  const session = new FakeSession();
  const { log, lines } = memoryLog();
  const listener = new RequestListener({
    bridge,
    session,
    topics: new Topics('museum'),
    allow: new Set(allow),
    search: async () => found,
    timeZone: 'Europe/Berlin',
    clock: new ManualClock(),
    log,
  });
  const task = new RunningTask(listener);
  const ask = async (request: unknown, topic = COMMAND): Promise<JsonObject> => {
    session.receive(topic, typeof request === 'string' ? request : JSON.stringify(request));
    await settled();
    expect(session.messages).toHaveLength(1);
    const [message] = session.messages.splice(0);
    expect(message).toMatchObject({
      retain: false,
      qos: 1,
      keep: true,
      topic: topic.replace('request', 'response'),
    });
    return JSON.parse(message?.payload ?? '');
  };
  return { bridge, session, lines, task, ask };
}

describe('a request to the bridge', () => {
  it('is awaited on every topic below request, and no other', async () => {
    const { session } = open();
    expect(session.filters).toEqual(['museum/bridge/request/#']);
    session.receive('museum/lamp/set', '{}');
    session.receive(COMMAND, '{}', { retain: true });
    await settled();
    expect(session.messages).toEqual([]);
  });

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

  it.each(['on', 'off', 'toggle'])(
    'does not %s, even where that is allowed: it names the topic for it',
    async (command) => {
      const { bridge, ask } = open([command]);
      expect(await ask({ plug: 'lamp', command })).toMatchObject({
        status: 'error',
        error: 'send ON, OFF or TOGGLE to museum/lamp/set',
      });
      expect(bridge.asked).toEqual([]);
    },
  );

  it('gives the plug the time that a command takes', async () => {
    const { bridge, ask } = open();
    bridge.answer = async () => ({ netif: { get_scaninfo: { ap_list: [], err_code: 0 } } });
    expect(await ask({ plug: 'lamp', command: 'wlanscan' })).toMatchObject({ status: 'ok' });
    expect(bridge.asked.map(({ timeoutMs }) => timeoutMs)).toEqual([presetOf('wlanscan')?.patienceMs]);
    expect(bridge.asked[0]?.timeoutMs).toBeGreaterThan(5000);
  });

  it('is refused where the configuration does not allow it, by name, and that is logged', async () => {
    const { bridge, lines, ask } = open(['alias']);
    expect(await ask({ plug: 'lamp', command: 'reboot' })).toMatchObject({
      status: 'error',
      code: 'not-allowed',
      error: expect.stringMatching(/reboot is not allowed; write "allow: \[reboot\]"/),
    });
    expect(lines).toMatchObject([{ command: 'reboot', cure: 'allow: [reboot]' }]);
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
    ['no JSON', 'not-understood', /a request is a JSON object/],
    ['[1]', 'not-understood', /a request is a JSON object/],
    [{ plug: 'lamp' }, 'not-understood', /send \{"plug"/],
    [{ plug: 7, command: 'info' }, 'not-understood', /send \{"plug"/],
    [{ plug: 'nowhere', command: 'info' }, 'not-found', /there is no plug nowhere/],
    [{ plug: 'lamp', command: 'explode' }, 'not-understood', /there is no command "explode"/],
    [{ plug: 'lamp', command: 'info', args: [{}] }, 'not-understood', /"args" must be a list/],
    [{ plug: 'lamp', command: 'info', args: ['x'] }, 'bad-argument', /it is written `info`/],
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

  it('that there is not is told which there are', async () => {
    const { ask } = open();
    expect(await ask('{}', 'museum/bridge/request/nonsense')).toMatchObject({
      error: 'there is no request "nonsense"; there are discover and plug/command',
    });
  });

  it('to look for plugs is answered with what was found', async () => {
    const { ask } = open(
      [],
      [
        foundPlug(MAC, 'Lamp'),
        foundPlug('50:C7:BF:00:00:02', undefined, {
          speaks: 'klap',
          joined: false,
          address: { host: '192.0.2.5', port: 80 },
        }),
      ],
    );
    expect(await ask('', 'museum/bridge/request/discover')).toEqual({
      status: 'ok',
      data: [
        {
          mac: MAC,
          address: '192.0.2.77:9999',
          alias: 'Lamp',
          model: null,
          newer_firmware: false,
          joined: true,
        },
        {
          mac: '50:C7:BF:00:00:02',
          address: '192.0.2.5:80',
          alias: null,
          model: null,
          newer_firmware: true,
          joined: false,
        },
      ],
    });
  });
});

describe('requests', () => {
  it('are under way up to 64 at a time; more are refused, and none goes unanswered at the end', async () => {
    const { bridge, session, task } = open();
    let finish = () => {};
    const finished = new Promise<JsonObject>((resolve) => {
      finish = () => resolve({ system: { get_sysinfo: { err_code: 0 } } });
    });
    bridge.answer = () => finished;
    for (let each = 0; each < 66; each++) session.receive(COMMAND, '{"plug":"lamp","command":"info"}');
    await settled();
    expect(session.on(RESPONSE).map((payload) => JSON.parse(payload).code)).toEqual(['busy', 'busy']);
    let ended = false;
    const stopped = task.stop().then(() => {
      ended = true;
    });
    await settled();
    expect(ended).toBe(false);
    finish();
    await stopped;
    expect(session.on(RESPONSE)).toHaveLength(66);
  });
});
