import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and gets in their way when a test says so. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Map<Socket, Socket>();
  #holding = false;
  #silent = false;
  #closed = false;
  /** Connections that clients have opened so far, refused ones among them. */
  attempts = 0;

  constructor(targetPort: number) {
    this.#target = targetPort;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  static async started(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `mqtt://127.0.0.1:${address.port}`;
  }

  /** Whether a client is connected. */
  get isUsed(): boolean {
    return this.#pairs.size > 0;
  }

  /** Takes nothing more of what clients send; what the server sends still goes through. */
  hold(): void {
    this.#holding = true;
    for (const client of this.#pairs.keys()) client.pause();
  }

  /** Lets nothing through either way, as a cable that is cut: connections stay, new ones are never answered. */
  silence(): void {
    this.#silent = true;
    this.hold();
    for (const [client, server] of this.#pairs) server.unpipe(client).pause();
  }

  release(): void {
    this.#holding = false;
    for (const [client, server] of this.#pairs) {
      client.resume();
      if (this.#silent) server.pipe(client);
    }
    this.#silent = false;
  }

  /** Cuts all connections, and every new one until it is opened again. */
  close(): void {
    this.#closed = true;
    for (const client of this.#pairs.keys()) client.destroy();
  }

  open(): void {
    this.#closed = false;
  }

  async stop(): Promise<void> {
    this.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.attempts++;
    client.on('error', () => client.destroy());
    if (this.#closed) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: this.#target, noDelay: true });
    server.on('error', () => server.destroy());
    this.#pairs.set(client, server);
    client.on('close', () => {
      this.#pairs.delete(client);
      server.destroy();
    });
    // What it said last is still to reach the client.
    server.on('close', () => client.destroySoon());
    if (!this.#silent) server.pipe(client);
    client.on('data', (chunk) => {
      if (!server.write(chunk)) client.pause();
    });
    server.on('drain', () => {
      if (!this.#holding) client.resume();
    });
    if (this.#holding) client.pause();
  }
}
