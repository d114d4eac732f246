import type { SoakedPlug } from './soaked-plug.ts';

/** A command that was sent. */
interface Sent {
  readonly target: string;
  readonly payload: string;
  readonly at: number;
  receipt?: string;
}

interface Receipt {
  readonly id: string;
  readonly target: string;
  readonly wanted: string | null;
  readonly outcome: string;
  readonly missing: readonly { readonly path: string }[];
}

/** What was promised and what was seen: every command and its receipt, every state that was published. */
export class Ledger {
  readonly outcomes = new Map<string, number>();
  /** Promises that were broken, each in words. */
  readonly broken: string[] = [];
  /** Receipts that came once more because the broker went away under them; MQTT allows that. */
  again = 0;
  states = 0;
  /** What was last published of each plug. */
  readonly latest = new Map<string, string>();
  readonly #plugs: ReadonlyMap<string, SoakedPlug>;
  readonly #now: () => number;
  readonly #commands = new Map<string, Sent>();
  /** When the broker was last lost. */
  #brokerLostAt = Number.NEGATIVE_INFINITY;
  #open = 0;

  constructor(plugs: ReadonlyMap<string, SoakedPlug>, now: () => number) {
    this.#plugs = plugs;
    this.#now = now;
  }

  get sent(): number {
    return this.#commands.size;
  }

  get received(): number {
    return this.#commands.size - this.#open;
  }

  /** Commands without a receipt. */
  get open(): string[] {
    return [...this.#commands.values()]
      .filter(({ receipt }) => receipt === undefined)
      .map(({ target, payload }) => `${target} ${payload}`);
  }

  command(id: string, target: string, payload: string): void {
    this.#commands.set(id, { target, payload, at: this.#now() });
    this.#open++;
  }

  brokerLost(): void {
    this.#brokerLostAt = this.#now();
  }

  /** Takes a message that the bridge has published. */
  seen(topic: string, payload: string): void {
    const path = topic.slice('museum/'.length);
    if (topic.endsWith('/result')) this.#receipt(payload);
    else if (path.endsWith('/state')) this.#state(path.slice(0, -'/state'.length), payload);
    else if (this.#plugs.has(path)) {
      const { state } = JSON.parse(payload);
      this.#state(path, state ?? '');
    }
  }

  #state(path: string, state: string): void {
    const plug = this.#plugs.get(path);
    if (plug === undefined) return;
    this.states++;
    this.latest.set(path, state);
    const relay = state === '' ? null : state === 'ON';
    if (plug.mayBe(relay)) return;
    this.#break(`${path} was published as ${state || 'null'}, but had said ${plug.lately}`);
  }

  #receipt(payload: string): void {
    const receipt: Receipt = JSON.parse(payload);
    const command = this.#commands.get(receipt.id);
    if (command === undefined) this.#break(`a receipt came for a command that nobody sent: ${payload}`);
    else if (command.receipt !== undefined) this.#second(command.receipt, payload);
    else {
      command.receipt = payload;
      this.#open--;
      this.outcomes.set(receipt.outcome, (this.outcomes.get(receipt.outcome) ?? 0) + 1);
      if (receipt.target !== command.target) this.#break(`a receipt is for ${receipt.target}: ${payload}`);
      this.#verify(command, receipt);
    }
  }

  #second(first: string, payload: string): void {
    if (first === payload && this.#now() - this.#brokerLostAt < 10_000) this.again++;
    else this.#break(`a command has a second receipt: ${first} and then ${payload}`);
  }

  /** Every plug that a receipt says has confirmed must have said so itself. */
  #verify({ target, at }: Sent, { id, wanted, outcome, missing }: Receipt): void {
    if ((outcome !== 'confirmed' && outcome !== 'partial') || (wanted !== 'ON' && wanted !== 'OFF')) return;
    const absent = new Set(missing.map(({ path }) => path));
    for (const [path, plug] of this.#plugs) {
      const topic = `museum/${path}`;
      if (absent.has(path) || (topic !== target && !topic.startsWith(`${target}/`))) continue;
      if (!plug.saidSince(at, wanted === 'ON'))
        this.#break(`${id} says that ${path} confirmed ${wanted}, which it never said`);
    }
  }

  #break(how: string): void {
    this.broken.push(how);
  }
}
