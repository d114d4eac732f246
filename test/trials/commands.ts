/** A command of the trial, and what came of it. Times are ms since 1970. */
export interface Command {
  readonly id: string;
  /** The plugs that it is for. */
  readonly paths: readonly string[];
  readonly on: boolean;
  readonly sentAt: number;
  /** When the broker said that it has it; a command without may have been lost with its connection. */
  acceptedAt: number | undefined;
  readonly receipts: Receipt[];
}

interface Receipt {
  readonly at: number;
  readonly outcome: string;
  readonly repeated: boolean;
}

/** The commands of one round, in the order in which they were sent, and their receipts. */
export class Commands {
  readonly #commands = new Map<string, Command>();

  add(command: Command): void {
    this.#commands.set(command.id, command);
  }

  /** Takes a receipt; returns whether it is for one of these commands. */
  receipt(payload: string, at: number): boolean {
    const { id, outcome, repeated } = JSON.parse(payload);
    const command = this.#commands.get(id);
    command?.receipts.push({ at, outcome, repeated: repeated === true });
    return command !== undefined;
  }

  /** How many have a receipt. */
  get settled(): number {
    return [...this.#commands.values()].filter(({ receipts }) => receipts.length > 0).length;
  }

  get receipts(): number {
    return this.#allReceipts.length;
  }

  /** How many receipts say that they may have come before. */
  get repeated(): number {
    return this.#allReceipts.filter(({ repeated }) => repeated).length;
  }

  /** Those that the broker has accepted and that have no receipt. */
  get open(): Command[] {
    return [...this.#commands.values()].filter(
      ({ acceptedAt, receipts }) => acceptedAt !== undefined && receipts.length === 0,
    );
  }

  /** Those with more than one receipt of which a later one does not say that it is repeated. */
  get receiptedTwice(): Command[] {
    return [...this.#commands.values()].filter(({ receipts }) =>
      receipts.slice(1).some((one) => !one.repeated),
    );
  }

  /** The last command for a plug; `undefined` if there is none, or it may have been lost. */
  lastFor(path: string): Command | undefined {
    const last = [...this.#commands.values()].findLast(({ paths }) => paths.includes(path));
    return last?.acceptedAt === undefined ? undefined : last;
  }

  get #allReceipts(): Receipt[] {
    return [...this.#commands.values()].flatMap(({ receipts }) => receipts);
  }
}
