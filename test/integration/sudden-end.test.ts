import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { RawPeer } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';

describe('a program that ends without a stop', { timeout: 60_000 }, () => {
  let peer: RawPeer;
  let program: Program;
  /** How connections to the plug ended, as seen from there. */
  let ends: string[];

  beforeEach(async () => {
    ends = [];
    peer = new RawPeer();
    peer.onConnection = (socket) => {
      socket.on('end', () => ends.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? 'error'));
    };
    await peer.start();
    program = new Program();
  });

  afterEach(async () => {
    await program.dispose();
    await peer.stop();
  });

  it('resets connections on which a plug owes an answer: the kernel must not send it the question later', async () => {
    const { host, port } = peer.address;
    program.launch({
      broker: { listen: `127.0.0.1:${await freePort()}` },
      discovery: { interval: 0 },
      poll: { timeout: '60s' },
      plugs: [{ path: 'lamp', host: `${host}:${port}` }],
    });
    await until(() => peer.questions.length > 0, 'a question', 20_000);
    // Two signals of one kind may arrive as one.
    program.signal('SIGINT');
    const exit = await program.end('SIGTERM');
    expect(exit.code).toBe(1);
    await until(() => ends.length > 0, 'the end of the connection');
    expect(ends).toEqual(['ECONNRESET']);
  });
});
