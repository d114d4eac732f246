/** A stretch of a load curve: mean, least and most, in W. */
export interface CurvePoint {
  /** Milliseconds since 1970 at which it begins. */
  readonly at: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** What is known of the stretch under way. */
export interface LoadCurve {
  /** What it draws since `since`, in W; `null` while that is not known. */
  readonly power: number | null;
  readonly since: number;
  /** Watt-milliseconds so far, and the milliseconds in which the power was known. */
  readonly work: number;
  readonly known: number;
  readonly min: number;
  readonly max: number;
}

/** Nothing is known of the load before `at`. */
export function beginCurve(at: number): LoadCurve {
  return {
    power: null,
    since: at,
    work: 0,
    known: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

/** From `at` on it draws that power; the mean is weighted by time, and time without a reading does not count. */
export function drawsFrom(curve: LoadCurve, at: number, power: number | null): LoadCurve {
  const { work, known, min, max } = upTo(curve, at);
  if (power === null) return { power, since: at, work, known, min, max };
  return { power, since: at, work, known, min: Math.min(min, power), max: Math.max(max, power) };
}

/** Ends the stretch that began at `begin`, and begins the next one; there is no point for what is not known. */
export function endStretch(
  curve: LoadCurve,
  begin: number,
  end: number,
): { readonly point: CurvePoint | undefined; readonly next: LoadCurve } {
  const { power, work, known, min, max } = upTo(curve, end);
  const next = drawsFrom(beginCurve(end), end, power);
  if (known <= 0) return { point: undefined, next };
  return { point: { at: begin, mean: work / known, min, max }, next };
}

function upTo({ power, since, work, known, min, max }: LoadCurve, at: number): LoadCurve {
  const ms = Math.max(0, at - since);
  if (power === null || ms === 0) return { power, since: Math.max(since, at), work, known, min, max };
  return {
    power,
    since: at,
    work: work + power * ms,
    known: known + ms,
    min: Math.min(min, power),
    max: Math.max(max, power),
  };
}

/** Several points of the same length as one. */
export function together(points: readonly CurvePoint[], at: number): CurvePoint | undefined {
  if (points.length === 0) return undefined;
  return {
    at,
    mean: points.reduce((sum, { mean }) => sum + mean, 0) / points.length,
    min: points.reduce((least, { min }) => Math.min(least, min), Number.POSITIVE_INFINITY),
    max: points.reduce((most, { max }) => Math.max(most, max), Number.NEGATIVE_INFINITY),
  };
}
