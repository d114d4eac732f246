import { isUtf8 } from 'node:buffer';
import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';
import { ProtocolError } from '../errors.ts';

/** How names and passwords are hashed: 1 on an HS100 and HS110 of hardware 4.1, 2 on firmware of 2024 and later. */
export type KlapVersion = 1 | 2;

/** The account that a device was bound to with the Kasa app. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What stands for a name and password in a handshake. */
export interface Login {
  readonly version: KlapVersion;
  readonly hash: Buffer;
}

/** What both sides of a handshake have agreed on. */
export interface Agreement {
  readonly login: Login;
  readonly localSeed: Buffer;
  readonly remoteSeed: Buffer;
}

export const SEED_BYTES = 16;
const HASH_BYTES = 32;
const BLOCK_BYTES = 16;

/** What Kasa devices answer to until an account is bound to them. */
export const FACTORY: Credentials = { username: 'kasa@tp-link.net', password: 'kasaSetup' };

/** A device that no account was bound to answers to one of these (python-kasa, credentials.py). */
const FACTORY_CREDENTIALS: readonly Credentials[] = [
  FACTORY,
  { username: 'test@tp-link.net', password: 'test' },
  { username: '', password: '' },
];

/** The login of an account in one version. Name and password are taken as they were written when it was bound. */
export function loginOf({ username, password }: Credentials, version: KlapVersion): Login {
  const [inner, outer] = version === 1 ? ['md5', 'md5'] : ['sha1', 'sha256'];
  return { version, hash: digest(outer, digest(inner, username), digest(inner, password)) };
}

/** The logins that a device may answer to: those of these accounts, then those it has from the factory. */
export function loginsOf(accounts: readonly Credentials[]): readonly Login[] {
  return [...accounts, ...FACTORY_CREDENTIALS].flatMap((account) => [
    loginOf(account, 2),
    loginOf(account, 1),
  ]);
}

/** What the device proves its knowledge of the login with, in its answer to handshake 1. */
export function serverHash({ login, localSeed, remoteSeed }: Agreement): Buffer {
  return login.version === 1
    ? digest('sha256', localSeed, login.hash)
    : digest('sha256', localSeed, remoteSeed, login.hash);
}

/** What the client proves it with, in handshake 2. */
export function clientHash({ login, localSeed, remoteSeed }: Agreement): Buffer {
  return login.version === 1
    ? digest('sha256', remoteSeed, login.hash)
    : digest('sha256', remoteSeed, localSeed, login.hash);
}

/**
 * Reads the answer to handshake 1 and finds the login that the device knows among `logins`; `undefined` if it knows
 * none of them. Throws ProtocolError if it is no such answer.
 */
export function agree(localSeed: Buffer, answer: Buffer, logins: readonly Login[]): Agreement | undefined {
  if (answer.length !== SEED_BYTES + HASH_BYTES)
    throw new ProtocolError(`the answer to the handshake has ${answer.length} bytes instead of 48`);
  const remoteSeed = Buffer.from(answer.subarray(0, SEED_BYTES));
  const hash = answer.subarray(SEED_BYTES);
  return logins
    .map((login) => ({ login, localSeed, remoteSeed }))
    .find((agreement) => timingSafeEqual(serverHash(agreement), hash));
}

/** A message as it travels: its number goes into the address of the request, the rest into its body. */
export interface SealedMessage {
  readonly sequence: number;
  readonly body: Buffer;
}

/** Encrypts and signs what is said after a handshake; both sides have the same keys. */
export class KlapSession {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #signature: Buffer;
  /** A signed number of 32 bits that begins anywhere. */
  #sequence: number;

  constructor({ login, localSeed, remoteSeed }: Agreement) {
    const derive = (label: string) => digest('sha256', label, localSeed, remoteSeed, login.hash);
    const iv = derive('iv');
    this.#key = derive('lsk').subarray(0, 16);
    this.#iv = iv.subarray(0, 12);
    this.#sequence = iv.readInt32BE(28);
    this.#signature = derive('ldk').subarray(0, 28);
  }

  /** The next message. */
  seal(text: string): SealedMessage {
    this.#sequence = (this.#sequence + 1) | 0;
    return { sequence: this.#sequence, body: this.sealAs(this.#sequence, text) };
  }

  /** The body of the message of that number; an answer has the number of its question. */
  sealAs(sequence: number, text: string): Buffer {
    const cipher = createCipheriv('aes-128-cbc', this.#key, this.#ivOf(sequence));
    const secret = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([this.#sign(sequence, secret), secret]);
  }

  /** The text of a message of that number. Throws ProtocolError if its signature is not that of this session. */
  open(sequence: number, body: Buffer): string {
    const secret = body.subarray(HASH_BYTES);
    if (secret.length === 0 || secret.length % BLOCK_BYTES !== 0)
      throw new ProtocolError(`the answer of ${body.length} bytes is not encrypted as it should be`);
    if (!timingSafeEqual(this.#sign(sequence, secret), body.subarray(0, HASH_BYTES)))
      throw new ProtocolError('the signature of the answer is wrong: it is not for this session');
    const decipher = createDecipheriv('aes-128-cbc', this.#key, this.#ivOf(sequence));
    const text = Buffer.concat([decipher.update(secret), decipher.final()]);
    if (!isUtf8(text)) throw new ProtocolError(`the answer of ${text.length} bytes is not UTF-8 text`);
    return text.toString('utf8');
  }

  #ivOf(sequence: number): Buffer {
    const iv = Buffer.allocUnsafe(BLOCK_BYTES);
    this.#iv.copy(iv);
    iv.writeInt32BE(sequence, 12);
    return iv;
  }

  #sign(sequence: number, secret: Buffer): Buffer {
    const number = Buffer.allocUnsafe(4);
    number.writeInt32BE(sequence);
    return digest('sha256', this.#signature, number, secret);
  }
}

function digest(algorithm: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}
