import { type Command, Option } from 'commander';
import { printable, printableJson } from '../printable.ts';
import { isObject } from '../protocol/json.ts';
import { localIso } from '../rules/written-time.ts';
import { sleep } from '../runtime/clock.ts';
import { JOURNAL_KINDS, type JournalEntry, type JournalKind, readJournal } from '../store/journal.ts';
import { examples, wholeNumber } from './arguments.ts';
import type { Flags } from './flags.ts';
import { type Records, withRecords } from './records.ts';
import type { Shell } from './shell.ts';

interface JournalOptions {
  readonly path: string;
  readonly kind?: JournalKind;
  readonly user?: string;
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

/** How often it is looked whether there is more. */
const FOLLOW_MS = 1000;
/** What may come between two looks. */
const MOST_AT_A_TIME = 10_000;

/** Adds `journal`: what happened, and who it was. */
export function addJournalVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('journal')
    .description('show what happened: relays that changed, receipts, and who it was')
    .option('--path <path>', 'a plug, or a place with everything in it; left out: the whole site', '')
    .addOption(new Option('--kind <kind>', 'only entries of that kind').choices(JOURNAL_KINDS))
    .option('--user <name>', 'only what that user did')
    .option('--limit <n>', 'the last so many entries', wholeNumber(1, 100_000), 50)
    .option('--follow', 'go on with what happens')
    .option('--json', 'print one JSON object a line, for scripts')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt journal --follow --config museum.yaml',
        'hs110-mqtt journal --path east-wing --kind receipt --limit 500 --json',
      ),
    )
    .action((options: JournalOptions) =>
      withRecords(shell, flags, (records) => show(shell, records, options)),
    );
}

/** Prints the last entries, oldest first, and with `--follow` those that come. */
async function show(shell: Shell, { database, timeZone }: Records, options: JournalOptions): Promise<void> {
  const { path, kind, user, limit, follow, json } = options;
  const print = (entries: readonly JournalEntry[]) => {
    for (const entry of entries.toReversed())
      shell.print(
        json ? printableJson({ ...entry, at: localIso(entry.at, timeZone) }) : lineOf(entry, timeZone),
      );
  };
  const entries = readJournal(database, { path, kind, user, limit });
  print(entries);
  let last = entries[0]?.id ?? readJournal(database, { limit: 1 })[0]?.id ?? 0;
  while (follow && !shell.signal.aborted) {
    await sleep(shell.clock, FOLLOW_MS, shell.signal);
    const more = readJournal(database, { path, kind, user, after: last, limit: MOST_AT_A_TIME });
    print(more);
    last = more[0]?.id ?? last;
  }
}

function lineOf(
  { at, path, what, origin, user, kind, outcome, ms, detail }: JournalEntry,
  zone: string,
): string {
  const who = user ?? origin;
  const missing = isObject(detail) && Array.isArray(detail.missing) ? detail.missing.filter(isObject) : [];
  const parts = [
    localIso(at, zone),
    path === '' ? '(site)' : path,
    ...(kind === 'relay' || kind === 'receipt' ? [] : [kind]),
    ...(what === null ? [] : [what]),
    ...(outcome === null ? [] : [`${outcome}${ms === null ? '' : ` in ${ms} ms`}`]),
    ...(who === null ? [] : [`by ${who}`]),
    ...(missing.length === 0 ? [] : [`missing: ${missing.map((one) => String(one.path)).join(', ')}`]),
  ];
  return printable(parts.join('  '));
}
