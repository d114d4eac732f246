import { isObject, type JsonObject, numberAt, textAt } from '../protocol/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { SimulatedCountdown } from './countdown.ts';
import { type Day, DayCounter } from './day-counter.ts';
import { SimulatedNetwork } from './network.ts';
import {
  type Answer,
  BAD_ARGUMENT,
  type Method,
  OK,
  type PlugDevice,
  UNKNOWN_METHOD,
  UNKNOWN_MODULE,
} from './plug-device.ts';
import { rulesModule } from './rules.ts';
import { type DeviceOptions, hasMeter, isOld, sysinfo } from './sysinfo.ts';

export type { DeviceOptions } from './sysinfo.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** A plug's inside: relay, LED, meter, clock, rules. Answers queries as the firmware does; knows no sockets. */
export class SimulatedDevice implements PlugDevice {
  readonly options: DeviceOptions;
  readonly #clock: Clock;
  readonly #modules: { readonly [module: string]: { readonly [method: string]: Method } };
  #alias: string;
  #relay: boolean;
  #led = true;
  #bootedAt: number;
  #switchedAt: number;
  /** Wh since boot, and when it was last added to. */
  #wattHours = 0;
  #meteredAt: number;
  readonly #wattHoursByDay = new DayCounter();
  readonly #onMsByDay = new DayCounter();
  /** Local time less real time; `undefined` while the clock is not set. */
  #clockOffsetMs: number | undefined = 0;
  #timezone = 39;
  readonly #countdown: SimulatedCountdown;
  readonly network = new SimulatedNetwork();
  /** What answers with an error: modules by name, or methods as `system.set_relay_state`. */
  readonly broken = new Map<string, number>();
  /** Leaves `relay_state` out of the sysinfo. */
  hideRelay = false;
  /** Answers the meter's questions with nothing at all. */
  hideMeter = false;
  /** Accepts relay commands without following them. */
  stuck = false;
  /** Called when the plug restarts by itself or on command. */
  onReboot: () => void = () => {};

  constructor(options: DeviceOptions, clock: Clock) {
    this.options = options;
    this.#clock = clock;
    this.#countdown = new SimulatedCountdown(clock);
    this.#alias = options.alias;
    this.#relay = options.on ?? false;
    this.#bootedAt = clock.date();
    this.#switchedAt = this.#bootedAt;
    this.#meteredAt = this.#bootedAt;
    const hasTime = () => this.#clockOffsetMs !== undefined;
    this.#modules = {
      system: this.#system(),
      ...(hasMeter(this.options) ? { emeter: this.#emeter() } : {}),
      time: this.#time(),
      cnCloud: this.network.cloud(),
      schedule: { ...rulesModule({ version: 2, enable: 1 }, hasTime), ...this.#runTime() },
      anti_theft: rulesModule({ version: 2, enable: 1 }, hasTime),
      count_down: this.#countdown.module(),
      netif: this.network.netif(),
    };
  }

  get relay(): boolean {
    this.#runCountdown();
    return this.#relay;
  }

  get led(): boolean {
    return this.#led;
  }

  get closesAfterReply(): boolean {
    return isOld(this.options);
  }

  /** Presses the button: the relay changes without anybody asking. */
  press(): void {
    this.#switch(!this.relay);
  }

  /** Sets or takes away the clock. */
  setClock(offsetMs: number | undefined): void {
    this.#clockOffsetMs = offsetMs;
  }

  /** The plug loses power for a moment: counters since boot start anew, the relay stays. */
  reboot(): void {
    this.#meter();
    this.#bootedAt = this.#clock.date();
    this.#switchedAt = this.#bootedAt;
    this.#wattHours = 0;
    this.onReboot();
  }

  /** Answers a query, module by module in the order asked. */
  answer(query: JsonObject): JsonObject {
    this.#runCountdown();
    const reply: Answer = {};
    for (const [module, methods] of Object.entries(query)) {
      if (module === 'context') continue;
      if (module === 'emeter' && this.hideMeter) continue;
      reply[module] = this.#answerModule(module, methods);
    }
    return reply;
  }

  #answerModule(module: string, methods: unknown): Answer {
    const known = Object.hasOwn(this.#modules, module) ? this.#modules[module] : undefined;
    if (known === undefined) return UNKNOWN_MODULE;
    const refusal = this.#refusal(module);
    if (refusal !== undefined) return refusal;
    const answer: Answer = {};
    for (const [method, argument] of Object.entries(isObject(methods) ? methods : {})) {
      const run = Object.hasOwn(known, method) ? known[method] : undefined;
      answer[method] =
        this.#refusal(`${module}.${method}`) ??
        (run === undefined ? UNKNOWN_METHOD : run(isObject(argument) ? argument : {}));
    }
    return answer;
  }

  #refusal(name: string): Answer | undefined {
    const code = this.broken.get(name);
    return code === undefined ? undefined : { err_code: code, err_msg: 'simulated' };
  }

  #system(): { [method: string]: Method } {
    return {
      get_sysinfo: () => this.#sysinfo(),
      set_relay_state: (argument) => {
        const state = numberAt(argument, 'state');
        if (state !== 0 && state !== 1) return BAD_ARGUMENT;
        if (!this.stuck) this.#switch(state === 1);
        return OK;
      },
      set_led_off: (argument) => {
        const off = numberAt(argument, 'off');
        if (off !== 0 && off !== 1) return BAD_ARGUMENT;
        this.#led = off === 0;
        return OK;
      },
      set_dev_alias: (argument) => {
        const alias = textAt(argument, 'alias');
        if (alias === undefined) return BAD_ARGUMENT;
        this.#alias = alias;
        return OK;
      },
      reboot: () => {
        this.reboot();
        return OK;
      },
      reset: () => {
        this.#alias = `TP-LINK_Smart Plug_${this.options.mac.replaceAll(':', '').slice(-4)}`;
        this.reboot();
        return OK;
      },
    };
  }

  #sysinfo(): Answer {
    return sysinfo(this.options, {
      alias: this.#alias,
      relay: this.hideRelay ? undefined : this.#relay,
      led: this.#led,
      onTimeS: this.#relay ? Math.floor((this.#clock.date() - this.#switchedAt) / 1000) : 0,
    });
  }

  #emeter(): { [method: string]: Method } {
    const energy = (wattHours: number) =>
      isOld(this.options) ? { energy: sixDecimals(wattHours / 1000) } : { energy_wh: Math.round(wattHours) };
    return {
      get_realtime: () => this.#realtime(),
      ...this.#statistics(this.#wattHoursByDay, energy),
      get_vgain_igain: () => ({ vgain: 13_290, igain: 16_887, err_code: 0 }),
      erase_emeter_stat: () => {
        this.#meter();
        this.#wattHoursByDay.clear();
        this.#wattHours = 0;
        return OK;
      },
    };
  }

  /** How long the plug was on, which it keeps with its schedule. */
  #runTime(): { [method: string]: Method } {
    const minutes = (onMs: number) => ({ time: Math.floor(onMs / MINUTE_MS) });
    return {
      ...this.#statistics(this.#onMsByDay, minutes),
      erase_runtime_stat: () => {
        this.#meter();
        this.#onMsByDay.clear();
        return OK;
      },
    };
  }

  #statistics(counter: DayCounter, unit: (amount: number) => Answer): { [method: string]: Method } {
    return {
      get_daystat: ({ year, month }) => {
        this.#meter();
        return { day_list: counter.days(year, month, unit), err_code: 0 };
      },
      get_monthstat: ({ year }) => {
        this.#meter();
        return { month_list: counter.months(year, unit), err_code: 0 };
      },
    };
  }

  #realtime(): Answer {
    this.#meter();
    const power = this.#relay ? this.options.loadW * (1 + this.#ripple() / 50) : 0;
    const voltage = 230 + 2 * this.#ripple();
    const current = power === 0 ? 0 : power / voltage + 0.005;
    if (isOld(this.options)) {
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

  /** Between -1 and 1, slowly changing, the same for the same time and plug. */
  #ripple(): number {
    return Math.sin(this.#clock.date() / 7000 + Number.parseInt(this.options.mac.slice(-2), 16));
  }

  /** Adds what was used since it was last added. Nothing is booked by day while the clock is not set. */
  #meter(now = this.#clock.date()): void {
    const onMs = this.#relay ? now - this.#meteredAt : 0;
    const wattHours = (this.options.loadW * onMs) / HOUR_MS;
    this.#meteredAt = now;
    this.#wattHours += wattHours;
    if (this.#clockOffsetMs === undefined) return;
    const { year, month, mday } = this.#localTime(this.#clockOffsetMs);
    const today: Day = { year, month, day: mday };
    this.#wattHoursByDay.add(today, wattHours);
    this.#onMsByDay.add(today, onMs);
  }

  #switch(on: boolean, at = this.#clock.date()): void {
    this.#meter(at);
    if (on !== this.#relay) this.#switchedAt = at;
    this.#relay = on;
  }

  #time(): { [method: string]: Method } {
    return {
      // A clock that was never set shows the day it was made for.
      get_time: () => ({
        ...this.#localTime(this.#clockOffsetMs ?? -this.#clock.date() + 30 * 365.25 * DAY_MS),
        err_code: 0,
      }),
      get_timezone: () => ({ index: this.#timezone, err_code: 0 }),
      set_time: (argument) => {
        const time = timeIn(argument);
        if (time === undefined) return BAD_ARGUMENT;
        // Hardware 1 says yes to it and keeps its time.
        if (!isOld(this.options)) this.#setTime(time);
        return OK;
      },
      set_timezone: (argument) => {
        const index = numberAt(argument, 'index');
        const time = timeIn(argument);
        if (index === undefined || time === undefined) return BAD_ARGUMENT;
        this.#timezone = index;
        this.#setTime(time);
        return OK;
      },
    };
  }

  #setTime(localMs: number): void {
    this.#meter();
    this.#clockOffsetMs = localMs - this.#clock.date();
  }

  #localTime(offsetMs: number) {
    const now = new Date(this.#clock.date() + offsetMs);
    return {
      year: now.getUTCFullYear(),
      month: now.getUTCMonth() + 1,
      mday: now.getUTCDate(),
      hour: now.getUTCHours(),
      min: now.getUTCMinutes(),
      sec: now.getUTCSeconds(),
    };
  }

  #runCountdown(): void {
    const over = this.#countdown.over();
    if (over !== undefined) this.#switch(over.on, Math.max(over.at, this.#meteredAt));
  }
}

/** The time of a clock, as if it were UTC; `undefined` if it is not all there. */
function timeIn(argument: JsonObject): number | undefined {
  const given = ['year', 'month', 'mday', 'hour', 'min', 'sec'].map((key) => numberAt(argument, key));
  const [year, month, day, hour, minute, second] = given;
  if (year === undefined || month === undefined) return undefined;
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return Number.isNaN(time) ? undefined : time;
}

/** Hardware 1 prints its numbers with six decimals. */
function sixDecimals(value: number): number {
  return Number(value.toFixed(6));
}
