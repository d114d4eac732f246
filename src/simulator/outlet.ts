import { numberAt } from '../protocol/json.ts';
import { SimulatedCountdown } from './countdown.ts';
import type { DeviceClock } from './device-clock.ts';
import { type MeterOptions, SimulatedMeter } from './meter.ts';
import { type Answer, BAD_ARGUMENT, type Method, type Modules, OK } from './plug-device.ts';
import { RuleTable, whileTimed } from './rules.ts';
import { SimulatedSchedule } from './schedule.ts';

export interface OutletOptions extends MeterOptions {
  readonly on: boolean;
  readonly hasMeter: boolean;
}

/** One relay with what belongs to it: meter, statistics, schedule, away mode, countdown. A strip has several. */
export class SimulatedOutlet {
  readonly #time: DeviceClock;
  readonly #meter: SimulatedMeter;
  readonly #countdown: SimulatedCountdown;
  readonly #schedule: SimulatedSchedule;
  #relay: boolean;
  #switchedAt: number;
  readonly modules: Modules;
  /** Accepts relay commands without following them. */
  stuck = false;

  constructor(options: OutletOptions, time: DeviceClock) {
    this.#time = time;
    this.#meter = new SimulatedMeter(options, time);
    this.#countdown = new SimulatedCountdown(time);
    this.#schedule = new SimulatedSchedule(time);
    this.#relay = options.on;
    this.#switchedAt = time.now();
    time.beforeChange(() => {
      this.book();
      this.#schedule.plan();
    });
    const book = () => this.book();
    this.modules = {
      ...(options.hasMeter ? { emeter: this.#meter.emeter(book) } : {}),
      schedule: { ...this.#schedule.module(), ...this.#meter.runTime(book) },
      anti_theft: whileTimed(time, new RuleTable().module()),
      count_down: this.#countdown.module(),
    };
  }

  /** Whether it is on, after all that was to switch it by now. */
  get relay(): boolean {
    this.#runRules();
    return this.#relay;
  }

  /** Seconds since it was switched on; 0 while it is off. */
  get onTimeS(): number {
    return this.relay ? Math.floor((this.#time.now() - this.#switchedAt) / 1000) : 0;
  }

  /** What its rules are about: `none`, `schedule` or `count_down`. */
  get activeMode(): string {
    if (this.#countdown.next !== undefined) return 'count_down';
    return this.#schedule.hasRules ? 'schedule' : 'none';
  }

  nextAction(): Answer {
    this.#runRules();
    return this.#schedule.nextAction();
  }

  readonly setRelayState: Method = (argument) => {
    const state = numberAt(argument, 'state');
    if (state !== 0 && state !== 1) return BAD_ARGUMENT;
    if (!this.stuck) this.switch(state === 1);
    return OK;
  };

  switch(on: boolean): void {
    this.#runRules();
    this.#switchAt(on, this.#time.now());
  }

  /** Something else is plugged in, or the lamp has aged: it draws so much from now on, in W. */
  set loadW(watts: number) {
    this.book();
    this.#meter.loadW = watts;
  }

  /** Adds what was used up to now; returns whether it is on. */
  book(): boolean {
    this.#runRules();
    this.#meter.book(this.#relay, this.#time.now());
    return this.#relay;
  }

  /** The device has restarted: what is counted since boot starts anew, the relay stays. */
  boot(): void {
    this.book();
    this.#meter.boot();
    this.#switchedAt = this.#time.now();
  }

  /** Carries out what rules wanted until now, each at its time. */
  #runRules(): void {
    for (;;) {
      const [countdown, firing] = [this.#countdown.next, this.#schedule.next];
      const countdownIsNext = (countdown?.at ?? Infinity) <= (firing?.at ?? Infinity);
      const next = countdownIsNext ? countdown : firing;
      if (next === undefined || next.at > this.#time.now()) return;
      this.#switchAt(next.on, next.at);
      if (countdownIsNext) this.#countdown.forget();
      else if (firing !== undefined) this.#schedule.fired(firing);
    }
  }

  #switchAt(on: boolean, at: number): void {
    this.#meter.book(this.#relay, at);
    if (on !== this.#relay) this.#switchedAt = at;
    this.#relay = on;
  }
}
