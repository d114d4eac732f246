import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { CommandError } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { localTime } from '../protocol/time-zones.ts';
import { sleep } from '../runtime/clock.ts';
import { aborted } from '../runtime/supervisor.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';
import { type Site, withSite } from './site-reading.ts';
import { isWithin, type PlugView } from './site-state.ts';
import { PLUG_HEAD, plugRow, summary } from './site-text.ts';
import { table } from './table.ts';

/** A table is drawn anew this often: the times in it pass even if nothing changes. */
const DRAW_MS = 500;

/** What a terminal is told: the other screen and no cursor, and back; from the upper left corner, and away with the rest. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Adds `watch`: all plugs as they change. */
export function addWatchVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('watch')
    .argument('[place]', 'only the plugs of a place, or one plug', '')
    .description('show all plugs of the running bridge as they change; Ctrl-C ends it')
    .option('--json', 'print each change as a line of JSON')
    .addHelpText(
      'after',
      examples('hs110-mqtt watch', 'hs110-mqtt watch east-wing', 'hs110-mqtt watch --json > changes.jsonl'),
    )
    .action((place: string, options: { json?: true }) => watchSite(shell, flags, place, options));
}

async function watchSite(
  shell: Shell,
  flags: Flags,
  place: string,
  { json }: { json?: true },
): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  const isTable = shell.screen !== undefined && !json;
  const changes = new Changes(shell, place, json === true);
  let begun = false;
  await withSite(
    shell,
    config,
    async (site) => {
      const plugs = site.state.plugs(place);
      if (site.state.paths !== undefined && plugs.length === 0 && place !== '')
        throw new CommandError('not-found', `the bridge has no plug or place ${printable(place)}`);
      if (isTable) await draw(shell, site, place);
      else {
        for (const plug of plugs) changes.take(plug);
        begun = true;
        await untilOver(shell, site);
      }
    },
    (topic, state) => {
      const plug = begun ? state.plugOf(topic) : undefined;
      if (plug !== undefined) changes.take(plug);
    },
  );
}

/** Resolves when the program is interrupted, rejects when the connection to the broker is lost. */
async function untilOver(shell: Shell, { client }: Site): Promise<void> {
  const over = aborted(shell.signal);
  await Promise.race([over, client.lost]);
}

/** Draws the table on a screen of its own until the program is interrupted. */
async function draw(shell: Shell, site: Site, place: string): Promise<void> {
  const encoder = new TextEncoder();
  const show = (text: string) => shell.write(encoder.encode(text));
  show(ENTER);
  try {
    const over = untilOver(shell, site);
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    over.then(end, end);
    while (!isOver) {
      show(
        HOME +
          page(shell, site, place)
            .map((line) => `${line}${CLEAR_LINE}\n`)
            .join('') +
          CLEAR_BELOW,
      );
      await Promise.race([sleep(shell.clock, DRAW_MS, shell.signal), over.catch(() => {})]);
    }
    await over;
  } finally {
    show(LEAVE);
  }
}

/** What fits the screen: a line about the bridge, and as many plugs as there is room for. */
function page(shell: Shell, { client, state }: Site, place: string): string[] {
  const { columns, rows } = shell.screen ?? { columns: 80, rows: 24 };
  const plugs = state.plugs(place);
  const lines = table(
    PLUG_HEAD,
    plugs.map((plug) => plugRow(plug, shell.clock.date())),
  );
  // One line is left free, or the terminal would scroll.
  const room = rows - 4;
  const tooMany = lines.length > room;
  const shown = tooMany ? lines.slice(0, room - 1) : lines;
  const more = `… and ${lines.length - shown.length} more: a higher window, or \`watch PLACE\`, shows them`;
  return [
    `${client.topics.base}: bridge ${state.bridgeState ?? 'unknown'}; ${summary(plugs)}`,
    '',
    ...shown,
    ...(tooMany ? [more] : []),
  ].map((line) => cut(printable(line), columns));
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

/** A line for each change of a plug, for pipes and files. */
class Changes {
  readonly #shell: Shell;
  readonly #place: string;
  readonly #json: boolean;
  readonly #last = new Map<string, string>();

  constructor(shell: Shell, place: string, json: boolean) {
    this.#shell = shell;
    this.#place = place;
    this.#json = json;
  }

  /** Prints what is new of a plug. */
  take(plug: PlugView): void {
    const { lastSeen: _, ...said } = plug;
    const text = JSON.stringify(said);
    if (!isWithin(plug.path, this.#place) || this.#last.get(plug.path) === text) return;
    this.#last.set(plug.path, text);
    this.#print(plug);
  }

  #print(plug: PlugView): void {
    const { clock, print, timeZone } = this.#shell;
    if (this.#json) {
      print(printableJson({ time: new Date(clock.date()).toISOString(), ...plug }));
      return;
    }
    const { hour, minute, second } = localTime(timeZone, clock.date());
    const time = [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':');
    const [path = '', state = '', power = '', , , , , note = ''] = plugRow(plug, clock.date());
    print(printable([time, path, state, power, note].filter(Boolean).join('  ')));
  }
}
