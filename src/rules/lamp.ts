/*
 * Whether the lamp on an outlet does what it should, by the power that it draws while it is on. Pure; times are
 * milliseconds of `clock.now()`.
 */

/** What is wrong with a lamp: nothing, it is dark, it draws too little, or something else is plugged in. */
export type LampVerdict = 'ok' | 'out' | 'weak' | 'unexpected-load';

/** What the lamp on an outlet should draw. */
export interface LampSettings {
  /** W; `learn` takes the median of its first hours. */
  readonly watts: number | 'learn';
  /** The part of it by which it may differ. */
  readonly tolerance: number;
  /** A lamp is judged when it has been on for so long, and a new verdict holds once it has stood for so long. */
  readonly settleMs: number;
}

/** What is known of the lamp on an outlet. The same object as long as nothing changes. */
export interface LampCheck {
  /** The last one, also while it is off; `null` until there is one. */
  readonly verdict: LampVerdict | null;
  /** W, learnt; `null` until that is done. */
  readonly learnt: number | null;
  /** W, one every {@link SAMPLE_MS} while it is learnt. */
  readonly samples: readonly number[];
  /** Since when it is on; `null` while it is off or not known. */
  readonly onSince: number | null;
  /** When the last sample was taken. */
  readonly sampledAt: number;
  /** A verdict that is another than the last one, and since when. */
  readonly doubt: { readonly verdict: LampVerdict; readonly since: number } | null;
}

/** Of a lamp nothing is known yet. */
export const UNKNOWN_LAMP: LampCheck = {
  verdict: null,
  learnt: null,
  samples: [],
  onSince: null,
  sampledAt: Number.NEGATIVE_INFINITY,
  doubt: null,
};

/** Between two samples; {@link SAMPLES} of them are learnt from: two hours. */
export const SAMPLE_MS = 120_000;
export const SAMPLES = 60;

/** W; meters show up to that without any load, so that a lamp with less cannot be told from none. */
export const LEAST_WATTS = 2;
const NO_LOAD = 1;

/** A lamp that draws less than this part of what it should is dark. */
const OUT = 0.1;

/** Within this part of the tolerance a lamp is well again. */
const HYSTERESIS = 0.8;

/** What is known of the lamp after the plug reported relay and power (W). */
export function checkLamp(
  lamp: LampCheck,
  { watts, tolerance, settleMs }: LampSettings,
  { relay, power, at }: { relay: boolean | null; power: number | null; at: number },
): LampCheck {
  const { onSince } = lamp;
  if (relay !== true || power === null)
    return onSince === null ? lamp : { ...lamp, onSince: null, doubt: null };
  if (onSince === null) return { ...lamp, onSince: at };
  if (at - onSince < settleMs) return lamp;
  const expected = watts === 'learn' ? lamp.learnt : watts;
  if (expected === null) return at - lamp.sampledAt < SAMPLE_MS ? lamp : learn(lamp, power, at);
  return judge(lamp, verdictOn(power, expected, tolerance, lamp.verdict), at, settleMs);
}

/** What is known of the lamp while it is learnt anew. */
export function relearn({ onSince }: LampCheck): LampCheck {
  return { ...UNKNOWN_LAMP, onSince };
}

function learn(lamp: LampCheck, power: number, at: number): LampCheck {
  const samples = [...lamp.samples, power];
  if (samples.length < SAMPLES) return { ...lamp, samples, sampledAt: at };
  const median = samples.toSorted((one, other) => one - other)[SAMPLES / 2] ?? 0;
  // There is no lamp yet, or it is out: the next hours may show one.
  return { ...lamp, samples: [], sampledAt: at, learnt: median < LEAST_WATTS ? null : median };
}

function judge(lamp: LampCheck, verdict: LampVerdict, at: number, settleMs: number): LampCheck {
  const { doubt } = lamp;
  if (verdict === lamp.verdict) return doubt === null ? lamp : { ...lamp, doubt: null };
  if (lamp.verdict !== null && doubt?.verdict !== verdict) return { ...lamp, doubt: { verdict, since: at } };
  const stands = doubt === null || at - doubt.since >= settleMs;
  return stands ? { ...lamp, verdict, doubt: null } : lamp;
}

function verdictOn(power: number, watts: number, tolerance: number, last: LampVerdict | null): LampVerdict {
  const margin = watts * tolerance;
  const inner = margin * HYSTERESIS;
  if (power < Math.max(NO_LOAD, watts * OUT)) return 'out';
  if (power > watts + (last === 'unexpected-load' ? inner : margin)) return 'unexpected-load';
  return power < watts - (last === 'weak' || last === 'out' ? inner : margin) ? 'weak' : 'ok';
}
