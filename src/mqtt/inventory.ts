import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { isoTime } from './payloads.ts';
import { RetainedCleaner, type RetainedTopics } from './retained-topics.ts';
import type { MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface InventoryOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly retained: RetainedTopics;
  readonly clock: Clock;
}

/** Changes of a large site come in crowds: one inventory for all that changes within this time, more per plug. */
const WAIT_MS = 500;
const WAIT_PER_PLUG_MS = 1;

/** So many plugs are described at a time, and then other work goes on. */
const AT_A_TIME = 64;

/**
 * Publishes what each plug is, where it is, and what is wrong with it: as one list, and plug by plug with what a list
 * would have to be published for too often.
 */
export class Inventory implements Task {
  readonly name = 'inventory';
  readonly #options: InventoryOptions;
  readonly #timer: Timer;
  readonly #cleaner: RetainedCleaner;
  /** Plugs to be described anew. */
  readonly #changed = new Set<string>();
  #listChanged = false;
  #waiting = false;
  #last = '';

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#publish());
    this.#cleaner = new RetainedCleaner({ ...options, kinds: ['details'] });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, topics } = this.#options;
    const unsubscribe = [
      bridge.on('removed', ({ path }) => {
        this.#changed.delete(path);
        this.#cleaner.clear('details', topics.details(path));
        this.#later(true);
      }),
      bridge.on('plug', ({ before, after, asked }) => {
        const isListed = isNews(before, after);
        // What is asked for may be set otherwise: whether it is locked.
        if (!isListed && !isDetail(before, after) && !asked) return;
        this.#changed.add(after.path);
        this.#later(isListed);
      }),
    ];
    session.onConnect(() => this.#all());
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    this.#timer.clear();
    this.#changed.clear();
    this.#cleaner.finish();
  }

  /** Publishes everything anew, as after a connect, and clears what was published of others. */
  #all(): void {
    const { bridge, topics } = this.#options;
    this.#last = '';
    const inUse = new Map<string, 'details'>();
    for (const { path } of bridge.plugs()) {
      this.#changed.add(path);
      inUse.set(topics.details(path), 'details');
    }
    this.#cleaner.clearOthers(inUse);
    this.#later(true);
  }

  #later(listChanged: boolean): void {
    this.#listChanged ||= listChanged;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#timer.set(WAIT_MS + WAIT_PER_PLUG_MS * [...this.#options.bridge.plugs()].length);
  }

  #publish(): void {
    this.#waiting = false;
    if (this.#listChanged) this.#publishList();
    this.#listChanged = false;
    this.#publishDetails();
  }

  #publishList(): void {
    const { bridge, session, topics } = this.#options;
    const payload = JSON.stringify([...bridge.plugs()].map((plug) => listed(plug, bridge)));
    if (payload === this.#last) return;
    this.#last = payload;
    session.publish({ topic: topics.bridgePlugs, payload, retain: true, qos: 0 });
  }

  #publishDetails(): void {
    const { bridge, session, topics, clock } = this.#options;
    let published = 0;
    for (const path of this.#changed) {
      if (session.congested) {
        session.whenFree(() => this.#publishDetails());
        return;
      }
      if (published++ >= AT_A_TIME) {
        clock.soon(() => this.#publishDetails());
        return;
      }
      this.#changed.delete(path);
      const plug = bridge.plug(path);
      if (plug === undefined) continue;
      const topic = topics.details(path);
      this.#cleaner.used('details', topic);
      session.publish({ topic, payload: JSON.stringify(details(plug, bridge)), retain: true, qos: 0 });
    }
  }
}

function isNews(before: PlugState, after: PlugState): boolean {
  return (
    before.availability !== after.availability ||
    before.problem !== after.problem ||
    before.info !== after.info ||
    before.cloud !== after.cloud ||
    before.clock !== after.clock
  );
}

function isDetail(before: PlugState, after: PlugState): boolean {
  return (
    before.changedBy !== after.changedBy ||
    before.onSince !== after.onSince ||
    before.lamp !== after.lamp ||
    before.energyYesterday !== after.energyYesterday ||
    before.energyLastMonth !== after.energyLastMonth
  );
}

function described({ path, availability, problem, info, cloud, clock }: PlugState, bridge: BridgeView) {
  const address = bridge.address(path);
  return {
    path,
    availability,
    problem,
    model: info?.model ?? null,
    hardware: info?.hardware ?? null,
    firmware: info?.firmware ?? null,
    alias: info?.alias ?? null,
    mac: info?.mac ?? null,
    address: address === undefined ? null : `${address.host}:${address.port}`,
    cloud,
    clock,
    warning: warningFor(info?.hardware ?? null),
  };
}

function listed(plug: PlugState, bridge: BridgeView) {
  return { ...described(plug, bridge), rssi: plug.rssi };
}

function details(plug: PlugState, bridge: BridgeView) {
  return {
    ...described(plug, bridge),
    locked: bridge.isLocked(plug.path),
    changed_by: plug.changedBy,
    on_since: isoTime(plug.onSince),
    lamp_check: plug.lamp,
    energy_yesterday: plug.energyYesterday,
    energy_last_month: plug.energyLastMonth,
    // While it answers this would change with each poll, and be a row in Home Assistant's recorder each time.
    last_seen: plug.availability === 'online' ? null : isoTime(plug.lastSeen),
  };
}

/** Hardware 4.x of the HS100 and HS110 has got firmware 1.1.0, which closed port 9999 overnight. */
function warningFor(hardware: string | null): string | null {
  if (hardware === null || !hardware.startsWith('4.')) return null;
  return 'an update of the firmware (1.1.0) closes port 9999 on this hardware: do not accept updates';
}
