import type { plugValues } from './payloads.ts';

type PlugValues = ReturnType<typeof plugValues>;

/** The values for which a deadband may be configured. */
const DAMPED = ['power', 'voltage', 'current', 'rssi'] as const;

/** By how much a value must have changed, by both if both are given. */
export interface Deadband {
  readonly change: number | undefined;
  readonly percent: number | undefined;
}

export type Deadbands = { readonly [K in (typeof DAMPED)[number]]: Deadband };

/** Whether there is any deadband. */
export function hasDeadband(deadbands: Deadbands): boolean {
  return DAMPED.some((name) => isGiven(deadbands[name]));
}

/** A plug's values as they are reported: those that have hardly changed since the `last` report are as they were in it. */
export function damped(values: PlugValues, last: PlugValues | undefined, deadbands: Deadbands): PlugValues {
  if (last === undefined || last.state !== values.state) return values;
  let reported = values;
  for (const name of DAMPED) {
    const value = dampedValue(values[name], last[name], deadbands[name]);
    if (value !== values[name]) reported = { ...reported, [name]: value };
  }
  return reported;
}

/** One value as it is reported after `last`. Nothing and zero are never held back, nor is what follows them. */
export function dampedValue(value: number | null, last: number | null, deadband: Deadband): number | null {
  if (!isGiven(deadband) || !value || !last) return value;
  const { change = 0, percent = 0 } = deadband;
  const needed = Math.max(change, (Math.abs(last) * percent) / 100);
  return Math.abs(value - last) < needed ? last : value;
}

/** Whether two reports of a plug say the same, but for the time. */
export function saysTheSame(one: PlugValues, other: PlugValues): boolean {
  return JSON.stringify({ ...one, last_seen: null }) === JSON.stringify({ ...other, last_seen: null });
}

function isGiven({ change, percent }: Deadband): boolean {
  return change !== undefined || percent !== undefined;
}
