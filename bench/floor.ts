/**
 * The least that does the job: raw sockets, XOR, JSON.parse, and for commands MQTT.js or aedes. No supervision,
 * no retries, no change detection; readings are not published. What the bridge costs is told as a ratio to this.
 */
import { connect, createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { everySecond, hostOf, pathOf } from './plugs.ts';

export interface FloorOptions {
  readonly base: string;
  readonly plugs: number;
  readonly port: number;
  readonly kept: boolean;
  readonly polling: boolean;
  /** A broker to connect to, or the port of one to embed; left out, there are no commands. */
  readonly broker?: string | number;
}

const options: FloorOptions = JSON.parse(process.argv[2] ?? '{}');
const POLL = frame('{"system":{"get_sysinfo":{}},"emeter":{"get_realtime":{}}}');
const COMMANDS = [0, 1].map((state) =>
  frame(`{"system":{"set_relay_state":{"state":${state}},"get_sysinfo":{}},"emeter":{"get_realtime":{}}}`),
);
const buffer = Buffer.allocUnsafeSlow(65_536);
const sockets = new Map<number, Socket>();
const answered = new Map<number, (relay: number) => void>();

function frame(text: string): Buffer {
  const bytes = Buffer.from(`0000${text}`);
  bytes.writeUInt32BE(text.length);
  for (let i = 4, key = 171; i < bytes.length; i++) bytes[i] = key ^= bytes[i] ?? 0;
  return bytes;
}

/** Answers come whole: this is the loopback interface. */
function received(plug: number, length: number): void {
  for (let at = 0; at < length; ) {
    const end = at + 4 + buffer.readUInt32BE(at);
    answer(plug, at + 4, end);
    at = end;
  }
}

function answer(plug: number, start: number, end: number): void {
  for (let i = start, key = 171; i < end; i++) {
    const byte = buffer[i] ?? 0;
    buffer[i] = byte ^ key;
    key = byte;
  }
  const reply = JSON.parse(buffer.toString('utf8', start, end));
  const done = answered.get(plug);
  if (done === undefined || reply.system.set_relay_state === undefined) return;
  answered.delete(plug);
  done(reply.system.get_sysinfo.relay_state);
}

function open(plug: number): Socket {
  const callback = (length: number) => {
    received(plug, length);
    if (!options.kept) socket.destroy();
    return true;
  };
  const socket: Socket = connect({
    host: hostOf(plug),
    port: options.port,
    noDelay: true,
    onread: { buffer, callback },
  });
  socket.on('error', () => sockets.delete(plug));
  return socket;
}

function socketOf(plug: number): Socket {
  if (!options.kept) return open(plug);
  const socket = sockets.get(plug) ?? open(plug);
  sockets.set(plug, socket);
  return socket;
}

function command(topic: string, payload: string, publish: (topic: string, state: string) => void): void {
  const plug = Number(/\d+(?=\/set$)/.exec(topic)?.[0]);
  answered.set(plug, (relay) => publish(`${options.base}/${pathOf(plug)}/state`, relay === 1 ? 'ON' : 'OFF'));
  socketOf(plug).write(COMMANDS[payload === 'ON' ? 1 : 0] ?? '');
}

function overMqtt(url: string): void {
  const client = mqtt.connect(url, { queueQoSZero: false });
  client.on('connect', () => {
    if ('setNoDelay' in client.stream) (client.stream as Socket).setNoDelay(true);
    client.subscribe(`${options.base}/+/+/set`);
  });
  client.on('message', (topic, payload) =>
    command(topic, payload.toString(), (to, state) => client.publish(to, state, { retain: true })),
  );
}

async function embedded(port: number): Promise<void> {
  const aedes = await Aedes.createBroker();
  const publish = (topic: string, payload: string) =>
    aedes.publish({ cmd: 'publish', topic, payload, retain: true, qos: 0, dup: false }, () => {});
  const deliver = ({ topic, payload }: { topic: string; payload: Buffer | string }, done: () => void) => {
    command(topic, payload.toString(), publish);
    done();
  };
  aedes.subscribe(`${options.base}/+/+/set`, deliver, () => {});
  createServer({ noDelay: true }, aedes.handle).listen(port, '127.0.0.1');
}

if (options.polling) everySecond(options.plugs, (plug) => socketOf(plug).write(POLL));
else for (let plug = 0; plug < options.plugs; plug++) socketOf(plug);
if (typeof options.broker === 'string') overMqtt(options.broker);
else if (typeof options.broker === 'number') await embedded(options.broker);
process.on('message', () => process.send?.({}));
process.on('disconnect', () => process.exit());
