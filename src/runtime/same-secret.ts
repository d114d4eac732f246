import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a password or token is the one that is wanted; takes a time that says nothing about where the two differ. */
export function sameSecret(given: string | undefined, wanted: string | undefined): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(text = ''): Buffer {
  return createHash('sha256').update(text).digest();
}
