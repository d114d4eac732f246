/**
 * What this browser keeps of the reader's choices; with a second argument, keeps it. A browser that keeps nothing
 * (private mode, storage full) is no reason to fail.
 */
export function kept(key: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(`hs110-mqtt:${key}`, value);
    return localStorage.getItem(`hs110-mqtt:${key}`);
  } catch {
    return value ?? null;
  }
}
