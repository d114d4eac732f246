import type { MeterReading } from '../protocol/replies.ts';

/** VA; below that a power that is a small part of them is what chargers and idle transformers draw. */
const MUCH = 1000;

/** The least part of so many VA that is drawn as W. */
const LEAST_FACTOR = 0.1;

/**
 * Whether a reading cannot be what the meter measured: a value that is beyond its range (100 kW), or a current that
 * does not go with the power (41 A at 9 W), as some firmware shows for one reading now and then.
 */
export function isGlitch({ power, voltage, current, implausible }: MeterReading): boolean {
  if (implausible === true) return true;
  if (power === undefined || voltage === undefined || current === undefined) return false;
  const apparent = voltage * current;
  return apparent > MUCH && power < apparent * LEAST_FACTOR;
}
