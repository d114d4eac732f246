import { integerAt, type JsonObject } from '../protocol/json.ts';
import { LIGHT_MODULES } from '../protocol/light.ts';
import type { Clock } from '../runtime/clock.ts';
import { DeviceClock } from './device-clock.ts';
import { firmwareMethods, restartMethods } from './firmware.ts';
import { factoryAlias, identityMethods, identityOf } from './identity.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedOutlet } from './outlet.ts';
import {
  type Answer,
  answerFrom,
  BAD_ARGUMENT,
  type Module,
  type Modules,
  OK,
  type PlugDevice,
  plugDialect,
} from './plug-device.ts';
import { SimulatedSensors } from './sensors.ts';
import { type DeviceOptions, hasMeter, isDimmer, isOld, senses, sysinfo } from './sysinfo.ts';

export type { DeviceOptions } from './sysinfo.ts';

/** A plug's inside: one outlet, LED, clock, network. Answers queries as the firmware does; knows no sockets. */
export class SimulatedDevice implements PlugDevice {
  readonly options: DeviceOptions;
  readonly network: SimulatedNetwork;
  readonly #identity: ReturnType<typeof identityOf>;
  readonly #time: DeviceClock;
  readonly #outlet: SimulatedOutlet;
  readonly #modules: Modules;
  /** Percent; `undefined` of what cannot be dimmed. */
  brightness: number | undefined;
  /** `undefined` of what has none. */
  readonly sensors: SimulatedSensors | undefined;
  /** What answers with an error: modules by name, or methods as `system.set_relay_state`. */
  readonly broken = new Map<string, number>();
  /** Leaves `relay_state` out of the sysinfo. */
  hideRelay = false;
  /** Answers the meter's questions with nothing at all. */
  hideMeter = false;
  /** Called when the plug restarts by itself or on command. */
  onReboot: () => void = () => {};

  constructor(options: DeviceOptions, clock: Clock) {
    const { mac, loadW, on = false } = options;
    this.options = options;
    this.brightness = isDimmer(options) ? 100 : undefined;
    this.sensors = senses(options) ? new SimulatedSensors() : undefined;
    this.network = new SimulatedNetwork(mac, isOld(options));
    this.#identity = identityOf(options);
    this.#time = new DeviceClock(clock, isOld(options));
    this.#outlet = new SimulatedOutlet(
      {
        on,
        loadW,
        hasMeter: hasMeter(options),
        inUnits: isOld(options),
        phase: Number.parseInt(mac.slice(-2), 16),
      },
      this.#time,
    );
    this.#modules = {
      system: this.#system(),
      ...this.#outlet.modules,
      ...(isDimmer(options) ? { [LIGHT_MODULES.dimmer]: this.#dimmer() } : {}),
      ...this.sensors?.modules,
      time: this.#time.module(),
      cnCloud: this.network.cloud(),
      netif: this.network.netif(),
    };
  }

  get relay(): boolean {
    return this.#outlet.relay;
  }

  get led(): boolean {
    return this.#identity.led;
  }

  get closesAfterReply(): boolean {
    return isOld(this.options);
  }

  /** Accepts relay commands without following them. */
  set stuck(stuck: boolean) {
    this.#outlet.stuck = stuck;
  }

  /** Something else is plugged in, or the lamp has aged: it draws so much from now on, in W. */
  set loadW(watts: number) {
    this.#outlet.loadW = watts;
  }

  /** Presses the button: the relay changes without a request. */
  press(): void {
    this.#outlet.switch(!this.relay);
  }

  /** Sets the clock to UTC and `offsetMs`, or takes it away. */
  setClock(offsetMs: number | undefined): void {
    this.#time.set(offsetMs);
  }

  /** The plug loses power for a moment: counters since boot start anew, the relay stays. */
  reboot(): void {
    this.#outlet.boot();
    this.onReboot();
  }

  answer(query: JsonObject): JsonObject {
    const { emeter: _, ...unmetered } = query;
    const asked = this.hideMeter ? unmetered : query;
    return answerFrom(this.#modules, asked, plugDialect(isOld(this.options)), (name) => this.#refusal(name));
  }

  /** `set_brightness` does not switch it, a transition does. */
  #dimmer(): Module {
    return {
      set_switch_state: this.#outlet.setRelayState,
      set_dimmer_transition: (argument) => {
        const brightness = integerAt(argument, 'brightness', 0, 100);
        if (brightness === undefined) return BAD_ARGUMENT;
        if (brightness > 0) this.brightness = brightness;
        return this.#outlet.setRelayState({ state: brightness > 0 ? 1 : 0 });
      },
      set_brightness: (argument) => {
        const brightness = integerAt(argument, 'brightness', 0, 100);
        if (brightness === undefined) return BAD_ARGUMENT;
        this.brightness = brightness;
        return OK;
      },
    };
  }

  #refusal(name: string): Answer | undefined {
    const code = this.broken.get(name);
    return code === undefined ? undefined : { err_code: code, err_msg: 'simulated' };
  }

  #system(): Module {
    return {
      get_sysinfo: () =>
        sysinfo(this.options, this.#identity, {
          relay: this.hideRelay ? undefined : this.relay,
          onTimeS: this.#outlet.onTimeS,
          activeMode: this.#outlet.activeMode,
          nextAction: this.#outlet.nextAction(),
          brightness: this.brightness,
        }),
      set_relay_state: this.#outlet.setRelayState,
      ...identityMethods(this.#identity),
      ...firmwareMethods(isOld(this.options)),
      ...restartMethods(
        () => this.reboot(),
        () => {
          this.#identity.alias = factoryAlias(this.#identity);
          this.reboot();
        },
      ),
    };
  }
}
