import type { Duplex } from 'node:stream';

/** How aedes distinguishes messages: by sender, and by the number there. */
export interface Numbered {
  readonly brokerId: string;
  readonly brokerCounter: number;
}

/** The connections to which the embedded broker wrote a message, as long as that matters to its sender. */
export class Receivers {
  readonly #followed = new Map<string, Set<Duplex>>();

  /** From now on it is noted who is sent that message. */
  follow(message: Numbered): void {
    this.#followed.set(keyOf(message), new Set());
  }

  /** A message, followed or not, goes to a connection. */
  add(message: Numbered, connection: Duplex): void {
    if (this.#followed.size > 0) this.#followed.get(keyOf(message))?.add(connection);
  }

  /**
   * Calls `done` once the system has what was written to all who were sent that message, with whether there is any: it
   * then reaches them also if the program is killed. Ends that it is followed.
   */
  flushed(message: Numbered, done: (isAny: boolean) => void): void {
    const key = keyOf(message);
    const connections = [...(this.#followed.get(key) ?? [])].filter(({ destroyed }) => !destroyed);
    this.#followed.delete(key);
    const unwritten = connections.filter(({ writableLength }) => writableLength > 0);
    let isAny = connections.length > unwritten.length;
    let waiting = unwritten.length;
    if (waiting === 0) done(isAny);
    for (const connection of unwritten) {
      // It is called after all that was written before.
      connection.write('', (error) => {
        isAny ||= error === null || error === undefined;
        if (--waiting === 0) done(isAny);
      });
    }
  }
}

function keyOf({ brokerId, brokerCounter }: Numbered): string {
  return `${brokerId} ${brokerCounter}`;
}
