import { numberAt } from '../protocol/json.ts';
import { type Day, DayCounter } from './day-counter.ts';
import { type DeviceClock, fields } from './device-clock.ts';
import { type Answer, BAD_ARGUMENT, type Module, OK } from './plug-device.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

export interface MeterOptions {
  /** What the lamp draws when it is on, in W. */
  readonly loadW: number;
  /** Whether it speaks of A, V, W and kWh instead of mA, mV, mW and Wh. */
  readonly inUnits: boolean;
  /** Shifts the ripple of the mains, so that no two outlets show the same. */
  readonly phase: number;
}

/** What an outlet uses, and how long it is on: now, since boot, by day and by month. */
export class SimulatedMeter {
  readonly #options: MeterOptions;
  readonly #time: DeviceClock;
  /** Wh since boot, and when it was last added to. */
  #wattHours = 0;
  #bookedAt: number;
  readonly #wattHoursByDay = new DayCounter();
  readonly #onMsByDay = new DayCounter();
  /** What is on the outlet draws when it is on, in W. */
  loadW: number;
  #gains = { vgain: 13_290, igain: 16_887 };

  constructor(options: MeterOptions, time: DeviceClock) {
    this.#options = options;
    this.loadW = options.loadW;
    this.#time = time;
    this.#bookedAt = time.now();
  }

  /** Adds what was used until `until` with the relay as it was. Without a clock nothing is booked by day. */
  book(relay: boolean, until: number): void {
    while (this.#bookedAt < until) this.#add(relay, Math.min(until, this.#midnightAfter(this.#bookedAt)));
  }

  /** When the day of the device ends that it is at `at`; infinite without a clock. */
  #midnightAfter(at: number): number {
    const local = this.#time.local(at);
    if (local === undefined) return Number.POSITIVE_INFINITY;
    const midnight = this.#time.timeOf((Math.floor(local / DAY_MS) + 1) * DAY_MS);
    return midnight > at ? midnight : at + HOUR_MS;
  }

  /** Adds what was used until `until`, all on one day. */
  #add(relay: boolean, until: number): void {
    const local = this.#time.local(this.#bookedAt);
    const onMs = relay ? until - this.#bookedAt : 0;
    const wattHours = (this.loadW * onMs) / HOUR_MS;
    this.#bookedAt = until;
    this.#wattHours += wattHours;
    if (local === undefined) return;
    const { year, month, mday } = fields(local);
    const today: Day = { year, month, day: mday };
    this.#wattHoursByDay.add(today, wattHours);
    this.#onMsByDay.add(today, onMs);
  }

  /** Counters since boot start anew. */
  boot(): void {
    this.#wattHours = 0;
  }

  /** The module `emeter`; `relay` brings what was used up to date and says whether the outlet is on. */
  emeter(relay: () => boolean): Module {
    return {
      get_realtime: () => this.#realtime(relay()),
      ...this.statistics(relay),
      get_vgain_igain: () => ({ ...this.#gains, err_code: 0 }),
      set_vgain_igain: (argument) => {
        const [vgain, igain] = [numberAt(argument, 'vgain'), numberAt(argument, 'igain')];
        if (vgain === undefined || igain === undefined) return BAD_ARGUMENT;
        this.#gains = { vgain, igain };
        return OK;
      },
      start_calibration: (argument) => {
        const targets = [numberAt(argument, 'vtarget'), numberAt(argument, 'itarget')];
        return targets.includes(undefined) ? BAD_ARGUMENT : OK;
      },
    };
  }

  /** Energy by day and by month, which bulbs tell as well. */
  statistics(relay: () => boolean): Module {
    const energy = (wattHours: number) =>
      this.#options.inUnits
        ? { energy: sixDecimals(wattHours / 1000) }
        : { energy_wh: Math.round(wattHours) };
    return {
      ...statistics(this.#wattHoursByDay, energy, relay),
      erase_emeter_stat: () => {
        relay();
        this.#wattHoursByDay.clear();
        this.#wattHours = 0;
        return OK;
      },
    };
  }

  /** How long the outlet was on, which the firmware keeps with its schedule. */
  runTime(relay: () => boolean): Module {
    const minutes = (onMs: number) => ({ time: Math.floor(onMs / MINUTE_MS) });
    return {
      ...statistics(this.#onMsByDay, minutes, relay),
      erase_runtime_stat: () => {
        relay();
        this.#onMsByDay.clear();
        return OK;
      },
    };
  }

  #realtime(relay: boolean): Answer {
    const power = relay ? this.loadW * (1 + this.#ripple() / 50) : 0;
    const voltage = 230 + 2 * this.#ripple();
    const current = power === 0 ? 0 : power / voltage + 0.005;
    if (this.#options.inUnits) {
      const [amperes, volts, watts] = [current, voltage, power].map(sixDecimals);
      const total = sixDecimals(this.#wattHours / 1000);
      return { current: amperes, voltage: volts, power: watts, total, err_code: 0 };
    }
    return {
      voltage_mv: Math.round(voltage * 1000),
      current_ma: Math.round(current * 1000),
      power_mw: Math.round(power * 1000),
      total_wh: Math.floor(this.#wattHours),
      err_code: 0,
    };
  }

  /** Between -1 and 1, slowly changing, the same for the same time and outlet. */
  #ripple(): number {
    return Math.sin(this.#time.now() / 7000 + this.#options.phase);
  }
}

function statistics(counter: DayCounter, unit: (amount: number) => Answer, bookNow: () => unknown): Module {
  return {
    get_daystat: ({ year, month }) => {
      bookNow();
      return { day_list: counter.days(year, month, unit), err_code: 0 };
    },
    get_monthstat: ({ year }) => {
      bookNow();
      return { month_list: counter.months(year, unit), err_code: 0 };
    },
  };
}

/** Hardware 1 prints its numbers with six decimals. */
function sixDecimals(value: number): number {
  return Number(value.toFixed(6));
}
