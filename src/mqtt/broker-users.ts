import { createHmac, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, sleep } from '../runtime/clock.ts';
import { isPassword, type PasswordHash } from '../runtime/password-hash.ts';
import { sameSecret } from '../runtime/same-secret.ts';
import type { Access } from './broker-access.ts';
import { LimitedWarning } from './limited-warning.ts';

/** One who may log in at the embedded broker. */
export interface BrokerUser extends Access {
  readonly name: string;
  /** As it is, or hashed. */
  readonly password: string | PasswordHash;
  /** Messages a second that it may publish; `undefined` is any number. */
  readonly rate: number | undefined;
}

/** Who logs in where no users are configured. */
export const ANYONE: BrokerUser = {
  name: '',
  password: '',
  publish: undefined,
  subscribe: undefined,
  rate: undefined,
};

/** Wrong logins from one address that are answered at once; after that each takes twice as long as the one before. */
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5000;
/** After so long without one, an address has a clean slate. */
const FORGIVEN_MS = 60_000;
/** Addresses, and logins, that are remembered. */
const MOST = 1000;
/** Logins from one address that wait to be checked. */
const MOST_WAITING = 20;
/** Characters of what a client says of itself in a log line. */
const MAX_LOGGED = 100;

/** What is known of an address from which wrong logins came, or come just now. */
interface Suspect {
  failures: number;
  at: number;
  waiting: number;
  /** Resolves when the login before has been checked. */
  turn: Promise<void>;
}

/**
 * The users of the embedded broker. Checking a hash is costly by design: logins from one address are checked one after
 * the other, more slowly after wrong ones, and who has logged in before is known at once.
 */
export class BrokerUsers {
  readonly #users: ReadonlyMap<string, BrokerUser>;
  /** What the passwords of users that there are not are checked against. */
  readonly #decoy: BrokerUser['password'];
  readonly #clock: Clock;
  readonly #refused: LimitedWarning;
  readonly #suspects = new Map<string, Suspect>();
  /** Digests of logins that were right, under a key that nobody else has. */
  readonly #known = new Set<string>();
  readonly #key = randomBytes(32);

  constructor(users: readonly BrokerUser[], options: { clock: Clock; log: Logger }) {
    this.#users = new Map(users.map((user) => [user.name, user]));
    this.#decoy = users.find(({ password }) => typeof password !== 'string')?.password ?? '';
    this.#clock = options.clock;
    this.#refused = new LimitedWarning('a client of the broker gave a wrong name or password', options);
  }

  /** Resolves with the user who logs in so from an address; `undefined` if there is none. */
  async check(name: string, password: string, address: string): Promise<BrokerUser | undefined> {
    if (this.#users.size === 0) return ANYONE;
    const user = this.#users.get(name);
    const login = createHmac('sha256', this.#key).update(`${name}\0${password}`).digest('base64');
    if (user !== undefined && this.#known.has(login)) return user;
    const isRight = await this.#inTurn(address, () => this.#isRight(user, password));
    if (!isRight) {
      this.#refused.warn({ user: name.slice(0, MAX_LOGGED), address });
      return undefined;
    }
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.add(login);
    return user;
  }

  /** Whether a login is right. How long that takes does not say whether there is such a user. */
  async #isRight(user: BrokerUser | undefined, password: string): Promise<boolean> {
    const stored = user?.password ?? this.#decoy;
    const isRight =
      typeof stored === 'string' ? sameSecret(password, stored) : await isPassword(password, stored);
    return isRight && user !== undefined;
  }

  /** Checks a login when those before it from the same address have been checked, and notes how it went. */
  async #inTurn(address: string, check: () => Promise<boolean>): Promise<boolean> {
    const suspect = this.#suspectAt(address);
    if (suspect.waiting >= MOST_WAITING) return false;
    suspect.waiting++;
    const before = suspect.turn;
    const checked = before.then(async () => {
      await sleep(this.#clock, delayAfter(suspect.failures));
      return await check();
    });
    suspect.turn = checked.then(
      () => {},
      () => {},
    );
    const isRight = await checked;
    suspect.waiting--;
    suspect.at = this.#clock.now();
    suspect.failures = isRight ? 0 : suspect.failures + 1;
    if (isRight && suspect.waiting === 0) this.#suspects.delete(address);
    return isRight;
  }

  #suspectAt(address: string): Suspect {
    const now = this.#clock.now();
    const known = this.#suspects.get(address);
    if (known !== undefined && (known.waiting > 0 || now - known.at < FORGIVEN_MS)) return known;
    const suspect = { failures: 0, at: now, waiting: 0, turn: Promise.resolve() };
    const [oldest] = this.#suspects.keys();
    if (oldest !== undefined && this.#suspects.size >= MOST) this.#suspects.delete(oldest);
    this.#suspects.set(address, suspect);
    return suspect;
  }
}

function delayAfter(failures: number): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES));
}
