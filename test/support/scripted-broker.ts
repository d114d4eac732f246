import { createServer, type Server, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';

/** A broker that answers each packet as a test says; what the test leaves alone is taken and confirmed. */
export class ScriptedBroker {
  readonly #server: Server;
  readonly sockets = new Set<Socket>();
  /** Every packet that arrived, oldest first. */
  readonly packets: Packet[] = [];
  /** Called with each packet; true: the test has answered it itself. */
  onPacket: (packet: Packet, socket: Socket, connection: number) => boolean = () => false;
  /** Connections so far. */
  connections = 0;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket, ++this.connections));
  }

  static async started(): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker();
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the broker does not listen');
    return `mqtt://127.0.0.1:${address.port}`;
  }

  /** The packets of one kind, oldest first. */
  of<Kind extends Packet['cmd']>(cmd: Kind): Extract<Packet, { cmd: Kind }>[] {
    return this.packets.filter((packet): packet is Extract<Packet, { cmd: Kind }> => packet.cmd === cmd);
  }

  /** Payloads that arrived on a topic, oldest first. */
  on(topic: string): string[] {
    return this.of('publish')
      .filter((packet) => packet.topic === topic)
      .map(({ payload }) => payload.toString());
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket, connection: number): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let version = 4;
    const send = (packet: Packet) => socket.write(mqttPacket.generate(packet, { protocolVersion: version }));
    const parser = mqttPacket.parser();
    parser.on('error', () => socket.destroy());
    parser.on('packet', (packet) => {
      if (socket.destroyed) return;
      this.packets.push(packet);
      if (packet.cmd === 'connect') version = packet.protocolVersion ?? 4;
      if (this.onPacket(packet, socket, connection)) return;
      answer(packet, send);
    });
    socket.on('data', (chunk) => parser.parse(chunk));
  }
}

function answer(packet: Packet, send: (packet: Packet) => void): void {
  if (packet.cmd === 'connect') send({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0 });
  else if (packet.cmd === 'subscribe') {
    const granted = packet.subscriptions.map(({ qos }) => qos);
    send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
  } else if (packet.cmd === 'publish' && packet.qos === 1) {
    send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  } else if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
}
