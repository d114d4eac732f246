import type { Editor, Hardware, Subject } from '../api/requests/editor.ts';
import { placesOf } from '../bridge/places.ts';
import type { Edit, LiveConfig } from '../config/live-config.ts';
import { adopts, BARE_PLUG, type Config, type PlugConfig } from '../config/schema.ts';
import {
  addPlug,
  movePlace,
  movePlug,
  removePlug,
  replacePlug,
  setOptions,
  setPlace,
  setPlug,
} from '../config/site-edits.ts';
import { slugPath } from '../config/slug-path.ts';
import { type Endpoint, endpoint } from '../config/types.ts';
import { CommandError } from '../errors.ts';
import type { PlaceIds, PlugIds } from '../homeassistant/ids.ts';
import { PLUG_PORT } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import { readMac } from '../protocol/replies.ts';
import { replaceDevice } from '../store/replace-device.ts';
import type { Store } from '../store/store.ts';
import { apply, knownPlugs, type RunningParts, restartNeeded } from './apply.ts';
import { plugChanges } from './changes.ts';
import { deviceSettings, deviceSpec, plugsOf } from './devices.ts';
import { demandNoIdentity, demandNoSecret, demandSettable, optionsJson } from './settable.ts';

export interface SiteEditorParts extends RunningParts {
  readonly live: LiveConfig;
  readonly store: Store;
  readonly plugIds: PlugIds;
  readonly placeIds: PlaceIds;
}

/** A change of the configuration, and what is to be done once it is kept and before it is in force. */
interface Change {
  readonly edit: Edit;
  readonly mayUnlock: boolean;
  /** The path of a plug that may be another one afterwards. */
  readonly owner?: string;
  readonly prepare?: () => Promise<void> | void;
  /** What is to be done between old and new hardware of a plug. */
  readonly takenOver?: () => void;
}

/** Changes which plugs there are, where they are and how they are set: in the configuration, and at once in what runs. */
export class SiteEditor implements Editor {
  readonly #parts: SiteEditorParts;
  /** What runs was started with it. */
  readonly #started: Config;
  /** Settles when all changes so far are in force. */
  #working: Promise<unknown> = Promise.resolve();

  constructor(parts: SiteEditorParts) {
    this.#parts = parts;
    this.#started = parts.live.config;
  }

  add(entry: JsonObject): Promise<JsonObject> {
    return this.#inTurn(async () => {
      demandNoSecret(entry);
      const mac = typeof entry.mac === 'string' ? readMac(entry.mac) : undefined;
      const ignored = this.#parts.live.config.discovery.ignore ?? [];
      const edit = addPlug(entry);
      const isIgnored = mac !== undefined && ignored.includes(mac);
      const change = {
        edit: isIgnored ? both(ignore(ignored.filter((one) => one !== mac)), edit) : edit,
        mayUnlock: false,
      };
      return this.#found(entry.host, { path: slugPath(String(entry.path)), ...(await this.#change(change)) });
    });
  }

  remove(path: string, mayUnlock: boolean): Promise<JsonObject> {
    return this.#inTurn(async () => {
      const { live, bridge, finder } = this.#parts;
      const adopted = this.#adoptedAt(path);
      const mac = adopted?.mac ?? bridge.identity(path)?.mac ?? undefined;
      const { discovery } = live.config;
      // It would be taken in again as long as it answers.
      const isLeft = mac !== undefined && this.#adopts();
      const leave = ignore([...new Set([...(discovery.ignore ?? []), ...(isLeft ? [mac] : [])])]);
      if (adopted === undefined) {
        const edit = removePlug(path);
        const prepare = () => {
          if (isLeft) finder.release(mac);
        };
        return this.#change({ edit: isLeft ? both(edit, leave) : edit, mayUnlock, prepare });
      }
      return this.#change({
        edit: leave,
        mayUnlock,
        prepare: async () => {
          finder.release(adopted.mac);
          await bridge.remove(path);
        },
      });
    });
  }

  move({ kind, path }: Subject, to: string, mayUnlock: boolean): Promise<JsonObject> {
    return this.#inTurn(async () => {
      const target = slugPath(to === '/' ? '' : to);
      if (kind === 'plug') {
        const edit = this.#of(path, (own) => movePlug(own, to));
        return { path: target, ...(await this.#change({ edit, mayUnlock })) };
      }
      if (path === '') throw new CommandError('not-possible', 'the whole site is moved with mqtt.baseTopic');
      const { bridge, placeIds } = this.#parts;
      const prepare = () => {
        for (const place of bridge.places())
          if (place === path || place.startsWith(`${path}/`))
            placeIds.move(
              place,
              target === '' ? place.slice(path.length + 1) : target + place.slice(path.length),
            );
      };
      return { path: target, ...(await this.#change({ edit: movePlace(path, target), mayUnlock, prepare })) };
    });
  }

  replace(path: string, { host, mac }: Hardware): Promise<JsonObject> {
    return this.#inTurn(async () => {
      const { bridge, live, store, plugIds, finder } = this.#parts;
      this.#demandPlug(path);
      const address = host === undefined ? undefined : readAddress(host);
      const now = mac === undefined ? await this.#macAt(address) : readMac(mac);
      if (now === undefined)
        throw new CommandError('not-understood', '"mac" must be a MAC such as 50:C7:BF:12:34:56');
      const before = bridge.identity(path)?.mac ?? undefined;
      const taken = [...bridge.plugs()].find(
        (plug) => plug.path !== path && bridge.identity(plug.path)?.mac === now,
      );
      const isAdopted = taken !== undefined && !live.config.plugs.some((plug) => plug.path === taken.path);
      if (taken !== undefined && !isAdopted)
        throw new CommandError('taken', `${now} is ${taken.path} already; remove that first`);
      // Where it was taken in it was found already.
      const found = taken === undefined ? undefined : bridge.address(taken.path);
      const where = host ?? (found && `${found.host}:${found.port}`);
      const edit = this.#of(path, (own) => replacePlug(own, { mac: now, host: where }));
      const prepare = async () => {
        if (taken === undefined) return;
        finder.release(now);
        await bridge.remove(taken.path);
      };
      const takenOver = () => {
        if (before === undefined) return;
        finder.release(before);
        replaceDevice(store, before, now);
        plugIds.swap(before, now);
      };
      const change = { edit, mayUnlock: false, owner: path, prepare, takenOver };
      return this.#found(where, { mac: now, ...(await this.#change(change)) });
    });
  }

  rename({ kind, path }: Subject, name: string | null, isAlias: boolean): Promise<JsonObject> {
    return this.#inTurn(() => {
      if (kind === 'place') return this.#setPlace(path, { name });
      const isFoundByAlias = this.#parts.live.config.plugs.some((plug) => plug.path === path && plug.alias);
      const options = isAlias && isFoundByAlias ? { name, alias: name } : { name };
      return this.#change({ edit: this.#of(path, (own) => setPlug(own, options)), mayUnlock: false });
    });
  }

  set(subject: Subject | undefined, options: JsonObject, mayUnlock: boolean): Promise<JsonObject> {
    return this.#inTurn(() => {
      demandNoSecret(options);
      if (subject?.kind === 'plug') {
        demandNoIdentity(options);
        return this.#change({ edit: this.#of(subject.path, (own) => setPlug(own, options)), mayUnlock });
      }
      if (subject !== undefined) return this.#setPlace(subject.path, options, mayUnlock);
      demandSettable(options, this.#parts.live.explain());
      return this.#change({ edit: setOptions(options), mayUnlock });
    });
  }

  get(subject: Subject | undefined): JsonObject {
    const { live } = this.#parts;
    const prefix = this.#prefixOf(subject);
    return { options: optionsJson(live.explain(), prefix) };
  }

  export(): JsonObject {
    return { yaml: this.#parts.live.export() };
  }

  #setPlace(path: string, options: JsonObject, mayUnlock = false): Promise<JsonObject> {
    const { bridge } = this.#parts;
    if (bridge.place(path) === undefined) throw new CommandError('not-found', bridge.absence(path));
    return this.#change({ edit: setPlace(path, options), mayUnlock });
  }

  /** Changes follow one another: each begins with what the one before has made. */
  #inTurn(change: () => Promise<JsonObject> | JsonObject): Promise<JsonObject> {
    const done = this.#working.then(change);
    this.#working = done.catch(() => {});
    return done;
  }

  /** A plug that has no address is looked for. */
  #found(host: unknown, answer: JsonObject): JsonObject {
    if (host === undefined) void this.#parts.finder.search();
    return answer;
  }

  async #change({ edit, mayUnlock, owner, prepare, takenOver }: Change): Promise<JsonObject> {
    const { live } = this.#parts;
    const { before, after, kept } = live.change(edit, (was, will) => {
      this.#demandFree(will, owner);
      if (!mayUnlock) this.#demandLocks(was, will);
    });
    await prepare?.();
    await apply(before, after, this.#parts, takenOver);
    const restart = restartNeeded(this.#started, after);
    return { ...kept, ...(restart.length === 0 ? {} : { restart: true, restart_for: restart }) };
  }

  /** Throws CommandError if a plug that was taken in would have to give way to one at its path, but for the `owner`. */
  #demandFree({ plugs }: Config, owner: string | undefined): void {
    if (!this.#adopts()) return;
    for (const [mac, { path }] of this.#parts.devices.memory.adopted()) {
      const isTaken = plugs.some(
        (plug) => plug.mac !== mac && (plug.path === path || placesOf(plug.path).includes(path)),
      );
      if (isTaken && path !== owner) throw new CommandError('taken', `${path} is a plug that was taken in`);
    }
  }

  /** Throws CommandError if a plug that is locked would not be afterwards, or not be there. */
  #demandLocks(before: Config, after: Config): void {
    const plugs = knownPlugs(before, this.#parts);
    const { kept, replaced } = plugChanges(plugs, plugsOf(after, this.#parts.devices.memory));
    for (const plug of plugs) {
      const now = kept.get(plug.path) ?? replaced.find(({ path }) => path === plug.path);
      if (isLocked(plug, before) && (now === undefined || !isLocked(now, after)))
        throw new CommandError(
          'locked',
          `${plug.path} is locked by the configuration and would not be any more; write "allow: [unlock]" into it to permit that`,
        );
    }
  }

  /** The edit of a plug; one that was taken in is configured with it. */
  #of(path: string, edit: (path: string) => Edit): Edit {
    this.#demandPlug(path);
    const adopted = this.#adoptedAt(path);
    if (adopted === undefined) return edit(path);
    const { host, port } = adopted.address;
    return both(addPlug({ path, mac: adopted.mac, host: `${host}:${port}` }), (text, config) =>
      edit(path)(text, { ...config, plugs: [...config.plugs, { ...BARE_PLUG, path }] }),
    );
  }

  #demandPlug(path: string): void {
    const { bridge } = this.#parts;
    if (bridge.plug(path) === undefined) throw new CommandError('not-found', bridge.absence(path));
  }

  #adoptedAt(path: string): { mac: string; address: Endpoint } | undefined {
    const { live, devices } = this.#parts;
    if (live.config.plugs.some((plug) => plug.path === path)) return undefined;
    for (const [mac, adopted] of devices.memory.adopted())
      if (adopted.path === path) return { mac, address: adopted.address };
    return undefined;
  }

  #adopts(): boolean {
    return adopts(this.#parts.live.config);
  }

  /** What the names of a subject's options begin with. */
  #prefixOf(subject: Subject | undefined): string | undefined {
    if (subject === undefined) return undefined;
    const { path } = subject;
    if (subject.kind === 'place') return `places.${path === '' ? '/' : path}.`;
    this.#demandPlug(path);
    return `plugs[${this.#parts.live.config.plugs.findIndex((plug) => plug.path === path)}].`;
  }

  /** Which plug is at an address; rejects with a PlugError if none answers there. */
  async #macAt(address: Endpoint | undefined): Promise<string | undefined> {
    const { live, devices } = this.#parts;
    const { client } = deviceSpec({ ...BARE_PLUG, host: address }, live.config, devices);
    try {
      await client.checkPlug();
      return client.mac;
    } finally {
      client.close();
    }
  }
}

function readAddress(host: string): Endpoint {
  const address = ADDRESS.read(host);
  if (address === undefined) throw new CommandError('not-understood', `"host" must be ${ADDRESS.expects}`);
  return address;
}

const ADDRESS = endpoint(PLUG_PORT);

function ignore(macs: readonly string[]): Edit {
  return setOptions({ discovery: { ignore: macs.length === 0 ? null : macs } });
}

function both(first: Edit, second: Edit): Edit {
  return (text, config) => second(first(text, config), config);
}

function isLocked(plug: PlugConfig, config: Config): boolean {
  return deviceSettings(plug, config).outlets.some(({ policy }) => policy.locked);
}
