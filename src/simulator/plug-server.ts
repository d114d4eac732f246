import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { decodeBody, encodeDatagram, FrameDecoder } from '../protocol/frame.ts';
import { isObject, type JsonObject, parseObject } from '../protocol/json.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import type { SimulatedDevice } from './device.ts';
import { type Fault, type Step, script } from './faults.ts';
import { listening } from './listening.ts';
import type { PlugDevice } from './plug-device.ts';
import { Turns } from './turns.ts';

export interface ServerOptions<Device extends PlugDevice = SimulatedDevice> {
  readonly device: Device;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** How often, and how long apart, a plug tries to get its port back. */
const MOST_RETURNS = 100;
const RETURN_MS = 100;

/** Puts a simulated device on the network: TCP and UDP on one port, and all the faults a test can think of. */
export class PlugServer<Device extends PlugDevice = SimulatedDevice> {
  readonly #options: ServerOptions<Device>;
  readonly #sockets = new Set<Socket>();
  /** Connections that the plug has forgotten. */
  readonly #forgotten = new WeakSet<Socket>();
  #device: Device;
  #fault: Fault = { kind: 'none' };
  /** Rises with each stop: who went away for a while stays away if it was stopped meanwhile. */
  #stops = 0;
  readonly #turns = new Turns();
  #tcp: Server | undefined;
  #udp: UdpSocket | undefined;
  #port: number;
  /** Called with every query that arrives, before it is answered. */
  onQuery: (query: JsonObject) => void = () => {};
  /** Connections accepted so far. */
  accepted = 0;

  constructor(options: ServerOptions<Device>) {
    this.#device = options.device;
    this.#options = options;
    this.#port = options.port;
  }

  get device(): Device {
    return this.#device;
  }

  get fault(): Fault {
    return this.#fault;
  }

  set fault(fault: Fault) {
    this.#fault = fault;
    if (fault.kind === 'half-open') for (const socket of this.#sockets) this.#forgotten.add(socket);
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections open at the moment; one that the plug has ended is none, though its peer may not know yet. */
  get connections(): number {
    return [...this.#sockets].filter((socket) => !socket.writableEnded).length;
  }

  /** Begins to answer; after a stop on the same port as before. Rejects if the port cannot be had. */
  start(): Promise<void> {
    return this.#turns.take(() => this.#open());
  }

  /** Goes away as a plug does that loses power: connections are cut. */
  stop(): Promise<void> {
    this.#stops++;
    this.hangUp();
    return this.#turns.take(() => this.#close());
  }

  /** Resets all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) cut(socket);
  }

  /** Goes away and comes back after a while, as a plug does that restarts; not if it is stopped meanwhile. */
  async vanish(goneMs: number): Promise<void> {
    await this.stop();
    const stops = this.#stops;
    await sleep(this.#options.clock, goneMs);
    for (let attempt = 1; stops === this.#stops; attempt++) {
      try {
        await this.start();
        return;
      } catch (error) {
        // Another program on this machine may have its port for a moment.
        if (attempt === MOST_RETURNS) throw error;
        await sleep(this.#options.clock, RETURN_MS);
      }
    }
  }

  /** Comes back at another port, as a plug does that was given another address. */
  async moveTo(port: number): Promise<void> {
    await this.stop();
    this.#port = port;
    await this.start();
  }

  /** Another plug has the address from now on. */
  become(device: Device): void {
    this.#device = device;
    this.hangUp();
  }

  async #open(): Promise<void> {
    const tcp = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    await listening(tcp, this.#options.host, this.#port);
    this.#tcp = tcp;
    const address = tcp.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    this.#udp = await this.#bindUdp();
  }

  async #close(): Promise<void> {
    this.hangUp();
    const [tcp, udp] = [this.#tcp, this.#udp];
    this.#tcp = undefined;
    this.#udp = undefined;
    await Promise.all([
      new Promise<void>((resolve) => (tcp === undefined ? resolve() : tcp.close(() => resolve()))),
      new Promise<void>((resolve) => (udp === undefined ? resolve() : udp.close(() => resolve()))),
    ]);
  }

  #accept(socket: Socket): void {
    this.accepted++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (this.fault.kind === 'reset-at-accept') {
      cut(socket);
      return;
    }
    void this.#admit(socket);
  }

  /** The kernel accepts a connection at once; the plug may turn to it later, or not before the others are closed. */
  async #admit(socket: Socket): Promise<void> {
    const { fault } = this;
    if (fault.kind === 'slow-accept') await this.#pause(fault.ms);
    if (fault.kind === 'one-connection') {
      const earlier = [...this.#sockets].filter((other) => other !== socket);
      await Promise.all(earlier.map((other) => once(other, 'close')));
    }
    if (!socket.destroyed) this.#serve(socket);
  }

  #serve(socket: Socket): void {
    const decoder = new FrameDecoder();
    socket.on('data', (chunk) => {
      // What arrives behind the plug's own farewell is lost, as on a real plug.
      if (socket.writableEnded || this.#forgotten.has(socket)) return;
      try {
        for (const body of decoder.push(chunk)) this.#asked(socket, decodeBody(Buffer.from(body)));
      } catch {
        // What is no request is not answered; real plugs stay silent too.
        socket.destroy();
      }
    });
  }

  #asked(socket: Socket, text: string): void {
    const query = parseObject(text);
    this.onQuery(query);
    const fault = this.fault;
    const reply = JSON.stringify(this.device.answer(query, 'tcp'));
    const steps = script(fault, reply, this.#options.random);
    void this.#play(steps, socket);
  }

  async #play(steps: readonly Step[], socket: Socket): Promise<void> {
    for (const step of steps) {
      if (socket.destroyed) return;
      if ('end' in step) {
        if (step.end === 'reset') cut(socket);
        else socket.end();
        return;
      }
      if (step.afterMs !== undefined) await this.#pause(step.afterMs);
      if (!socket.destroyed) socket.write(step.send);
    }
    if (steps.length > 0 && this.device.closesAfterReply) socket.end();
  }

  /** No time at all is still a moment in which what was sent before goes out. */
  #pause(ms: number): Promise<void> {
    const { clock } = this.#options;
    return ms > 0 ? sleep(clock, ms) : new Promise((resolve) => clock.soon(resolve));
  }

  async #bindUdp(): Promise<UdpSocket> {
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    udp.on('message', (message, sender) => this.#datagram(udp, message, sender));
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(this.#port, this.#options.host, resolve);
    });
    udp.on('error', () => {});
    return udp;
  }

  #datagram(udp: UdpSocket, message: Buffer, sender: RemoteInfo): void {
    let query: JsonObject;
    try {
      query = parseObject(decodeBody(message));
    } catch {
      return;
    }
    // An answer to another program's broadcast must not be answered again, or two simulators would talk for ever.
    if (Object.values(query).some((methods) => isObject(methods) && Object.values(methods).some(isAnswer)))
      return;
    if (this.fault.kind === 'silence') return;
    this.onQuery(query);
    udp.send(encodeDatagram(JSON.stringify(this.device.answer(query, 'udp'))), sender.port, sender.address);
  }
}

/**
 * Resets a connection. Left to itself, Node says a proper farewell first, and the peer may see only that. Where the
 * farewell is under way it is too late: the system refuses the reset, and Node then forgets the socket without closing it.
 */
export function cut(socket: Socket): void {
  if (socket.writableEnded) {
    socket.destroy();
    return;
  }
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}

function isAnswer(value: unknown): boolean {
  return isObject(value) && 'err_code' in value;
}
