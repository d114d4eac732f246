import { type Command, Option } from 'commander';
import { printable, printableJson } from '../printable.ts';
import { addDays } from '../rules/calendar.ts';
import { csv } from '../runtime/csv.ts';
import { type EnergyRow, readEnergy } from '../store/energy-report.ts';
import { examples } from './arguments.ts';
import type { Flags } from './flags.ts';
import { dayNamed, withRecords } from './records.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';

interface EnergyOptions {
  readonly place: string;
  readonly from?: string;
  readonly to?: string;
  readonly by: 'day' | 'month' | 'all';
  readonly csv?: true;
  readonly json?: true;
}

/** Days that are reported unless it is said otherwise. */
const DAYS = 30;

/** Adds `energy`: what plugs and places used, and what it cost. */
export function addEnergyVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('energy')
    .description('report the energy that plugs and places used, from what the bridge has counted')
    .option('--place <path>', 'a place, or a plug; left out: the whole site', '')
    .option('--from <day>', 'the first day, such as 2026-01-05; left out: 30 days ago')
    .option('--to <day>', 'the last day; left out: today')
    .addOption(
      new Option('--by <period>', 'one row for each').choices(['day', 'month', 'all']).default('all'),
    )
    .option('--csv', 'print CSV, for a spreadsheet')
    .option('--json', 'print JSON, for scripts')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt energy --by month --from 2026-01-01 --config museum.yaml',
        'hs110-mqtt energy --place east-wing --by day --csv > east-wing.csv',
      ),
    )
    .action((options: EnergyOptions) => energy(shell, flags, options));
}

function energy(shell: Shell, flags: Flags, options: EnergyOptions): Promise<void> {
  return withRecords(shell, flags, ({ database, today }) => {
    const report = readEnergy(database, {
      path: options.place,
      from: options.from === undefined ? addDays(today, -DAYS) : dayNamed(options.from),
      to: options.to === undefined ? today : dayNamed(options.to),
      by: options.by,
    });
    const { currency, places, plugs } = report;
    if (options.json) {
      shell.print(printableJson({ currency, places, plugs }));
      return;
    }
    const rows = [
      ...places.map((row) => ['place', ...cellsOf(row)]),
      ...plugs.map((row) => ['plug', ...cellsOf(row)]),
    ];
    const head = ['kind', 'period', 'path', 'kWh', currency ?? 'cost'];
    if (options.csv) shell.print(csv(head, rows).trimEnd());
    else if (rows.length === 0) shell.printError('nothing was counted in that time');
    else for (const line of table(head, rows)) shell.print(printable(line));
  });
}

/** The whole site has no path of its own. */
function cellsOf({ period, path, kwh, cost }: EnergyRow): string[] {
  return [period, path === '' ? '(site)' : path, kwh.toFixed(3), cost === null ? '' : cost.toFixed(2)];
}
