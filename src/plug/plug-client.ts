import { BridgeError, PlugError, type PlugRefusal } from '../errors.ts';
import { asAsked, askBulb } from '../protocol/bulb-modules.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { LightAbility } from '../protocol/light.ts';
import {
  answerTo,
  type DeviceKind,
  isSwitchedAsOne,
  type MeterReading,
  type OutletReading,
  type PlugTime,
  readSysinfo,
  readTime,
  type Sysinfo,
} from '../protocol/replies.ts';
import {
  GET_CLOCK_AND_CLOUD,
  GET_SYSINFO,
  getMeterOf,
  getStatistics,
  pollOf,
  type Query,
  type Request,
  request,
  type Settings,
  STOP_COUNTDOWN,
  setAndConfirm,
  setOutletsAndConfirm,
  setTime,
  startCountdown,
} from '../protocol/requests.ts';
import { readSensors, type SensorReading } from '../protocol/sensors.ts';
import { inability, isGone, readMeterIn, refusalIn, whyUnsupported } from './answers.ts';
import {
  type EnergyTotals,
  type Month,
  monthsToRead,
  NO_TOTALS,
  readClockAndCloud,
  readEnergyTotals,
  type Statistics,
} from './statistics.ts';
import type { Address, Protocol, Transport } from './transport.ts';

/** What one exchange showed of a plug; `meter` only where the plug has one and was asked for it. */
export interface Observation {
  readonly sysinfo: Sysinfo;
  readonly meter: MeterReading | undefined;
  /** Of a strip: what the meters of its outlets show, by their ids; those that were not asked are left out. */
  readonly meters?: ReadonlyMap<string, MeterReading | undefined>;
  /** Only where they were asked. */
  readonly sensors?: SensorReading | undefined;
}

/** What the plug reports after it was set, and what of it the plug refused. */
export interface Applied extends Observation {
  readonly refusal: PlugRefusal | undefined;
}

/** What was to be set is no longer wanted: nothing was sent. */
export class NoLongerWanted extends BridgeError {
  constructor() {
    super(
      'no-longer-wanted',
      'a later command took over, or the time for this one was over, before it was sent',
    );
  }
}

/**
 * One plug as its owner knows it: asks it what it can answer, and makes sure that it is the plug it is taken
 * for. The first plug to answer is the one, unless its MAC is given.
 */
export class PlugClient {
  readonly #transport: Transport;
  /** How long the plug may take to answer. */
  timeoutMs: number;
  /** The only MAC that is taken for this plug. */
  #mac: string | undefined;
  #hasMeter: boolean | undefined;
  /** What a poll begins with; `undefined` until the device has said, alone, what it has. */
  #poll: Request | undefined;
  /** The outlets of a strip, as it last named them. */
  #outlets: readonly OutletReading[] = [];
  /** The questions for their meters. */
  readonly #meterOf = new Map<string, Request>();
  /** A plug that once leaves out its relay is still a plug. */
  #kind: DeviceKind = 'other';
  /** What it can do besides on and off. */
  #light: LightAbility | undefined;
  /** The transport's connection on which the MAC was last seen. */
  #identified = -1;
  /** Rises with each close(): what was given up is not tried anew. */
  #closes = 0;

  constructor(transport: Transport, timeoutMs: number, mac: string | undefined) {
    this.#transport = transport;
    this.timeoutMs = timeoutMs;
    this.#mac = mac;
  }

  get mac(): string | undefined {
    return this.#mac;
  }

  /** What the device last said it is. */
  get kind(): DeviceKind {
    return this.#kind;
  }

  /** What the plug speaks, as far as it is known. */
  get protocol(): Protocol {
    return this.#transport.protocol;
  }

  /** Where the plug is; `undefined` until it has been found. */
  get address(): Address | undefined {
    return this.#transport.address;
  }

  /** The plug has been found: from now on it is asked there, and known by its MAC. */
  moveTo(address: Address, mac: string): void {
    this.#mac = mac;
    this.#transport.moveTo(address);
  }

  /** Reads state and meter. The meter is left out until the plug has said, alone, that it has one. */
  async read(): Promise<Observation> {
    let seen = this.#poll === undefined ? await this.#identify() : undefined;
    if (seen === undefined || this.#poll !== GET_SYSINFO)
      seen = this.#observe(await this.#ask(this.#poll ?? GET_SYSINFO));
    return this.#kind === 'strip' && this.hasMeter ? this.#readMeters(seen) : seen;
  }

  /** Reads the meter of each outlet of a strip: they answer one at a time. */
  async #readMeters(seen: Observation): Promise<Observation> {
    const meters = new Map<string, MeterReading | undefined>();
    for (const { id, child } of seen.sysinfo.outlets) {
      const question = this.#meterOf.get(child) ?? getMeterOf(child);
      this.#meterOf.set(child, question);
      meters.set(id, readMeterIn(await this.#ask(question)));
    }
    return { ...seen, meters };
  }

  /** Asks the device what it is. Rejects as `unsupported` unless it is switched as one. */
  async checkPlug(): Promise<void> {
    await this.#identify();
    this.#demandPlug();
  }

  /**
   * Sets what is given and returns what the plug then reports of itself. Never reaches a plug with another MAC:
   * on a connection that has not shown the MAC yet, the plug is asked for it first. Rejects as `unsupported`,
   * without having set anything, if the device is not switched as one: a strip would switch all of its outlets; as
   * `plug-error` if it cannot do what is given; with NoLongerWanted if `isWanted`, asked right before anything is sent, says so.
   */
  async apply(settings: Settings, isWanted: () => boolean = () => true): Promise<Applied> {
    const { made, reply } = await this.#surely(async () => {
      this.#demandPlug();
      this.#demandAbility(settings);
      if (!isWanted()) throw new NoLongerWanted();
      const made = setAndConfirm(settings, this.hasMeter, this.#light?.service);
      return { made, reply: await this.#ask(made, true) };
    });
    return { ...this.#observe(reply), refusal: refusalIn(reply, made) };
  }

  /**
   * As {@link apply}, for outlets of a strip: `wanted` says which, right before anything is sent. All of them are set in
   * one exchange. Rejects as `plug-error`, without having set anything, if the strip does not have one of them.
   */
  async applyTo(wanted: () => readonly string[], settings: Settings): Promise<Applied> {
    const { ids, made, reply } = await this.#surely(async () => {
      const ids = wanted();
      this.#demandAbility(settings);
      if (ids.length === 0) throw new NoLongerWanted();
      const made = setOutletsAndConfirm(settings, this.hasMeter, this.#childrenOf(ids));
      return { ids, made, reply: await this.#ask(made, true) };
    });
    const { sysinfo, meter } = this.#observe(reply);
    const meters = new Map(this.hasMeter ? ids.slice(0, 1).map((id) => [id, meter]) : []);
    return { sysinfo, meter: undefined, meters, refusal: refusalIn(reply, made) };
  }

  /**
   * Sends any query to this plug and no other, and never twice: on a new connection, once the plug has shown its
   * MAC. It may take `timeoutMs` over it. The reply is not looked into. Of a strip, `outlet` is meant; rejects as
   * `unsupported` what would switch all of them at once.
   */
  async send(query: Query, timeoutMs = this.timeoutMs, outlet: string | null = null): Promise<JsonObject> {
    this.#transport.close();
    await this.#identify();
    if (outlet === null && query.system?.set_relay_state !== undefined) this.#demandPlug();
    const made = request(query, outlet === null ? [] : this.#childrenOf([outlet]));
    try {
      return await this.#ask(made, true, timeoutMs);
    } catch (error) {
      // The plug hung up after its answer, as hardware 1 does: the query came too late to be read.
      if (!isGone(error) || !this.#transport.hungUp) throw error;
    }
    await this.#identify();
    this.#transport.close();
    return this.#ask(made, true, timeoutMs);
  }

  /**
   * Reads clock, cloud, and the energy of the day that the clock shows, back to the month `since` if that is given; parts
   * that it does not answer are `undefined`.
   */
  async readStatistics(since?: Month): Promise<Statistics> {
    const clockAndCloud = readClockAndCloud(await this.#ask(GET_CLOCK_AND_CLOUD));
    const { time, clockSet } = clockAndCloud;
    if (!this.hasMeter || time === undefined || clockSet === false) return { ...clockAndCloud, ...NO_TOTALS };
    const months = monthsToRead(time, since);
    if (this.#kind !== 'strip') return { ...clockAndCloud, ...(await this.#readTotals(time, months, [])) };
    const outlets = new Map<string, EnergyTotals>();
    for (const { id, child } of this.#outlets) outlets.set(id, await this.#readTotals(time, months, [child]));
    return { ...clockAndCloud, ...NO_TOTALS, outlets };
  }

  async #readTotals(
    time: PlugTime,
    months: readonly Month[],
    children: readonly string[],
  ): Promise<EnergyTotals> {
    const replies: JsonObject[] = [];
    for (const { year, month } of months) replies.push(await this.#ask(getStatistics(year, month, children)));
    return readEnergyTotals(replies, time);
  }

  /** Sets the plug's clock to a local time in the zone of that index, and returns what it then shows. */
  async setTime(time: PlugTime, zone: number): Promise<PlugTime> {
    const reply = await this.send(setTime(time, zone));
    answerTo(reply, 'time', 'set_timezone');
    return readTime(answerTo(reply, 'time', 'get_time'));
  }

  /** Has the plug itself switch its relay to `relay` in so many seconds, in place of an earlier countdown. */
  async startCountdown(delayS: number, relay: boolean, outlet: string | null = null): Promise<void> {
    const reply = await this.send(startCountdown(delayS, relay), this.timeoutMs, outlet);
    answerTo(reply, 'count_down', 'add_rule');
  }

  /** Takes every countdown off the plug. */
  async stopCountdown(outlet: string | null = null): Promise<void> {
    answerTo(await this.send(STOP_COUNTDOWN, this.timeoutMs, outlet), 'count_down', 'delete_all_rules');
  }

  /** Whether the plug has said that it has a meter. */
  get hasMeter(): boolean {
    return this.#hasMeter === true;
  }

  /** Forgets what the plug can do, as after a long absence: its firmware may be another. */
  forget(): void {
    this.#hasMeter = undefined;
    this.#poll = undefined;
  }

  close(): void {
    this.#closes++;
    this.#transport.close();
  }

  async #identify(): Promise<Observation> {
    return this.#observe(await this.#ask(GET_SYSINFO));
  }

  /** Sends once the MAC has been seen on the connection, or right before on hardware that ends each one. */
  async #surely<T>(send: () => Promise<T>): Promise<T> {
    if (this.#transport.connected && this.#identified === this.#transport.connection) {
      const closes = this.#closes;
      try {
        return await send();
      } catch (error) {
        // The plug had closed the kept connection meanwhile: nothing was done, and the next to answer may be another plug.
        if (closes !== this.#closes || !isGone(error)) throw error;
      }
    }
    await this.#identify();
    try {
      return await send();
    } catch (error) {
      // Hardware 1 had hung up after its answer: what was sent came too late to be read.
      if (!isGone(error) || !this.#transport.hungUp) throw error;
    }
    return send();
  }

  #ask(request: Request, stay = false, timeoutMs = this.timeoutMs): Promise<JsonObject> {
    if (this.#kind === 'bulb') return this.#askBulb(request, stay, timeoutMs);
    return this.#transport.exchange(request, timeoutMs, stay);
  }

  async #askBulb(request: Request, stay: boolean, timeoutMs: number): Promise<JsonObject> {
    return asAsked(request, await this.#transport.exchange(askBulb(request), timeoutMs, stay));
  }

  #observe(reply: JsonObject): Observation {
    const said = readSysinfo(answerTo(reply, 'system', 'get_sysinfo'));
    this.#recognise(said.mac);
    this.#hasMeter = said.hasMeter;
    if (said.kind !== 'other') this.#kind = said.kind;
    this.#poll = pollOf(said, this.#kind);
    this.#outlets = said.outlets;
    this.#light = said.light?.ability ?? (said.kind === 'bulb' ? this.#light : undefined);
    const sysinfo = said.kind === this.#kind ? said : { ...said, kind: this.#kind };
    return { sysinfo, meter: readMeterIn(reply), sensors: readSensors(reply) };
  }

  /** How the strip names those outlets. */
  #childrenOf(ids: readonly string[]): readonly string[] {
    return ids.map((id) => {
      const child = this.#outlets.find((outlet) => outlet.id === id)?.child;
      if (child === undefined) throw new PlugError('plug-error', `the device has no outlet ${id}`);
      return child;
    });
  }

  #demandPlug(): void {
    if (isSwitchedAsOne(this.#kind)) return;
    const { host, port } = this.#transport.address ?? NOWHERE;
    throw new PlugError('unsupported', whyUnsupported(this.#kind, `the device at ${host}:${port}`));
  }

  /** Rejects what the device cannot do, before anything of it is sent. */
  #demandAbility(settings: Settings): void {
    const why = inability(settings, this.#light);
    if (why !== undefined) throw new PlugError('plug-error', why);
  }

  #recognise(mac: string | undefined): void {
    if (this.#mac !== undefined && mac !== this.#mac) {
      this.#transport.close();
      const { host, port } = this.#transport.address ?? NOWHERE;
      throw new PlugError(
        'wrong-plug',
        `another plug (${mac ?? 'without a MAC'}) answers at ${host}:${port} instead of ${this.#mac}; it is left alone`,
      );
    }
    this.#mac ??= mac;
    this.#identified = this.#transport.connection;
  }
}

const NOWHERE: Address = { host: 'an unknown address', port: 0 };
