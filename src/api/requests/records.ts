import type { Asker } from '../../bridge/command.ts';
import type { BridgeView } from '../../bridge/view.ts';
import { CommandError } from '../../errors.ts';
import { integerAt, type JsonObject, numberAt, textAt } from '../../protocol/json.ts';
import { type Handler, MAX_ECHO_LENGTH, notUnderstood, type Permission } from './request.ts';

/** Which entries of the journal are asked for: those of a plug or a place, newest first. */
export interface JournalRequest {
  readonly path: string | undefined;
  readonly kind: string | undefined;
  readonly user: string | undefined;
  /** Only entries older than that of this number. */
  readonly before: number | undefined;
  readonly limit: number;
}

/** What the requests about what is recorded work with. */
export interface RecordsOptions {
  readonly bridge: BridgeView;
  readonly permission: Permission;
  /** Reads entries of the journal as they are told to clients. */
  readonly journal: (request: JournalRequest) => readonly JsonObject[];
  /** A counter was set: it belongs into the journal. */
  readonly energySet: (path: string, kwh: number, asker: Asker) => void;
}

const DEFAULT_ENTRIES = 50;
const MOST_ENTRIES = 500;

/** kWh; more no plug counts in its life. */
const MOST_KWH = 10_000_000;

/** `journal`, `energy/set` and `lamp/learn`. */
export function recordRequests({
  bridge,
  permission,
  journal,
  energySet,
}: RecordsOptions): [string, Handler][] {
  const readEntries: Handler = (request) => ({
    entries: journal({
      path: textAt(request, 'plug') ?? textAt(request, 'place'),
      kind: textAt(request, 'kind'),
      user: textAt(request, 'user'),
      before: integerAt(request, 'before', 1, Number.MAX_SAFE_INTEGER),
      limit: integerAt(request, 'limit', 1, MOST_ENTRIES) ?? DEFAULT_ENTRIES,
    }),
  });
  const setEnergy: Handler = (request, asker) => {
    permission.demand('energy/set', asker);
    const [path, kwh] = [textAt(request, 'plug'), numberAt(request, 'energy')];
    if (path === undefined || kwh === undefined || kwh < 0 || kwh > MOST_KWH)
      throw notUnderstood(`send {"plug":"shed3","energy":1234.5}, kWh from 0 to ${MOST_KWH}`);
    if (!bridge.setEnergy(path, kwh))
      throw new CommandError(
        'not-found',
        `the meter of ${path.slice(0, MAX_ECHO_LENGTH)} has not been read yet`,
      );
    energySet(path, kwh, asker);
    return { energy: kwh };
  };
  const learn: Handler = (request, asker) => {
    permission.demand('lamp/learn', asker);
    const path = textAt(request, 'plug') ?? textAt(request, 'place');
    if (path === undefined) throw notUnderstood('send {"plug":"shed3"} or {"place":"east-wing"}');
    const plugs = bridge.relearnLamps(path);
    if (plugs.length > 0) return { plugs };
    throw new CommandError(
      'not-found',
      `no lamp of ${path.slice(0, MAX_ECHO_LENGTH)} is learnt; write "lamp: { watts: learn }" into the configuration`,
    );
  };
  return [
    ['journal', readEntries],
    ['energy/set', setEnergy],
    ['lamp/learn', learn],
  ];
}
