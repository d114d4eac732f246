import { BridgeError, messageOf } from '../errors.ts';
import {
  integerAt,
  isObject,
  type JsonObject,
  numberAt,
  objectsAt,
  parseObject,
  textAt,
} from '../protocol/json.ts';
import { LIGHT_MODULES } from '../protocol/light.ts';
import type { Clock } from '../runtime/clock.ts';
import {
  type Answer,
  BAD_ARGUMENT,
  NO_BULB_METHOD,
  NO_BULB_MODULE,
  NO_ENTRY,
  OK,
  type PlugDevice,
  UNKNOWN_METHOD,
  UNKNOWN_MODULE,
} from './plug-device.ts';

const LIGHTING: readonly string[] = Object.values(LIGHT_MODULES);

/** The key of a recording that holds no module, but what is to be known of the recording itself. */
export const RECORDING_KEY = 'recording';

/**
 * A plug played from a recording: `{module: {method: answer}}`, or `{module: answer}` where the plug refused the
 * whole module. It says what was recorded; relay, LED and name can be set, and it says so then.
 */
export class RecordedDevice implements PlugDevice {
  readonly closesAfterReply: boolean;
  readonly #recording: JsonObject;
  readonly #clock: Clock;
  #sysinfo: Answer;
  /** When the relay was last switched here; before that, on time and load are what was recorded. */
  #switchedAt: number | undefined;

  /** Throws BridgeError if the recording has no sysinfo: no client would take it for a plug. */
  constructor(recording: JsonObject, clock: Clock) {
    const sysinfo = isObject(recording.system) ? recording.system.get_sysinfo : undefined;
    if (!isObject(sysinfo)) {
      throw new BridgeError('bad-recording', 'the recording of a plug must have system.get_sysinfo');
    }
    this.#recording = recording;
    this.#clock = clock;
    this.#sysinfo = { ...sysinfo };
    this.closesAfterReply = textAt(sysinfo, 'hw_ver')?.startsWith('1.') ?? false;
  }

  get alias(): string | undefined {
    return textAt(this.#sysinfo, 'alias');
  }

  get relay(): boolean | undefined {
    const state = numberAt(this.#sysinfo, 'relay_state');
    return state === undefined ? undefined : state === 1;
  }

  answer(query: JsonObject): JsonObject {
    const reply: Answer = {};
    const outlets = isObject(query.context) ? query.context.child_ids : undefined;
    for (const [module, methods] of Object.entries(query)) {
      if (module !== 'context') reply[module] = this.#answerModule(module, methods, outlets);
    }
    return reply;
  }

  #answerModule(module: string, methods: unknown, outlets: unknown): JsonObject {
    const recorded =
      module === RECORDING_KEY ? undefined : (own(this.#recording, module) ?? this.#lighting(module));
    if (recorded === undefined) return this.#isBulb ? NO_BULB_MODULE : UNKNOWN_MODULE;
    if (typeof recorded.err_code === 'number') return recorded;
    const answer: Answer = {};
    for (const [method, argument] of Object.entries(isObject(methods) ? methods : {})) {
      const given = isObject(argument) ? argument : {};
      const made = module === 'system' ? this.#system(method, given, outlets) : this.#light(method, given);
      answer[method] = made ?? this.#asRecorded(method, own(recorded, method));
    }
    return answer;
  }

  #system(method: string, argument: JsonObject, outlets: unknown): Answer | undefined {
    switch (method) {
      case 'get_sysinfo':
        return { ...this.#sysinfo, ...this.#onTime() };
      case 'set_relay_state':
        return this.#switch(numberAt(argument, 'state'), outlets);
      case 'set_led_off':
        return this.#setFlag('led_off', numberAt(argument, 'off'));
      case 'set_dev_alias': {
        const alias = textAt(argument, 'alias');
        if (alias === undefined) return BAD_ARGUMENT;
        this.#sysinfo.alias = alias;
        return OK;
      }
      default:
        return undefined;
    }
  }

  /** What sets a light cannot be recorded, for it would have to be set. */
  #lighting(module: string): JsonObject | undefined {
    return LIGHTING.includes(module) && (this.#isBulb || 'brightness' in this.#sysinfo) ? {} : undefined;
  }

  /** Changes the light of a bulb or the brightness of a dimmer; what was not recorded of it stays unsaid. */
  #light(method: string, argument: JsonObject): Answer | undefined {
    const brightness = integerAt(argument, 'brightness', 0, 100);
    if (method === 'set_switch_state') return this.#switch(numberAt(argument, 'state'), undefined);
    if (method === 'set_brightness' || method === 'set_dimmer_transition') {
      if (brightness === undefined) return BAD_ARGUMENT;
      if (brightness > 0 || method === 'set_brightness') this.#sysinfo.brightness = brightness;
      return method === 'set_brightness' ? OK : this.#switch(brightness > 0 ? 1 : 0, undefined);
    }
    if (method !== 'transition_light_state' && method !== 'set_light_state') return undefined;
    const recorded = isObject(this.#sysinfo.light_state) ? this.#sysinfo.light_state : {};
    const { on_off, dft_on_state, ...shown } = recorded;
    const light: JsonObject = isObject(dft_on_state) ? { ...dft_on_state } : shown;
    const changed = Object.keys(light).filter((key) => numberAt(argument, key) !== undefined);
    const next = { ...light, ...Object.fromEntries(changed.map((key) => [key, argument[key]])) };
    const isOn = (numberAt(argument, 'on_off') ?? on_off) === 1;
    const state = isOn ? { on_off: 1, ...next } : { on_off: 0, dft_on_state: next };
    this.#sysinfo.light_state = state;
    return { ...state, err_code: 0 };
  }

  #asRecorded(method: string, recorded: JsonObject | undefined): JsonObject {
    if (recorded === undefined) return this.#isBulb ? NO_BULB_METHOD : UNKNOWN_METHOD;
    const switchedOff = this.#switchedAt !== undefined && this.relay === false;
    return method === 'get_realtime' && switchedOff ? withoutLoad(recorded) : recorded;
  }

  /** Switches the relay, or the outlets of a strip: all of them unless some are named. A bulb has no relay. */
  #switch(state: number | undefined, outlets: unknown): Answer {
    if (this.#isBulb) return NO_BULB_MODULE;
    if (state !== 0 && state !== 1) return BAD_ARGUMENT;
    if (objectsAt(this.#sysinfo, 'children').length > 0) return this.#switchOutlets(state, outlets);
    if (state !== this.#sysinfo.relay_state) this.#switchedAt = this.#clock.date();
    return this.#setFlag('relay_state', state);
  }

  #switchOutlets(state: 0 | 1, outlets: unknown): Answer {
    const children = objectsAt(this.#sysinfo, 'children');
    const named = outlets ?? children.map(({ id }) => id);
    if (!Array.isArray(named)) return BAD_ARGUMENT;
    if (named.some((id) => !children.some((child) => child.id === id))) return NO_ENTRY;
    this.#sysinfo.children = children.map((child) =>
      named.includes(child.id) ? { ...child, state } : child,
    );
    return OK;
  }

  get #isBulb(): boolean {
    return (textAt(this.#sysinfo, 'mic_type') ?? textAt(this.#sysinfo, 'type')) === 'IOT.SMARTBULB';
  }

  /** A flag that was not recorded can be set, and is still not reported. */
  #setFlag(key: string, value: number | undefined): Answer {
    if (value !== 0 && value !== 1) return BAD_ARGUMENT;
    if (key in this.#sysinfo) this.#sysinfo[key] = value;
    return OK;
  }

  #onTime(): Answer {
    if (this.#switchedAt === undefined || !('on_time' in this.#sysinfo)) return {};
    return { on_time: this.relay ? Math.floor((this.#clock.date() - this.#switchedAt) / 1000) : 0 };
  }
}

/** Reads a recording from the text of the file `name`. Throws BridgeError if it is none. */
export function readRecording(name: string, text: string): JsonObject {
  try {
    return parseObject(text);
  } catch (cause) {
    throw new BridgeError('bad-recording', `${name} is no recording of a plug: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** What a lamp that is off draws, as far as the recording speaks of it. */
function withoutLoad(realtime: JsonObject): JsonObject {
  const load = ['power', 'current', 'power_mw', 'current_ma'].filter((key) => key in realtime);
  return { ...realtime, ...Object.fromEntries(load.map((key) => [key, 0])) };
}

function own(object: JsonObject, key: string): JsonObject | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isObject(value) ? value : undefined;
}
