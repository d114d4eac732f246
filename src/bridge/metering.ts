import type { Member } from './members.ts';
import { outletKey } from './memory.ts';
import type { OutletMeter } from './outlet-meter.ts';
import { placesOf } from './places.ts';

/** The meter of an outlet, by which it is known and where it is. */
export interface KnownMeter {
  /** As {@link outletKey} makes it. */
  readonly outlet: string;
  readonly path: string;
  readonly meter: OutletMeter;
}

/** The meters of those outlets whose devices have shown who they are. */
export function* knownMeters(members: Iterable<Member>): Iterable<KnownMeter> {
  for (const { outlet, loop } of members) {
    const { mac } = loop.client;
    if (mac !== undefined)
      yield { outlet: outletKey(mac, outlet.id), path: outlet.path, meter: outlet.meter };
  }
}

/**
 * What each place has used, in thousandths of a Wh: a counter of its own, to which its plugs add what they use while they
 * are in it. It never falls: what a plug added stays when that is moved or taken out.
 */
export class PlaceEnergy {
  /** What was used there by earlier runs and by plugs that have left, less what its plugs had counted when they came. */
  readonly #others = new Map<string, number>();

  /** Begins with what was ever used at each path. */
  constructor(byPath: ReadonlyMap<string, number>) {
    for (const [path, energy] of byPath) this.left(path, energy);
  }

  /** What the place has used, with what its members have counted since the start. */
  of(place: string, members: readonly Member[]): number {
    let energy = this.#others.get(place) ?? 0;
    for (const { outlet } of members) energy += outlet.meter.counted;
    return energy;
  }

  /** A plug comes that has counted so much since the start, elsewhere. */
  entered(path: string, counted: number): void {
    if (counted > 0) this.left(path, -counted);
  }

  /** A plug goes that has counted so much since the start. */
  left(path: string, counted: number): void {
    for (const place of placesOf(path)) this.#others.set(place, (this.#others.get(place) ?? 0) + counted);
  }
}
