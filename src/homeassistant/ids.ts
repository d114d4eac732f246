import { slug, type Topics } from '../mqtt/topics.ts';

/** What every id of ours begins with. */
export const ID_PREFIX = 'hs110mqtt_';

const PLUG_ID = new RegExp(`^${ID_PREFIX}[0-9a-f]{12}(_|$)`);

/** What all ids of one plug begin with, or of one outlet of a device: it outlives names, paths and addresses. */
export function plugId(mac: string, outlet: string | null): string {
  const device = `${ID_PREFIX}${mac.replaceAll(':', '').toLowerCase()}`;
  return outlet === null ? device : `${device}_${outlet}`;
}

/** The id of the device that the id of one of its outlets belongs to. */
export function deviceId(id: string): string {
  return id.slice(0, ID_PREFIX.length + 12);
}

/** Whether an id is that of a plug or an outlet. */
export function isPlugId(id: string): boolean {
  return PLUG_ID.test(id);
}

/** What all ids of the bridge begin with; two bridges have different base topics. */
export function bridgeId(topics: Topics): string {
  return `${ID_PREFIX}bridge_${slug(topics.base)}`;
}

/** Single facts that survive a restart. */
export interface Facts {
  fact(name: string): string | undefined;
  keepFact(name: string, value: string): void;
  forgetFact(name: string): void;
}

/** The ids of plugs. Each is made of a MAC, its own unless new hardware has taken the place of other hardware. */
export class PlugIds {
  readonly #facts: Facts;
  /** The MACs that ids are made of, by those of the devices. */
  readonly #macs = new Map<string, string>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** The id of a plug or an outlet. */
  of(mac: string, outlet: string | null): string {
    return plugId(this.#macFor(mac), outlet);
  }

  /** `now` takes the id of `before`, and the other way around: no id is ever that of two. */
  swap(before: string, now: string): void {
    const [idBefore, idNow] = [this.#macFor(before), this.#macFor(now)];
    this.#give(now, idBefore);
    this.#give(before, idNow);
  }

  #macFor(mac: string): string {
    let known = this.#macs.get(mac);
    if (known === undefined) {
      known = this.#facts.fact(macFact(mac)) ?? mac;
      this.#macs.set(mac, known);
    }
    return known;
  }

  #give(mac: string, id: string): void {
    this.#macs.set(mac, id);
    if (id === mac) this.#facts.forgetFact(macFact(mac));
    else this.#facts.keepFact(macFact(mac), id);
  }
}

/** The ids of places. Each is made of the path that a place has at first sight, and stays its own when the place moves. */
export class PlaceIds {
  readonly #facts: Facts;
  readonly #topics: Topics;
  /** By path. What was kept a moment ago cannot be read yet. */
  readonly #ids = new Map<string, string>();

  constructor(facts: Facts, topics: Topics) {
    this.#facts = facts;
    this.#topics = topics;
  }

  /** The id of a place; one that has none is given one. */
  of(path: string): string {
    return this.#known(path) ?? this.#give(path, this.#free(this.#made(path)));
  }

  /** The place at `from` is at `to` now, and takes its id along; a place that was there already keeps its own. */
  move(from: string, to: string): void {
    const id = this.#known(from);
    if (id === undefined || this.#known(to) !== undefined) return;
    this.#ids.delete(from);
    this.#facts.forgetFact(idFact(from));
    this.#give(to, id);
  }

  #known(path: string): string | undefined {
    const id = this.#ids.get(path) ?? this.#facts.fact(idFact(path));
    // A fact may be of a path that the place has left.
    if (id === undefined || (this.#ownerOf(id) ?? path) !== path) return undefined;
    this.#ids.set(path, id);
    return id;
  }

  #give(path: string, id: string): string {
    this.#ids.set(path, id);
    this.#facts.keepFact(idFact(path), id);
    this.#facts.keepFact(ownerFact(id), path);
    return id;
  }

  #ownerOf(id: string): string | undefined {
    for (const [path, given] of this.#ids) if (given === id) return path;
    return this.#facts.fact(ownerFact(id));
  }

  #made(path: string): string {
    const site = slug(this.#topics.base);
    return path === ''
      ? `${ID_PREFIX}site_${site}`
      : `${ID_PREFIX}place_${site}_${path.replaceAll('/', '_')}`;
  }

  /** That id, or one like it while another place has it. */
  #free(id: string): string {
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? id : `${id}_${number}`;
      if (this.#ownerOf(candidate) === undefined) return candidate;
    }
  }
}

const macFact = (mac: string) => `id of plug ${mac}`;
const idFact = (path: string) => `id of place ${path}`;
const ownerFact = (id: string) => `place with id ${id}`;
