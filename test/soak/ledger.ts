import type { SoakedPlug } from './soaked-plug.ts';

/** A command that was sent, in the words of its payload. */
interface Sent {
  readonly target: string;
  readonly payload: string;
  readonly state: string | undefined;
  readonly isTimed: boolean;
  readonly at: number;
  /** Whether its receipt is wanted on the response topic, too. */
  readonly wantsReply: boolean;
  replied: boolean;
  receipt?: Receipt;
  receiptText?: string;
}

interface Receipt {
  readonly id: string;
  readonly target: string;
  readonly wanted: string | null;
  readonly outcome: string;
  readonly reason?: string;
  readonly missing: readonly { readonly path: string }[];
  readonly locked?: number;
  readonly repeated?: boolean;
}

/** Where receipts are wanted that do not go to the topic of the target alone. */
export const REPLIES = 'soak/reply';

/** What was promised and what was seen: every command and its receipt, every state that was published. */
export class Ledger {
  readonly outcomes = new Map<string, number>();
  /** Promises that were broken, each in words. */
  readonly broken: string[] = [];
  /** Receipts that came once more because the broker went away under them; MQTT allows that. */
  again = 0;
  /** Receipts of a killed bridge that came once more and say so. */
  repeated = 0;
  states = 0;
  /** What was last published of each plug. */
  readonly latest = new Map<string, string>();
  readonly #plugs: ReadonlyMap<string, SoakedPlug>;
  readonly #now: () => number;
  readonly #commands = new Map<string, Sent>();
  /** When the broker was last lost, and when that or the bridge was. */
  #brokerLostAt = Number.NEGATIVE_INFINITY;
  #restartedAt = Number.NEGATIVE_INFINITY;
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

  get replies(): number {
    return [...this.#commands.values()].filter(({ replied }) => replied).length;
  }

  /** Commands without a receipt, or without one on the response topic that they named. */
  get open(): string[] {
    return [...this.#commands.values()]
      .filter(({ receipt, wantsReply, replied }) => receipt === undefined || (wantsReply && !replied))
      .map(({ target, payload }) => `${target} ${payload}`);
  }

  command(id: string, target: string, payload: string, wantsReply: boolean): void {
    const { state, for: timed } = JSON.parse(payload);
    const at = this.#now();
    this.#commands.set(id, {
      target,
      payload,
      state,
      isTimed: timed !== undefined,
      at,
      wantsReply,
      replied: false,
    });
    this.#open++;
  }

  brokerLost(): void {
    this.#brokerLostAt = this.#now();
    this.restarted();
  }

  restarted(): void {
    this.#restartedAt = this.#now();
  }

  /** Takes a message that the bridge has published. */
  seen(topic: string, payload: string): void {
    const path = topic.slice('museum/'.length);
    if (topic === REPLIES) this.#reply(payload);
    else if (topic.endsWith('/result')) this.#receipt(payload);
    else if (path.endsWith('/state')) this.#state(path.slice(0, -'/state'.length), payload);
    else if (this.#plugs.has(path)) {
      const { state } = JSON.parse(payload);
      this.#state(path, state ?? '');
    }
  }

  /**
   * How a plug must be that was never in trouble, when its last command is done; `undefined` if that does not say.
   */
  due(path: string): 'ON' | 'OFF' | undefined {
    const last = [...this.#commands.values()].findLast(
      ({ target, state, receipt }) =>
        state !== undefined && receipt?.outcome !== 'refused' && isFor(target, path),
    );
    const wanted = last?.receipt?.wanted;
    const isDone = last?.receipt?.outcome === 'confirmed' || last?.receipt?.outcome === 'partial';
    if (!isDone || (wanted !== 'ON' && wanted !== 'OFF')) return undefined;
    if (last?.receipt?.missing.some((one) => one.path === path)) return undefined;
    return last?.isTimed ? (wanted === 'ON' ? 'OFF' : 'ON') : wanted;
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
    else if (command.receiptText !== undefined) this.#second(command.receiptText, payload, receipt);
    else {
      command.receipt = receipt;
      command.receiptText = payload;
      this.#open--;
      this.outcomes.set(receipt.outcome, (this.outcomes.get(receipt.outcome) ?? 0) + 1);
      if (receipt.target !== command.target) this.#break(`a receipt is for ${receipt.target}: ${payload}`);
      this.#verify(command, receipt);
    }
  }

  #second(first: string, payload: string, { repeated }: Receipt): void {
    if (repeated) this.repeated++;
    else if (first === payload && this.#now() - this.#brokerLostAt < 10_000) this.again++;
    else this.#break(`a command has a second receipt: ${first} and then ${payload}`);
  }

  #reply(payload: string): void {
    const { id }: Receipt = JSON.parse(payload);
    const command = this.#commands.get(id);
    if (command?.wantsReply) command.replied = true;
    else this.#break(`a reply came that nobody wanted: ${payload}`);
  }

  /** Every plug that a receipt says has confirmed must have said so itself; those that are locked only count. */
  #verify({ target, at }: Sent, { id, wanted, outcome, reason, missing, locked = 0 }: Receipt): void {
    if (outcome === 'expired' || outcome === 'failed') this.#excuse(target, id, `${outcome} (${reason})`);
    if ((outcome !== 'confirmed' && outcome !== 'partial') || (wanted !== 'ON' && wanted !== 'OFF')) return;
    const absent = new Set(missing.map(({ path }) => path));
    const meant = [...this.#plugs.values()].filter(({ path }) => isFor(target, path));
    const lockedHere = meant.filter((plug) => plug.locked).length;
    if (locked !== lockedHere) this.#break(`${id} says locked ${locked} instead of ${lockedHere}`);
    for (const plug of meant) {
      if (plug.locked || absent.has(plug.path) || plug.saidSince(at, wanted === 'ON')) continue;
      this.#break(`${id} says that ${plug.path} confirmed ${wanted}, which it never said`);
    }
  }

  /** A plug that is never in trouble does what it is told; only a restart may cost a short-lived command its time. */
  #excuse(target: string, id: string, outcome: string): void {
    if (!target.startsWith('museum/calm') || this.#now() - this.#restartedAt < 10_000) return;
    this.#break(`${id} for ${target} is ${outcome}, though nothing befell its plugs`);
  }

  #break(how: string): void {
    this.broken.push(how);
  }
}

/** Whether a command to `target` is one for the plug at `path`. */
function isFor(target: string, path: string): boolean {
  const topic = `museum/${path}`;
  return topic === target || topic.startsWith(`${target}/`);
}
