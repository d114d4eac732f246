import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.ts';
import type { KlapServer } from '../../src/simulator/klap-server.ts';
import type { PlugServer } from '../../src/simulator/plug-server.ts';
import { freePort } from '../support/free-port.ts';
import { KlapPlug } from '../support/klap-plug.ts';
import { LoopbackPlug } from '../support/loopback-plug.ts';
import { until } from '../support/until.ts';

const QUERY = encodeFrame('{"system":{"get_sysinfo":{}}}');

let plug: LoopbackPlug;
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await plug.stop();
});

/** A connection that has asked; the kernel has accepted it, whatever the plug does. */
async function asking(): Promise<Socket> {
  const client = connect(plug.server.port, plug.server.host);
  clients.push(client);
  await once(client, 'connect');
  client.write(QUERY);
  return client;
}

describe('a simulated plug that serves one connection', () => {
  it('answers the next one only after the first is closed', async () => {
    plug = await LoopbackPlug.started();
    plug.server.fault = { kind: 'one-connection' };
    const first = await asking();
    await once(first, 'data');
    const second = await asking();
    await until(() => plug.server.accepted === 2, 'the second connection');
    expect(plug.queries).toHaveLength(1);
    first.destroy();
    await once(second, 'data');
    expect(plug.queries).toHaveLength(2);
  });

  it('reads what a client sent that has given up meanwhile', async () => {
    plug = await LoopbackPlug.started();
    plug.server.fault = { kind: 'one-connection' };
    const first = await asking();
    await once(first, 'data');
    const second = await asking();
    await until(() => plug.server.accepted === 2, 'the second connection');
    second.end();
    await plug.asked(1);
    first.destroy();
    await plug.asked(2);
  });
});

describe('a simulated plug that is slow to accept', () => {
  it('answers a connection only after its time, and the next question on it at once', async () => {
    plug = await LoopbackPlug.started();
    plug.server.fault = { kind: 'slow-accept', ms: 3000 };
    const client = await asking();
    await until(() => plug.server.accepted === 1, 'the connection');
    await plug.clock.advance(2999);
    expect(plug.queries).toHaveLength(0);
    await plug.clock.advance(1);
    await once(client, 'data');
    client.write(QUERY);
    await once(client, 'data');
    expect(plug.queries).toHaveLength(2);
  });
});

describe('a simulated plug that loses power', () => {
  it('leaves no connection open that it was about to end itself', async () => {
    plug = await LoopbackPlug.started();
    const open = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await until(() => open() === 0, 'earlier connections to be closed');
    plug.server.fault = { kind: 'close' };
    // Its farewell begins with the answer that it owes, in the same turn as the question.
    plug.server.onQuery = () => process.nextTick(() => plug.server.hangUp());
    const client = await asking();
    await once(client, 'close');
    await until(() => open() === 0, 'the plug to have closed the connection');
  });

  it('is gone when it was still starting', async () => {
    plug = await LoopbackPlug.started();
    await plug.server.stop();
    await expectGone(plug.server);
  });

  it('is gone as well with newer firmware', async () => {
    await expectGone(new KlapPlug({ port: await freePort() }).server);
  });

  /** It is stopped while it starts. */
  async function expectGone(server: PlugServer | KlapServer): Promise<void> {
    const starting = server.start();
    await server.stop();
    await starting;
    const client = connect(server.port, server.host);
    clients.push(client);
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  }
});
