import { type LookupAddress, promises as nodeDns } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { backoff } from '../runtime/backoff.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { Networks } from './networks.ts';

/** Finds the addresses of a host name; rejects with an error whose `code` is that of the name service. */
export type NameService = (host: string) => Promise<readonly LookupAddress[]>;

/** The two ways in which a name is resolved. */
export interface NameServices {
  /** The machine's own way (hosts file, DNS, mDNS). A question blocks a thread, for 20 s and more without an answer. */
  readonly system: NameService;
  /** DNS alone, which blocks no thread. */
  readonly dns: NameService;
}

interface Name {
  readonly host: string;
  /** As last found; kept while newer ones cannot be had. */
  addresses: readonly LookupAddress[];
  error: Error | undefined;
  /** Attempts that failed in a row. */
  failures: number;
  /** Not asked for again before. */
  askAt: number;
  /** The question that callers wait for. */
  answer: Promise<readonly LookupAddress[]> | undefined;
  /** The question to the system, which cannot be taken back. */
  system: Promise<readonly LookupAddress[]> | undefined;
}

/** How long an address is believed before it is looked up again, in the background. */
const FRESH_MS = 60_000;

/** After this DNS is asked directly too: the system is slow, or its one question is still another. */
const DNS_AFTER_MS = 500;

/** How long a caller waits. */
const GIVE_UP_MS = 3000;

/** Before a name that was not found is asked for again. */
const RETRY_MS = 5000;
const RETRY_MAX_MS = 60_000;

const MACHINE: NameServices = {
  system: (host) => nodeDns.lookup(host, { all: true }),
  dns: async (host) => {
    const found = await new nodeDns.Resolver({ timeout: GIVE_UP_MS, tries: 1 }).resolve4(host);
    return found.map((address) => ({ address, family: 4 }));
  },
};

/**
 * Resolves the host names of plugs, and caches what it found. The system is asked one question at a time: Node has two
 * threads for all of them, and a few dead names would block both, also for the name of the broker.
 */
export class Resolver {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #services: NameServices;
  readonly #networks: Networks;
  readonly #names = new Map<string, Name>();
  #busy = false;
  /** Questions that wait for the system: names that have not failed go first. */
  readonly #untried: (() => void)[] = [];
  readonly #failed: (() => void)[] = [];

  constructor(
    clock: Clock,
    random: () => number,
    services = MACHINE,
    networks: Networks = new Networks(undefined),
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#services = services;
    this.#networks = networks;
  }

  /** Whether there may be a plug at an address. */
  allows(address: string): boolean {
    return this.#networks.includes(address);
  }

  /** As `dns.lookup`, for `net.connect`. */
  readonly lookup: LookupFunction = (host, { all, family }, callback) => {
    this.resolve(host).then(
      (found) => {
        const fitting = found.filter(
          (one) =>
            this.allows(one.address) && (!family || family === one.family || family === `IPv${one.family}`),
        );
        const [first] = fitting;
        if (first === undefined) callback(nameError('ENOTFOUND', host), []);
        else if (all) callback(null, fitting);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

  /** The addresses of `host`, which may be one itself. Rejects within 3 s if none can be found. */
  resolve(host: string): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return Promise.resolve([{ address: host, family }]);
    const name = this.#names.get(host) ?? this.#add(host);
    if (name.answer === undefined && this.#clock.now() >= name.askAt) this.#ask(name);
    if (name.addresses.length > 0) return Promise.resolve(name.addresses);
    return name.answer ?? Promise.reject(name.error);
  }

  /** The IPv4 address of `host`, for UDP. Rejects as `resolve`, and where it has none. */
  async ipv4(host: string): Promise<string> {
    const found = (await this.resolve(host)).find(({ family }) => family === 4);
    if (found === undefined) throw nameError('ENOTFOUND', host);
    return found.address;
  }

  #add(host: string): Name {
    const nothing = { addresses: [], error: undefined, answer: undefined, system: undefined };
    const name: Name = { host, failures: 0, askAt: 0, ...nothing };
    this.#names.set(host, name);
    return name;
  }

  #ask(name: Name): void {
    const answer = this.#fastest(name).then(
      (addresses) => this.#found(name, addresses),
      (error) => {
        name.error = error;
        name.askAt = this.#clock.now() + backoff(name.failures++, RETRY_MS, RETRY_MAX_MS, this.#random);
        throw error;
      },
    );
    name.answer = answer;
    const done = () => {
      name.answer = undefined;
    };
    answer.then(done, done);
  }

  #found(name: Name, addresses: readonly LookupAddress[]): readonly LookupAddress[] {
    name.addresses = addresses;
    name.failures = 0;
    name.askAt = this.#clock.now() + FRESH_MS;
    return addresses;
  }

  /** The first answer of either service. A failure is that of the system, or no answer in time. */
  async #fastest(name: Name): Promise<readonly LookupAddress[]> {
    name.system ??= this.#askSystem(name);
    const over = new AbortController();
    try {
      return await Promise.race([
        name.system,
        this.#askDns(name, over.signal),
        this.#tooLate(name, over.signal),
      ]);
    } finally {
      over.abort();
    }
  }

  async #askDns({ host, system }: Name, over: AbortSignal): Promise<readonly LookupAddress[]> {
    await sleep(this.#clock, DNS_AFTER_MS, over);
    if (!over.aborted) {
      try {
        return await this.#services.dns(host);
      } catch {
        // What counts is what the system says.
      }
    }
    return system ?? [];
  }

  async #tooLate({ host }: Name, over: AbortSignal): Promise<never> {
    await sleep(this.#clock, GIVE_UP_MS, over);
    throw nameError('EAI_AGAIN', host);
  }

  async #askSystem(name: Name): Promise<readonly LookupAddress[]> {
    await this.#turn(name);
    try {
      return this.#found(name, await this.#services.system(name.host));
    } finally {
      name.system = undefined;
      this.#passOn();
    }
  }

  /** Resolves when the system may be asked. */
  async #turn({ failures }: Name): Promise<void> {
    if (this.#busy)
      await new Promise<void>((resolve) => (failures > 0 ? this.#failed : this.#untried).push(resolve));
    this.#busy = true;
  }

  #passOn(): void {
    const next = this.#untried.shift() ?? this.#failed.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }
}

function nameError(code: 'ENOTFOUND' | 'EAI_AGAIN', host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code} ${host}`), { code });
}
