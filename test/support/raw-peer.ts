import { createServer, type Server, type Socket } from 'node:net';
import { decodeBody, encodeFrame, FrameDecoder } from '../../src/protocol/frame.ts';

/** A server that does with each question on each connection what a test says, byte by byte if need be. */
export class RawPeer {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();
  /** Questions as text, oldest first. */
  readonly questions: string[] = [];
  onConnection: (socket: Socket) => void = () => {};
  /** Whether a client that has ended its side may still be sent to, and the other way round. */
  allowHalfOpen = false;
  onQuestion: (socket: Socket, text: string) => unknown = () => {};

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get address(): { host: string; port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the peer does not listen');
    return { host: '127.0.0.1', port: address.port };
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder();
    this.sockets.add(socket);
    socket.allowHalfOpen = this.allowHalfOpen;
    this.onConnection(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const body of decoder.push(Buffer.from(chunk))) {
        const text = decodeBody(body);
        this.questions.push(text);
        this.onQuestion(socket, text);
      }
    });
  }
}

/** The frame of an object. */
export function frameOf(value: unknown): Buffer {
  return encodeFrame(JSON.stringify(value));
}
