import { describe, expect, it } from 'vitest';
import { Requests } from '../../src/api/requests.ts';
import { RequestListener } from '../../src/mqtt/request-listener.ts';
import { SHUTDOWN_MS } from '../../src/mqtt/session.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { FakeEditor } from '../support/fake-editor.ts';
import { fakeLevel } from '../support/fake-level.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { noClient } from '../support/no-client.ts';
import { NO_RECORDS } from '../support/no-records.ts';
import { RunningTask } from '../support/running-task.ts';

const COMMAND = 'museum/bridge/request/plug/command';
const RESPONSE = 'museum/bridge/response/plug/command';
const INFO = '{"plug":"lamp","command":"info","transaction":"T1"}';

function open() {
  const bridge = new FakeBridge('lamp');
  const session = new FakeSession();
  const clock = new ManualClock();
  const { log, lines } = memoryLog();
  const requests = new Requests({
    bridge,
    allow: () => new Set(),
    search: async () => [],
    clientOf: noClient,
    logLevel: fakeLevel(),
    announce: () => 3,
    editor: new FakeEditor(),
    ...NO_RECORDS,
    timeZone: 'UTC',
    clock,
    log,
  });
  const topics = new Topics('museum');
  const task = new RunningTask(new RequestListener({ requests, session, topics, clock, log }));
  return { bridge, session, clock, lines, task };
}

describe('requests over MQTT', () => {
  it('are awaited on every topic below request, and no other; retained ones are left alone', async () => {
    const { session } = open();
    expect(session.filters).toEqual(['museum/bridge/request/#']);
    session.receive('museum/lamp/set', '{}');
    session.receive(COMMAND, '{}', { retain: true });
    await settled();
    expect(session.messages).toEqual([]);
  });

  it('are answered at QoS 1 on the response topic of the same name', async () => {
    const { bridge, session } = open();
    bridge.answer = async () => ({ system: { get_sysinfo: { alias: 'Lamp', err_code: 0 } } });
    session.receive(COMMAND, INFO);
    session.receive('museum/bridge/request/nonsense', '');
    await settled();
    expect(session.messages).toMatchObject([
      { topic: 'museum/bridge/response/nonsense', payload: expect.stringContaining('"status":"error"') },
      { topic: RESPONSE, retain: false, qos: 1, keep: true, payload: expect.stringContaining('"T1"') },
    ]);
  });

  it('that are open are answered before the end', async () => {
    const { bridge, session, task } = open();
    let finish = () => {};
    bridge.answer = () =>
      new Promise<JsonObject>((resolve) => {
        finish = () => resolve({ system: { get_sysinfo: { err_code: 0 } } });
      });
    session.receive(COMMAND, INFO);
    let ended = false;
    const stopped = task.stop().then(() => {
      ended = true;
    });
    await settled();
    expect(ended).toBe(false);
    finish();
    await stopped;
    expect(session.on(RESPONSE)).toHaveLength(1);
  });

  it('that are never answered do not keep the program from ending', async () => {
    const { bridge, session, clock, lines, task } = open();
    bridge.answer = () => new Promise(() => {});
    session.receive(COMMAND, INFO);
    const stopped = task.stop();
    await clock.advance(SHUTDOWN_MS);
    await stopped;
    expect(lines).toMatchObject([{ requests: 1, msg: 'stopped before these requests were answered' }]);
  });
});
