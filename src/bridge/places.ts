import type { PlugState } from './plug-state.ts';

/** A place: every plug below an inner level of the topic tree. The whole site is the place `''`. */
export interface PlaceState {
  readonly path: string;
  /** ON or OFF only when every plug of it said so; MIXED when they differ; `null` when one that might differ is silent. */
  readonly state: 'ON' | 'OFF' | 'MIXED' | null;
  readonly on: number;
  readonly off: number;
  /** Plugs that are not reachable, or did not report their relay. */
  readonly unknown: number;
  readonly total: number;
  /** W, summed over the plugs that report it; `null` if none does. */
  readonly power: number | null;
  /** kWh that were used there since the bridge counts; `null` while that is nothing that it knows of. */
  readonly energy: number | null;
}

/** The places a plug belongs to, the nearest first: `a/b/lamp` is in `a/b`, `a` and `''`. */
export function placesOf(path: string): string[] {
  const places: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    places.push(path.slice(0, end));
  }
  places.push('');
  return places;
}

/**
 * Sums up a place from the states of its plugs. A plug that is not online counts as unknown. `energy` is what the place
 * has used, in thousandths of a Wh.
 */
export function aggregate(path: string, members: Iterable<PlugState>, energy: number): PlaceState {
  let on = 0;
  let off = 0;
  let unknown = 0;
  let milliwatts: number | null = null;
  let isMetered = energy > 0;
  for (const plug of members) {
    const online = plug.availability === 'online';
    if (!online || plug.relay === null) unknown++;
    else if (plug.relay) on++;
    else off++;
    isMetered ||= plug.energy !== null;
    if (online && plug.power !== null) milliwatts = (milliwatts ?? 0) + Math.round(plug.power * 1000);
  }
  return {
    path,
    state: on > 0 && off > 0 ? 'MIXED' : unknown > 0 ? null : on > 0 ? 'ON' : off > 0 ? 'OFF' : null,
    on,
    off,
    unknown,
    total: on + off + unknown,
    power: milliwatts === null ? null : milliwatts / 1000,
    energy: isMetered ? Math.round(energy / 1000) / 1000 : null,
  };
}
