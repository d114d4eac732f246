/** Key of the first byte; every later byte is keyed by the ciphertext byte before it (protocol of the Kasa app). */
const FIRST_KEY = 171;

/** Turns plain bytes into what goes over the wire, in place. */
export function encryptInPlace(bytes: Uint8Array): void {
  let key = FIRST_KEY;
  for (let i = 0; i < bytes.length; i++) {
    key ^= bytes[i] ?? 0;
    bytes[i] = key;
  }
}

/** Turns bytes from the wire into plain bytes, in place: from the end, so that each key is still there. */
export function decryptInPlace(bytes: Uint8Array): void {
  for (let i = bytes.length - 1; i > 0; i--) bytes[i] = (bytes[i] ?? 0) ^ (bytes[i - 1] ?? 0);
  if (bytes.length > 0) bytes[0] = (bytes[0] ?? 0) ^ FIRST_KEY;
}
