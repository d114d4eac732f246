import type { Observation } from '../plug/plug-client.ts';
import type { Settings } from '../protocol/requests.ts';
import type { Settlement } from './command.ts';
import type { Origin } from './model.ts';

/** One plug's part of a command, until it is settled. Times are those of `clock.now()`. */
export interface Order {
  /** A toggle is decided at the first attempt, by what the plug says then. */
  relay: 'on' | 'off' | 'toggle' | undefined;
  readonly led: boolean | undefined;
  /** The relay is switched back after this time; 0 leaves it. */
  readonly forMs: number;
  readonly origin: Origin;
  /** When to give up. */
  readonly until: number;
  /** Give up after the first attempt that fails. */
  readonly once: boolean;
  /** Not to be tried before this time; infinite while it is held back. */
  notBefore: number;
  /** How often the plug accepted it, yet did not report it. */
  lags: number;
  /** What the plug did instead, when it last accepted it. */
  instead?: string;
  /** Called after each attempt. */
  readonly tried?: () => void;
  readonly settle: (settlement: Settlement) => void;
}

/** How often a plug may report something else before a command that is tried once counts as failed. */
const LAGS_FORGIVEN = 3;

const SUPERSEDED: Settlement = { outcome: 'superseded', reason: 'a later command took over' };

/** The orders of one plug that are still wanted, oldest first; no two of them concern the same thing for long. */
export class OrderBook {
  #orders: Order[] = [];
  /** The order whose exchange is in flight: it ends by its own outcome. */
  current: Order | undefined;

  /** Takes an order; it supersedes those not in flight that it overlaps with. */
  add(order: Order): void {
    for (const other of this.#orders.filter((wanted) => wanted !== this.current && overlap(wanted, order))) {
      this.settle(other, SUPERSEDED);
    }
    this.#orders.push(order);
  }

  has(order: Order): boolean {
    return this.#orders.includes(order);
  }

  /** Whether any order is about the relay. */
  get concernsRelay(): boolean {
    return this.#orders.some(({ relay }) => relay !== undefined);
  }

  /** The oldest order that may be tried now. */
  ready(now: number): Order | undefined {
    return this.#orders.find(({ notBefore }) => notBefore <= now);
  }

  /** When the next order may be tried. */
  get nextAt(): number {
    return Math.min(...this.#orders.map(({ notBefore }) => notBefore));
  }

  /** When the next order that waits has outlived its time; one in flight ends by itself. */
  get expiresAt(): number {
    return Math.min(...this.#waiting.map(({ until }) => until));
  }

  /** Settles what has outlived its time; `reason` is why the plug could not be reached. */
  expire(now: number, reason: string): void {
    for (const order of this.#waiting.filter(({ until }) => until <= now)) {
      this.settle(order, order.lags > 0 ? lagging(order) : { outcome: 'expired', reason });
    }
  }

  /** The plug answers again: whoever waited for that need not wait any longer. */
  hurry(): void {
    for (const order of this.#orders) {
      if (order.lags === 0 && order.notBefore < Number.POSITIVE_INFINITY) order.notBefore = 0;
    }
  }

  /** The plug accepted the order but reports something else, or nothing: it is tried again at `retryAt`. */
  lagged(order: Order, seen: Observation, retryAt: number): void {
    order.lags++;
    order.instead = insteadOf(order, seen);
    order.notBefore = retryAt;
    if (order.once && order.lags > LAGS_FORGIVEN) this.settle(order, lagging(order));
  }

  /** The order could not be delivered: it is tried again at `retryAt`, unless it is too late for that. */
  undelivered(order: Order, reason: string, retryAt: number): void {
    if (this.#orders.some((later) => later !== order && overlap(later, order)))
      this.settle(order, SUPERSEDED);
    else if (order.once) this.settle(order, { outcome: 'failed', reason });
    else order.notBefore = retryAt;
  }

  /** Fails all orders, but for the one in flight if `spareCurrent`. */
  failAll(reason: string, spareCurrent: boolean): void {
    for (const order of this.#orders.filter((wanted) => !spareCurrent || wanted !== this.current)) {
      this.settle(order, { outcome: 'failed', reason });
    }
  }

  get #waiting(): Order[] {
    return this.#orders.filter((order) => order !== this.current);
  }

  settle(order: Order, settlement: Settlement): void {
    const at = this.#orders.indexOf(order);
    if (at < 0) return;
    this.#orders.splice(at, 1);
    order.settle(settlement);
  }
}

/** Whether the plug now reports what was set. */
export function follows({ sysinfo }: Observation, { relay, led }: Settings): boolean {
  return (relay === undefined || sysinfo.relay === relay) && (led === undefined || sysinfo.led === led);
}

function overlap(one: Order, other: Order): boolean {
  return (
    (one.relay !== undefined && other.relay !== undefined) ||
    (one.led !== undefined && other.led !== undefined)
  );
}

function lagging({ lags, instead = 'does not report it' }: Order): Settlement {
  return { outcome: 'failed', reason: `the plug accepted the command ${lags} times but ${instead}` };
}

function insteadOf({ relay, led }: Order, { sysinfo }: Observation): string {
  const wanted = relay === 'on';
  if (relay !== undefined && sysinfo.relay === undefined) return 'does not report its relay';
  if (relay !== undefined && sysinfo.relay !== wanted) return `still reports ${wanted ? 'OFF' : 'ON'}`;
  return led !== undefined && sysinfo.led === undefined
    ? 'does not report its LED'
    : 'still reports its old LED setting';
}
