import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import { textAt } from '../../protocol/json.ts';
import type { Shell } from '../shell.ts';
import { withSite } from '../site-reading.ts';
import type { SiteState } from '../site-state.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** What the bridge has told its broker. */
export interface Told {
  readonly findings: readonly Finding[];
  /** `undefined` if the broker could not be asked. */
  readonly state: SiteState | undefined;
}

/** Looks at what the bridge says of itself. */
export async function examineBridge(shell: Shell, config: Config): Promise<Told> {
  try {
    return await withSite(shell, config, async ({ state }) => ({ state, findings: about(state, shell) }));
  } catch (error) {
    if (shell.signal.aborted) throw error;
    return { state: undefined, findings: [note('bridge', `cannot be asked: ${messageOf(error)}`)] };
  }
}

function about(state: SiteState, { version }: Shell): Finding[] {
  if (state.bridgeState === undefined)
    return [note('bridge', 'there is none at this broker and base topic yet')];
  if (state.bridgeState !== 'online')
    return [
      problem('bridge', 'is offline', 'start it; its log says why it ended (journalctl -u hs110-mqtt)'),
    ];
  const runs = textAt(state.info, 'version') ?? 'unknown';
  const database = textAt(state.health, 'database') ?? 'ok';
  return [
    ok('bridge', `is online, version ${runs}`),
    ...(runs === version
      ? []
      : [
          note(
            'bridge',
            `this program is version ${version}, the bridge that runs ${runs}`,
            'restart the bridge',
          ),
        ]),
    ...(database === 'ok'
      ? []
      : [
          problem(
            'bridge',
            `its database: ${database}`,
            'is the disk full, or the folder dataDir not its own?',
          ),
        ]),
  ];
}
