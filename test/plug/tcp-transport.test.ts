import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError, PlugError, type Reason } from '../../src/errors.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { GET_CLOCK_AND_CLOUD, GET_SYSINFO } from '../../src/protocol/requests.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { cut } from '../../src/simulator/plug-server.ts';
import { LoopbackPlug, type PlugOptions, TIMEOUT_MS } from '../support/loopback-plug.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { frameOf, RawPeer } from '../support/raw-peer.ts';
import { rejectionOf, thrownBy } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
  await until(
    () =>
      !process.getActiveResourcesInfo().some((kind) => /^TCP(Socket|Server)Wrap|^TCPConnectWrap/.test(kind)),
    'all sockets to be closed',
  );
});

async function plugOn(options: PlugOptions = {}): Promise<LoopbackPlug> {
  const plug = await LoopbackPlug.started(options);
  open.push(plug);
  return plug;
}

async function peerOn(): Promise<RawPeer> {
  const peer = new RawPeer();
  await peer.start();
  open.push(peer);
  return peer;
}

/** A transport to `peer` that is given up when the test ends. */
function transportTo(peer: RawPeer, clock = new ManualClock()): TcpTransport {
  const transport = new TcpTransport(peer.address, clock);
  open.push({ stop: async () => transport.close() });
  return transport;
}

const SYSINFO = { system: { get_sysinfo: { alias: 'Loom' } } };
/** The frame of an object with a length of 0, as some old firmware sends it. */
function withoutLength(value: unknown): Buffer {
  const frame = frameOf(value);
  frame.writeUInt32BE(0);
  return frame;
}

const TIME = { time: { get_time: { year: 2026 } } };

describe('an exchange', () => {
  it.each(['1.0', '2.0'] as const)('with hardware %s gives the answer, time after time', async (hardware) => {
    const plug = await plugOn({ hardware });
    const transport = plug.transport();
    for (let turn = 0; turn < 3; turn++) {
      expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toMatchObject(SYSINFO);
    }
    expect(plug.clock.armed).toBe(0);
  });

  it('keeps the connection where the plug keeps it', async () => {
    const plug = await plugOn({ hardware: '2.0' });
    const transport = plug.transport();
    for (let turn = 0; turn < 5; turn++) await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    expect(plug.server.accepted).toBe(1);
    expect(transport.connection).toBe(1);
    expect(transport.connected).toBe(true);
  });

  it('connects anew each time where the plug closes after each reply', async () => {
    const plug = await plugOn({ hardware: '1.0' });
    const transport = plug.transport();
    for (let turn = 0; turn < 3; turn++) {
      await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
      await until(() => !transport.connected, 'the plug to close');
    }
    expect(plug.server.accepted).toBe(3);
    expect(transport.connection).toBe(3);
  });

  it.each<[Fault]>([
    [{ kind: 'split' }],
    [{ kind: 'surplus' }],
    [{ kind: 'two-frames' }],
    [{ kind: 'length', length: 0, close: true }],
    [{ kind: 'delay', ms: 0 }],
  ])('succeeds in spite of $kind', async (fault) => {
    const plug = await plugOn();
    plug.server.fault = fault;
    const answer = plug.transport().exchange(GET_SYSINFO, TIMEOUT_MS);
    await plug.asked(1);
    if (fault.kind === 'split' || fault.kind === 'delay') {
      // Waits of no length still wait for the clock.
      for (let turn = 0; turn < 2; turn++) await plug.clock.advance(0);
    }
    expect(await answer).toMatchObject(SYSINFO);
  });

  it.each<[Fault, Reason | RegExp]>([
    [{ kind: 'reset-at-accept' }, 'reset'],
    // Whether a reset behind half an answer looks like one depends on what the platform has read by then.
    [{ kind: 'reset-mid-reply' }, /^(reset|closed)$/],
    [{ kind: 'close-mid-reply' }, 'closed'],
    [{ kind: 'close' }, 'closed'],
    [{ kind: 'length', length: 5000, close: true }, 'closed'],
    [{ kind: 'length', length: 10 }, 'bad-answer'],
    [{ kind: 'length', length: 65_537 }, 'bad-answer'],
    [{ kind: 'garbage' }, 'bad-answer'],
    [{ kind: 'invalid-json' }, 'bad-answer'],
    [{ kind: 'not-an-object' }, 'bad-answer'],
    [{ kind: 'invalid-utf8' }, 'bad-answer'],
    [{ kind: 'http' }, 'bad-answer'],
  ])('fails on $kind, and the next one works', async (fault, reason) => {
    const plug = await plugOn();
    const transport = plug.transport();
    plug.server.fault = fault;
    const error = await rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    expect(error).toBeInstanceOf(PlugError);
    expect(error).toMatchObject({ reason: expect.stringMatching(reason) });
    expect(transport.connected).toBe(false);
    expect(plug.clock.armed).toBe(0);
    plug.server.fault = { kind: 'none' };
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toMatchObject(SYSINFO);
  });

  it('fails as refused where nobody listens', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await plug.server.stop();
    expect(await rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS))).toMatchObject({
      reason: 'refused',
      message: `127.0.0.1:${plug.server.port} refuses connections`,
    });
    await plug.server.start();
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toMatchObject(SYSINFO);
  });

  it('is one at a time: a second question before the answer is a mistake of the program', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    const first = transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    const error = thrownBy(() => transport.exchange(GET_CLOCK_AND_CLOUD, TIMEOUT_MS));
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code: 'exchange-in-flight' });
    expect(await first).toMatchObject(SYSINFO);
  });
});

describe('the deadline of an exchange', () => {
  it.each<[Fault]>([[{ kind: 'silence' }], [{ kind: 'length', length: 5000 }]])(
    'ends it on $kind, and the next one works',
    async (fault) => {
      const plug = await plugOn();
      const transport = plug.transport();
      plug.server.fault = fault;
      const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
      await plug.asked(1);
      await plug.clock.advance(TIMEOUT_MS);
      expect(await failed).toMatchObject({
        reason: 'timeout',
        message: expect.stringMatching(/answer within 1000 ms$/),
      });
      expect(transport.connected).toBe(false);
      plug.server.fault = { kind: 'none' };
      expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toMatchObject(SYSINFO);
    },
  );

  it('takes what came without a length for the answer when the plug does not end the connection either', async () => {
    const plug = await plugOn();
    plug.server.fault = { kind: 'length', length: 0 };
    const transport = new TcpTransport({ host: '127.0.0.1', port: plug.server.port }, new SystemClock());
    expect(await transport.exchange(GET_SYSINFO, 200)).toMatchObject(SYSINFO);
    expect(transport.connected).toBe(false);
  });

  it('has not come before its time', async () => {
    const plug = await plugOn();
    plug.server.fault = { kind: 'delay', ms: TIMEOUT_MS - 1 };
    const answer = plug.transport().exchange(GET_SYSINFO, TIMEOUT_MS);
    await plug.asked(1);
    await plug.clock.advance(TIMEOUT_MS - 1);
    expect(await answer).toMatchObject(SYSINFO);
  });

  it('is not put off by an answer that trickles in', async () => {
    const plug = await plugOn();
    plug.server.fault = { kind: 'trickle', ms: 10 };
    const failed = rejectionOf(plug.transport().exchange(GET_SYSINFO, TIMEOUT_MS));
    await plug.asked(1);
    await plug.clock.advance(TIMEOUT_MS);
    expect(await failed).toMatchObject({ reason: 'timeout' });
  });

  it('is not put off by connecting anew', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    plug.server.onQuery = (query) => {
      plug.queries.push(query);
      plug.server.fault = plug.queries.length === 2 ? { kind: 'close' } : { kind: 'silence' };
    };
    const began = plug.clock.now();
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    await plug.asked(2);
    await plug.clock.advance(TIMEOUT_MS - 1);
    await plug.asked(3);
    await plug.clock.advance(1);
    expect(await failed).toMatchObject({ reason: 'timeout' });
    expect(plug.clock.now() - began).toBe(TIMEOUT_MS);
  });

  it('says whether it was the connection or the answer that did not come', async () => {
    const peer = await peerOn();
    const expired: (() => void)[] = [];
    const clock = {
      now: () => 0,
      date: () => 0,
      boot: 'boot 1',
      soon: () => {},
      timer: (fire: () => void) => ({ set: () => expired.push(fire), clear: () => {} }),
    };
    const transport = new TcpTransport(peer.address, clock);
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, 700));
    for (const fire of expired) fire();
    expect(await failed).toMatchObject({
      reason: 'timeout',
      message: expect.stringMatching(/did not accept a connection within 700 ms$/),
    });
  });
});

describe('giving up', () => {
  it('rejects the question in flight, and the next exchange works', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    plug.server.fault = { kind: 'silence' };
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    await plug.asked(1);
    transport.close();
    expect(await failed).toMatchObject({ reason: 'closed', message: expect.stringContaining('given up') });
    expect(plug.clock.armed).toBe(0);
    plug.server.fault = { kind: 'none' };
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toMatchObject(SYSINFO);
  });

  it('before the connection stands rejects too', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    transport.close();
    expect(await failed).toMatchObject({ reason: 'closed' });
  });

  it('with nothing in flight drops the connection, as often as you like', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    transport.close();
    transport.close();
    expect(transport.connected).toBe(false);
    await until(() => plug.server.connections === 0, 'the connection to close');
  });
});

describe('the end of a connection', () => {
  /** How each connection to `peer` ended, as seen from there: `end` for a FIN, `ECONNRESET` for a reset. */
  function endsOf(peer: RawPeer): string[] {
    const ends: string[] = [];
    peer.onConnection = (socket) => {
      socket.on('end', () => ends.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? 'error'));
    };
    return ends;
  }

  it.each<[string, (transport: TcpTransport, clock: ManualClock) => unknown]>([
    ['timed out', (_, clock) => clock.advance(TIMEOUT_MS)],
    ['was given up', (transport) => transport.close()],
    ['was to a plug that moved', (transport) => transport.moveTo({ host: '127.0.0.1', port: 9 })],
  ])('is a reset when a question %s: the kernel must not send it again later', async (_, giveUp) => {
    const peer = await peerOn();
    const ends = endsOf(peer);
    const clock = new ManualClock();
    const transport = transportTo(peer, clock);
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    await until(() => peer.questions.length === 1, 'the question');
    giveUp(transport, clock);
    await failed;
    await until(() => ends.length > 0, 'the end');
    expect(ends).toEqual(['ECONNRESET']);
  });

  it('is a reset when a kept connection is given up under its second question', async () => {
    const peer = await peerOn();
    const ends = endsOf(peer);
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => peer.questions.length === 1 && socket.write(frameOf(SYSINFO));
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    const failed = rejectionOf(transport.exchange(GET_CLOCK_AND_CLOUD, TIMEOUT_MS));
    await until(() => peer.questions.length === 2, 'the second question');
    transport.close();
    await failed;
    await until(() => ends.length > 0, 'the end');
    expect(ends).toEqual(['ECONNRESET']);
  });

  it('is a reset when the plug has closed its side only, so that the question asked anew is the only one', async () => {
    const peer = await peerOn();
    peer.allowHalfOpen = true;
    const ends = endsOf(peer);
    const transport = transportTo(peer);
    peer.onQuestion = (socket) =>
      peer.questions.length === 2 ? socket.end() : socket.write(frameOf(SYSINFO));
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toEqual(SYSINFO);
    await until(() => ends.length > 0, 'the end');
    expect(ends).toEqual(['ECONNRESET']);
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ['with its length', (socket) => socket.write(frameOf(SYSINFO))],
    ['and more', (socket) => socket.write(Buffer.concat([frameOf(SYSINFO), frameOf(SYSINFO)]))],
    ['up to the end of the connection', (socket) => socket.end(withoutLength(SYSINFO))],
  ])('is an ordinary one when all is answered: %s', async (_, answer) => {
    const peer = await peerOn();
    const ends = endsOf(peer);
    const transport = transportTo(peer);
    peer.onQuestion = answer;
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    transport.close();
    await until(() => ends.length > 0, 'the end');
    expect(ends).toEqual(['end']);
  });
});

describe('an answer that comes too late', () => {
  it('is not taken for the answer to the next question', async () => {
    const peer = await peerOn();
    const clock = new ManualClock();
    const transport = transportTo(peer, clock);
    const failed = rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS));
    await until(() => peer.questions.length === 1, 'the question');
    const [late] = peer.sockets;
    await clock.advance(TIMEOUT_MS);
    expect(await failed).toMatchObject({ reason: 'timeout' });
    peer.onQuestion = (socket) => {
      if (late?.writable) late.write(frameOf(SYSINFO));
      socket.write(frameOf(TIME));
    };
    expect(await transport.exchange(GET_CLOCK_AND_CLOUD, TIMEOUT_MS)).toEqual(TIME);
  });

  it('and is a second one to the same question costs the connection', async () => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => socket.write(frameOf(SYSINFO));
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    for (const socket of peer.sockets) socket.write(frameOf(SYSINFO));
    await until(() => !transport.connected, 'the connection to be dropped');
    peer.onQuestion = (socket) => socket.write(frameOf(TIME));
    expect(await transport.exchange(GET_CLOCK_AND_CLOUD, TIMEOUT_MS)).toEqual(TIME);
    expect(transport.connection).toBe(2);
  });

  it.each([
    ['a second frame', frameOf(SYSINFO)],
    ['the beginning of one', frameOf(SYSINFO).subarray(0, 9)],
  ])('together with the first one, as %s, costs the connection at once', async (_, more) => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => socket.write(Buffer.concat([frameOf(SYSINFO), more]));
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toEqual(SYSINFO);
    expect(transport.connected).toBe(false);
    peer.onQuestion = (socket) => socket.write(frameOf(TIME));
    expect(await transport.exchange(GET_CLOCK_AND_CLOUD, TIMEOUT_MS)).toEqual(TIME);
  });
});

describe('a kept connection that the plug closes meanwhile', () => {
  it('while nobody asks is replaced with the next question', async () => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => socket.write(frameOf(SYSINFO));
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    for (const socket of peer.sockets) socket.end();
    await until(() => !transport.connected, 'the end to be seen');
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toEqual(SYSINFO);
    expect(transport.connection).toBe(2);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['close', (socket) => socket.end()],
    ['reset', cut],
  ])('at the very question (%s) is replaced quietly', async (_, end) => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) =>
      peer.questions.length === 2 ? end(socket) : socket.write(frameOf(SYSINFO));
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    expect(await transport.exchange(GET_SYSINFO, TIMEOUT_MS)).toEqual(SYSINFO);
    expect(peer.questions).toHaveLength(3);
    expect(transport.connection).toBe(2);
  });

  it('twice in a row is an error', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    plug.server.fault = { kind: 'close' };
    expect(await rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS))).toMatchObject({
      reason: 'closed',
    });
    expect(plug.queries).toHaveLength(3);
  });

  it('in the middle of an answer is an error', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    plug.server.fault = { kind: 'close-mid-reply' };
    expect(await rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS))).toMatchObject({
      reason: 'closed',
    });
    expect(plug.queries).toHaveLength(2);
  });

  it('is not replaced behind the back of a caller who wants to stay on it', async () => {
    const plug = await plugOn();
    const transport = plug.transport();
    await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
    plug.server.fault = { kind: 'close' };
    expect(await rejectionOf(transport.exchange(GET_SYSINFO, TIMEOUT_MS, true))).toMatchObject({
      reason: 'closed',
    });
    expect(plug.server.accepted).toBe(1);
  });
});

describe('a plug that hung up twice after its answer', () => {
  /** Asks until the peer has been asked `count` times in all. */
  async function askUntil(peer: RawPeer, transport: TcpTransport, count: number): Promise<void> {
    while (peer.questions.length < count) {
      await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
      await settled();
    }
  }

  it('is given its connection back once it keeps one again', async () => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => socket.end(frameOf(SYSINFO));
    for (let turn = 0; turn < 2; turn++) {
      await transport.exchange(GET_SYSINFO, TIMEOUT_MS);
      await until(() => !transport.connected, 'the plug to hang up');
    }
    peer.onQuestion = (socket) => socket.write(frameOf(SYSINFO));
    await askUntil(peer, transport, 51);
    expect(transport.connection).toBe(51);
    await askUntil(peer, transport, 200);
    expect(transport.connection).toBe(52);
  });

  it('and still does costs one connection a question, as before', async () => {
    const peer = await peerOn();
    const transport = transportTo(peer);
    peer.onQuestion = (socket) => socket.end(frameOf(SYSINFO));
    await askUntil(peer, transport, 200);
    expect(peer.questions.length).toBeLessThanOrEqual(201);
    expect(transport.connection).toBeLessThanOrEqual(201);
  });
});

describe('many transports', () => {
  it('share what they read into without mixing up what they read', async () => {
    const peer = await peerOn();
    peer.onQuestion = (socket, text) => {
      const frame = encodeFrame(text);
      socket.write(frame.subarray(0, 7));
      setImmediate(() => socket.write(frame.subarray(7)));
    };
    const transports = Array.from({ length: 20 }, () => transportTo(peer));
    for (let turn = 0; turn < 5; turn++) {
      const requests = transports.map((_, index) => (index % 2 === 0 ? GET_SYSINFO : GET_CLOCK_AND_CLOUD));
      const answers = await Promise.all(
        transports.map((transport, index) =>
          transport.exchange(requests[index] ?? GET_CLOCK_AND_CLOUD, TIMEOUT_MS),
        ),
      );
      expect(answers).toEqual(requests.map(({ query }) => query));
    }
    await settled();
  });
});
