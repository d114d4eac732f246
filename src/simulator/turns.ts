/** Has what must not overlap take turns: the stop of a server closes what its start was opening. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does it once all is done that was asked for before, however that ended. */
  take(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {});
    return done;
  }
}
