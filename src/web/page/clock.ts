/** What the page knows of time: the only file of it that reads a clock or arms a timer. */
export interface PageClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `act` once after so many milliseconds, unless the returned function is called before. */
  after(ms: number, act: () => void): () => void;
}

export const browserClock: PageClock = {
  now: () => Date.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds. */
export function pause(clock: PageClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** Rejects with `error` if the promise is not settled in time; what it stands for is not stopped by that. */
export function within<T>(clock: PageClock, ms: number, promise: Promise<T>, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(error()));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (cause) => {
        cancel();
        reject(cause);
      },
    );
  });
}
