import { existsSync, readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Receipt, unattempted } from '../bridge/command.ts';
import type { StoredOutlet } from '../bridge/memory.ts';
import { messageOf } from '../errors.ts';
import { isObject, type JsonObject, numberAt, objectsAt, textAt } from '../protocol/json.ts';
import type { Moment } from '../runtime/clock.ts';
import { readCommand } from './rows.ts';
import type { Store } from './store.ts';

/** What version 0.1 kept in its state file. */
interface StateFile {
  /** By path: it did not know which plug it was. */
  readonly outlets: ReadonlyMap<string, StoredOutlet>;
  /** Receipts of the commands that were open: it is not known any more which plugs they were for. */
  readonly receipts: readonly Receipt[];
}

const TAKEN_OVER = 'state file';

/** Takes over the state file of version 0.1, once: the first of `paths` that is there. The file itself is left as it is. */
export function takeOverStateFile(store: Store, paths: readonly string[], log: Logger): void {
  const path = paths.find(existsSync);
  if (path === undefined || store.fact(TAKEN_OVER) !== undefined) return;
  try {
    const { outlets, receipts } = readStateFile(readFileSync(path, 'utf8'));
    for (const [plug, outlet] of outlets) store.keepOutlet(`path:${plug}`, outlet);
    store.keepFact(TAKEN_OVER, path);
    // With all that waits to be kept: no receipt is sent twice if the program is killed meanwhile.
    store.transaction(() => {
      for (const receipt of receipts) end(store, receipt);
    });
    log.info({ path, plugs: outlets.size }, 'the old state file was taken over; it is no longer used');
  } catch (error) {
    log.error(
      { path, reason: messageOf(error) },
      'the old state file cannot be read; the bridge begins without it',
    );
    store.keepFact(TAKEN_OVER, path);
  }
}

function end(store: Store, receipt: Receipt): void {
  const { target, id, relay, led, replyTo } = receipt;
  const command = { id, relay, led, replyTo, origin: 'mqtt', user: null } as const;
  store.take({ id: store.nextId(), target, command, until: ofAnEarlierBoot(0), parts: [], receipt });
}

/** Reads the text of a state file. Throws an Error if it is none. */
export function readStateFile(text: string): StateFile {
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || value.version !== 1 || !isObject(value.plugs))
    throw new Error('it is no state file');
  const plugs = Object.entries(value.plugs).map(([path, plug]) => [path, readOutlet(plug)] as const);
  return {
    outlets: new Map(plugs),
    receipts: objectsAt(value, 'commands').flatMap(readReceipt),
  };
}

function readOutlet(plug: unknown): StoredOutlet {
  const { relay, revert } = isObject(plug) ? plug : {};
  const at = isObject(revert) ? numberAt(revert, 'at') : undefined;
  const timer =
    at === undefined || !isObject(revert)
      ? null
      : { relay: revert.relay === true, at: ofAnEarlierBoot(at), armed: revert.armed === true };
  return { relay: typeof relay === 'boolean' ? relay : null, timer, disarm: false };
}

function readReceipt(open: JsonObject): Receipt[] {
  const target = textAt(open, 'target');
  if (target === undefined || !isObject(open.command)) return [];
  return [
    unattempted(
      target,
      readCommand(open.command),
      'failed',
      'the bridge was updated before it was carried out',
    ),
  ];
}

/** The file holds times of the wall clock only. */
function ofAnEarlierBoot(date: number): Moment {
  return { boot: '', at: 0, date };
}
