/** Resolves once `holds` returns something other than false or undefined; looks again after every turn of the event loop. */
export async function until<T>(
  holds: () => T | false | undefined,
  what: string,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = holds();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
