import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What scrypt costs: 2^`ln` blocks of `r` × 128 bytes, `p` times. */
interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** A password as it is stored. */
export interface PasswordHash extends Cost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** 32 MiB, and some 60 ms on a small machine. */
const COST: Cost = { ln: 15, r: 8, p: 1 };

/** What is taken at most: a hash with more would be a way to stall the program. */
const MOST: Cost = { ln: 17, r: 16, p: 4 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{8,88})\$([A-Za-z0-9+/]{22,88})$/;

/** What people think up is weaker than what programs are given: three times the work, as OWASP advises. */
export const FOR_PEOPLE = 3;

/** A hash of `password` in PHC form, `$scrypt$ln=15,r=8,p=1$…$…`, each time with another salt; it takes `p` times the work. */
export async function hashPassword(password: string, p = COST.p): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...COST, p, salt }, HASH_BYTES);
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${p}$${text(salt)}$${text(hash)}`;
}

/** Reads a hash in PHC form; `undefined` if it is none, or costs more than is reasonable. */
export function readHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt = '', hash = ''] = FORM.exec(text) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const isFair = (name: keyof Cost) => cost[name] >= 1 && cost[name] <= MOST[name];
  if (!isFair('ln') || !isFair('r') || !isFair('p')) return undefined;
  return { ...cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

/** Whether `password` is the one that was hashed; takes the same time either way. */
export async function isPassword(password: string, stored: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, stored, stored.hash.length), stored.hash);
}

function derive(
  password: string,
  { ln, r, p, salt }: Cost & { salt: Buffer },
  bytes: number,
): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 ** ln * r * 256 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, bytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
