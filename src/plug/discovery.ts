import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { BridgeError, messageOf, PlugError } from '../errors.ts';
import { decodeBody, encodeDatagram } from '../protocol/frame.ts';
import { parseReply } from '../protocol/json.ts';
import { KLAP_DISCOVERY_PORT, KLAP_DISCOVERY_REQUEST, readKlapAnswer } from '../protocol/klap-discovery.ts';
import { answerTo, readSysinfo, type Sysinfo } from '../protocol/replies.ts';
import { GET_SYSINFO } from '../protocol/requests.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Resolver } from './resolver.ts';
import { type Address, PLUG_PORT } from './transport.ts';

/** A plug that answered. */
export interface FoundPlug {
  readonly mac: string;
  /** Where it takes TCP connections; for newer firmware that is its HTTP server. */
  readonly address: Address;
  /** `klap`: it answers as newer firmware only, and nothing but its kind and model is known. `other`: it wants yet another. */
  readonly protocol: 'xor' | 'klap' | 'other';
  /** Whether it has joined a Wi-Fi network, and is not in its own to be set up. */
  readonly joined: boolean;
  readonly sysinfo: Sysinfo;
}

export interface DiscoveryOptions {
  /** Where the question is sent; an empty list means every network of this machine, by broadcast. */
  readonly targets: readonly Address[];
  /** How long answers are awaited; without it until the signal aborts. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  /** Where newer firmware is asked. */
  readonly klapPort?: number;
  /** MACs of plugs that are looked for: their answers count beyond the limit. */
  readonly expected?: ReadonlySet<string>;
  /** How many plugs are found at most. */
  readonly limit?: number;
  /** Resolves the names of targets; without it the system does, each time. */
  readonly resolver?: Resolver;
  /** What is asked of the operating system for answers that wait to be read. */
  readonly receiveBufferBytes?: number;
  /** Called at the end if answers got lost for want of such a buffer, with a sentence that says what to do. */
  readonly lossy?: (hint: string) => void;
  /** Called when a target could not be asked at all. */
  readonly unsent?: (target: Address, error: Error) => void;
}

/** Datagrams get lost, the more the more plugs answer at once: every search has this many rounds … */
const ROUNDS = 4;

/** … and goes on until a round finds no new plug, up to this many. */
const MAX_ROUNDS = 16;

/** From so many plugs on, lost answers mean a buffer that is too small; with fewer they mean bad Wi-Fi. */
const MANY = 100;

/** Over which time the rounds are spread when no end is given. */
const SPREAD_MS = 5000;

/** A thousand plugs answer within milliseconds; the usual buffer holds less than half of that. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** The longest answer seen is about 1.2 kB. */
const MAX_DATAGRAM_BYTES = 8 * 1024;

/** More than any site has; made-up MACs must not fill the memory. */
const MAX_PLUGS = 10_000;

/** Where a plug is while it waits to be set up: the only station in a Wi-Fi of its own. */
const SETUP_ADDRESS = '192.168.0.1';

/** Never more than this by UDP: a broadcast that asks for the meter too restarts some newer plugs. */
const REQUEST = encodeDatagram(GET_SYSINFO.text);

/**
 * Looks for plugs by UDP and yields each as it answers; once more if it then turns out to be elsewhere, or to
 * speak the XOR protocol after all. Throws BridgeError if no target could be asked.
 */
export async function* discover(options: DiscoveryOptions): AsyncGenerator<FoundPlug, void> {
  const search = new Search(options);
  try {
    await search.start();
    for (;;) {
      const plug = search.next();
      if (plug !== undefined) yield plug;
      else if (search.over) return;
      else await search.news();
    }
  } finally {
    search.stop();
  }
}

/** What an answer says; `undefined` if it is no plug's: nonsense, or the echo of a question. */
export function readAnswer(datagram: Buffer, sender: Address): FoundPlug | undefined {
  if (datagram.length > MAX_DATAGRAM_BYTES) return undefined;
  try {
    // JSON behind the cipher begins with 0xD0, the header of newer firmware with 2.
    return datagram[0] === 2 ? readNewer(datagram, sender) : readXor(datagram, sender);
  } catch (error) {
    if (error instanceof PlugError) return undefined;
    throw error;
  }
}

/** The broadcast address of every network that this machine is in, and the one of no network in particular. */
export function broadcastAddresses(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string[] {
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal, netmask }) => family === 'IPv4' && !internal && netmask < '255.255.255.254')
    .map(({ address, netmask }) => broadcastOf(address, netmask));
  return [...new Set([...own, '255.255.255.255'])];
}

function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, index) => Number(part) | (~(mask[index] ?? 255) & 255))
    .join('.');
}

function readXor(datagram: Buffer, { host, port }: Address): FoundPlug | undefined {
  const sysinfo = readSysinfo(answerTo(parseReply(decodeBody(datagram)), 'system', 'get_sysinfo'));
  if (sysinfo.mac === undefined) return undefined;
  return {
    mac: sysinfo.mac,
    address: { host, port },
    protocol: 'xor',
    joined: host !== SETUP_ADDRESS,
    sysinfo,
  };
}

function readNewer(datagram: Buffer, { host }: Address): FoundPlug | undefined {
  const { kind, model, hardware, mac, encryption, httpPort } = readKlapAnswer(datagram);
  if (mac === undefined) return undefined;
  const protocol = kind !== 'other' && (encryption ?? 'KLAP') === 'KLAP' ? 'klap' : 'other';
  return {
    mac,
    address: { host, port: httpPort, ...(protocol === 'klap' ? { protocol } : {}) },
    protocol,
    joined: host !== SETUP_ADDRESS,
    sysinfo: { ...readSysinfo({ model, hw_ver: hardware, mac }), kind },
  };
}

/** One search: its socket, its rounds, and what has been found and not been yielded yet. */
class Search {
  readonly #options: DiscoveryOptions;
  readonly #socket: Socket;
  readonly #targets: readonly Address[];
  readonly #plugs = new Map<string, FoundPlug>();
  /** MACs of the plugs to be yielded. */
  readonly #untold = new Set<string>();
  readonly #roundEnd: Timer;
  readonly #deadline: Timer;
  #startedAt = 0;
  #rounds = 0;
  /** Plugs first seen in this round. */
  #newcomers = 0;
  /** Whether many plugs answer, and not all of them got through in the first round. */
  #lostSome = false;
  #failure: Error | undefined;
  #wake: () => void = () => {};
  over = false;

  constructor(options: DiscoveryOptions) {
    const { clock, targets } = options;
    this.#options = options;
    this.#targets =
      targets.length > 0 ? targets : broadcastAddresses().map((host) => ({ host, port: PLUG_PORT }));
    const { receiveBufferBytes: recvBufferSize = RECEIVE_BUFFER_BYTES } = options;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize });
    this.#roundEnd = clock.timer(() => this.#endRound());
    this.#deadline = clock.timer(this.#end);
  }

  async start(): Promise<void> {
    const { signal, clock } = this.#options;
    this.#socket.on('message', (datagram, sender) => this.#received(datagram, sender));
    await bound(this.#socket);
    this.#socket.on('error', () => {});
    this.#socket.setBroadcast(true);
    signal?.addEventListener('abort', this.#end, { once: true });
    if (signal?.aborted) this.#end();
    if (this.over) return;
    this.#startedAt = clock.now();
    this.#ask();
  }

  stop(): void {
    this.#reportLoss();
    this.over = true;
    this.#roundEnd.clear();
    this.#deadline.clear();
    this.#options.signal?.removeEventListener('abort', this.#end);
    this.#socket.close();
  }

  /** The next plug to yield; `undefined` while there is none. Throws if the search has failed. */
  next(): FoundPlug | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    for (const mac of this.#untold) {
      this.#untold.delete(mac);
      return this.#plugs.get(mac);
    }
    return undefined;
  }

  /** Resolves when there may be something to yield. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #end = (): void => {
    this.over = true;
    this.#roundEnd.clear();
    this.#wake();
  };

  #ask(): void {
    const { random, timeoutMs = SPREAD_MS } = this.#options;
    const isFirst = this.#rounds++ === 0;
    this.#newcomers = 0;
    void this.#askEach(isFirst);
    // Not in step with other programs that look for plugs.
    this.#roundEnd.set((timeoutMs / ROUNDS) * (1 - random() / 4));
  }

  #endRound(): void {
    const { clock, timeoutMs } = this.#options;
    if (this.#rounds < ROUNDS || (this.#newcomers > 0 && this.#rounds < MAX_ROUNDS)) this.#ask();
    else if (timeoutMs !== undefined)
      this.#deadline.set(Math.max(0, this.#startedAt + timeoutMs - clock.now()));
  }

  /** Linux gives twice what is asked for, but no more than twice `net.core.rmem_max`, and says nothing. */
  #reportLoss(): void {
    const { receiveBufferBytes = RECEIVE_BUFFER_BYTES, lossy } = this.#options;
    if (!this.#lostSome) return;
    const bytes = this.#socket.getRecvBufferSize();
    if (bytes < receiveBufferBytes) lossy?.(hintOn(bytes, receiveBufferBytes));
  }

  async #askEach(isFirst: boolean): Promise<void> {
    const failures = await Promise.all(this.#targets.map((target) => this.#askOne(target)));
    if (!isFirst || this.over) return;
    for (const [index, target] of this.#targets.entries()) {
      const failure = failures[index];
      if (failure !== undefined) this.#options.unsent?.(target, failure);
    }
    if (failures.includes(undefined)) return;
    this.#failure = new BridgeError(
      'none-asked',
      `no address could be asked for plugs: ${failures.map(messageOf).join('; ')}`,
    );
    this.#wake();
  }

  /** Asks in both dialects; resolves with what stood in the way of the older one. */
  async #askOne({ host, port }: Address): Promise<Error | undefined> {
    const { klapPort = KLAP_DISCOVERY_PORT, resolver } = this.#options;
    const address = resolver === undefined ? host : await resolver.ipv4(host).catch(asError);
    if (address instanceof Error) return address;
    if (this.over) return undefined;
    const [older] = await Promise.all([
      this.#send(REQUEST, port, address),
      this.#send(KLAP_DISCOVERY_REQUEST, klapPort, address),
    ]);
    return older;
  }

  #send(datagram: Buffer, port: number, host: string): Promise<Error | undefined> {
    return new Promise((resolve) => {
      this.#socket.send(datagram, port, host, (error) => resolve(error ?? undefined));
    });
  }

  #received(datagram: Buffer, sender: RemoteInfo): void {
    const seen = readAnswer(datagram, { host: sender.address, port: sender.port });
    if (seen === undefined || this.over) return;
    const known = this.#plugs.get(seen.mac);
    if (known === undefined && !this.#hasRoomFor(seen.mac)) return;
    if (known?.protocol === 'xor' && seen.protocol !== 'xor') return;
    this.#plugs.set(seen.mac, seen);
    if (known === undefined) this.#count();
    else if (isSamePlace(known, seen)) return;
    this.#untold.add(seen.mac);
    this.#wake();
  }

  #hasRoomFor(mac: string): boolean {
    const { limit = MAX_PLUGS, expected } = this.#options;
    return this.#plugs.size < limit || expected?.has(mac) === true;
  }

  #count(): void {
    this.#newcomers++;
    this.#lostSome ||= this.#rounds > 1 && this.#plugs.size > MANY;
  }
}

function hintOn(bytes: number, wantedBytes: number): string {
  return `answers of plugs got lost: the operating system keeps ${bytes} bytes of them; sysctl -w net.core.rmem_max=${wantedBytes} has it keep more`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isSamePlace(one: FoundPlug, other: FoundPlug): boolean {
  const [a, b] = [one.address, other.address];
  return one.protocol === other.protocol && a.host === b.host && a.port === b.port;
}

function bound(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(new BridgeError('none-asked', `no socket to look for plugs with: ${cause.message}`, { cause }));
    socket.once('error', refuse);
    socket.bind(0, () => {
      socket.off('error', refuse);
      resolve();
    });
  });
}
