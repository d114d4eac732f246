import type { Clock } from '../runtime/clock.ts';

/** A place in the gate is given back at the latest after this time: a dead plug must not hold up the living. */
const LONGEST_HOLD_MS = 1000;

/** Lets at most `width` pass at a time, in the order they came. */
export class Gate {
  readonly #clock: Clock;
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #admitting = false;

  constructor(clock: Clock, width: number) {
    this.#clock = clock;
    this.#width = width;
  }

  /** Calls `pass` when there is room. The function handed to it gives the room back. */
  enter(pass: (leave: () => void) => void): void {
    this.#waiting.push(() => pass(this.#room()));
    this.#admit();
  }

  #room(): () => void {
    let held = true;
    const leave = () => {
      if (!held) return;
      held = false;
      timer.clear();
      this.#inside--;
      this.#admit();
    };
    const timer = this.#clock.timer(leave);
    timer.set(LONGEST_HOLD_MS);
    return leave;
  }

  #admit(): void {
    // Whoever leaves at once comes back here: the loop that is running lets the next one in.
    if (this.#admitting) return;
    this.#admitting = true;
    while (this.#inside < this.#width) {
      const pass = this.#waiting.shift();
      if (pass === undefined) break;
      this.#inside++;
      pass();
    }
    this.#admitting = false;
  }
}
