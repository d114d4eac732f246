import { type PageClock, pause } from '../clock.ts';
import { HttpError } from '../http.ts';
import type { Receipt } from '../wire.ts';
import type { Happening } from './reducer.ts';

/** ON or OFF of a plug or place, as the API takes it. */
export interface CommandBody {
  readonly target: string;
  readonly state: string;
  /** Percent, of a lamp that is switched on. */
  readonly brightness?: number | undefined;
  readonly ttl: string;
  readonly id: string;
}

export interface CommandWay {
  readonly clock: PageClock;
  readonly random: () => number;
  /** Sends a command; rejects with an HttpError. */
  readonly post: (command: CommandBody) => Promise<Receipt | null>;
  readonly tell: (happening: Happening) => void;
}

/** How long the bridge tries a plug that is away, and how long the page tries a bridge that is. */
const TTL_S = 10;
const RETRY_MS = 2000;
/** A browser has six connections to a host; one of them is the stream. */
const AT_A_TIME = 4;

/** Gives a command to a plug (`single`) or a place, and tells what becomes of it. */
export async function give(
  way: CommandWay,
  target: string,
  wanted: 'ON' | 'OFF',
  single: boolean,
  brightness?: number,
): Promise<void> {
  const id = newId(way);
  way.tell({ type: 'asked', ask: { id, target, only: null, wanted, single, receipt: null, failure: null } });
  try {
    const receipt = await send(way, { target, state: wanted, brightness, ttl: `${TTL_S}s`, id });
    // Without one the bridge is still at it, and the receipt comes by the stream.
    if (receipt !== null) way.tell({ type: 'answered', id, receipt });
  } catch (cause) {
    way.tell({ type: 'failed', id, failure: failureOf(cause) });
  }
}

/** Gives a command again to those of a place that did not confirm it: to each by itself, with one receipt for all. */
export async function giveAgain(
  way: CommandWay,
  target: string,
  wanted: 'ON' | 'OFF',
  only: readonly string[],
): Promise<void> {
  const id = newId(way);
  way.tell({ type: 'asked', ask: { id, target, only, wanted, single: false, receipt: null, failure: null } });
  const receipts: Receipt[] = [];
  const waiting = [...only];
  const work = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      receipts.push(await receiptOf(way, path, wanted, newId(way)));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  way.tell({ type: 'answered', id, receipt: merged(id, target, wanted, receipts) });
}

async function receiptOf(way: CommandWay, target: string, wanted: string, id: string): Promise<Receipt> {
  const nothing = { id, target, wanted, confirmed: 0, total: 1, ms: 0 };
  try {
    const receipt = await send(way, { target, state: wanted, ttl: `${TTL_S}s`, id });
    if (receipt !== null) return receipt;
    return { ...nothing, outcome: 'failed', missing: [{ path: target, reason: 'timeout' }] };
  } catch (cause) {
    return { ...nothing, outcome: 'failed', missing: [{ path: target, reason: failureOf(cause) }] };
  }
}

/** One receipt for several plugs; `superseded` of one is no reason to try it again. */
function merged(id: string, target: string, wanted: string, receipts: readonly Receipt[]): Receipt {
  const confirmed = receipts.filter(({ outcome }) => outcome === 'confirmed').length;
  const missing = receipts
    .filter(({ outcome }) => outcome !== 'confirmed')
    .map((receipt) => ({ path: receipt.missing[0]?.path ?? receipt.target, reason: reasonOf(receipt) }));
  const outcome = missing.length === 0 ? 'confirmed' : confirmed === 0 ? 'failed' : 'partial';
  return { id, target, wanted, outcome, confirmed, total: receipts.length, missing, ms: 0 };
}

function reasonOf({ missing, reason }: Receipt): string {
  return missing[0]?.reason ?? reason ?? 'internal';
}

/**
 * ON and OFF are absolute, so it does no harm if one arrives twice; OFF is sent again while the bridge cannot be
 * reached, whether or not the stream of events is alive.
 */
async function send(way: CommandWay, command: CommandBody): Promise<Receipt | null> {
  const until = way.clock.now() + TTL_S * 1000;
  for (;;) {
    try {
      return await way.post(command);
    } catch (cause) {
      const again = failureOf(cause) === 'unreachable' && command.state === 'OFF' && way.clock.now() < until;
      if (!again) throw cause;
      await pause(way.clock, RETRY_MS);
    }
  }
}

/** `unreachable`, or what the bridge said. */
function failureOf(cause: unknown): string {
  if (cause instanceof HttpError) return cause.status === 0 ? 'unreachable' : cause.message;
  return String(cause);
}

function newId({ random }: CommandWay): string {
  return `web-${random().toString(36).slice(2, 12)}`;
}
