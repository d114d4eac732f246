import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { CommandError } from '../errors.ts';
import { localTime } from '../protocol/time-zones.ts';
import { type Day, dayOf, parseDay } from '../rules/calendar.ts';
import { type Database, openExisting } from '../store/database.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';

/** What the bridge has written down, and the zone of its site. */
export interface Records {
  readonly config: Config;
  readonly database: Database;
  readonly timeZone: string;
  /** The day it is at the site. */
  readonly today: Day;
}

/** Opens the database beside a bridge that may run, for `read`, and closes it. Throws CommandError if there is none. */
export async function withRecords(
  shell: Shell,
  flags: Flags,
  read: (records: Records) => void | Promise<void>,
): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  if (config.dataDir === 'off')
    throw new CommandError('no-database', 'dataDir is off: nothing is written down');
  const database = openExisting(config.dataDir);
  const timeZone = config.clock.timeZone ?? shell.timeZone;
  try {
    await read({ config, database, timeZone, today: dayOf(localTime(timeZone, shell.clock.date())) });
  } finally {
    database.close();
  }
}

/** The day that is written as `2026-01-05`. Throws CommandError if it is none. */
export function dayNamed(text: string): Day {
  const day = parseDay(text);
  if (day === undefined)
    throw new CommandError('bad-day', `${JSON.stringify(text)} is no day: write it as 2026-01-05`);
  return day;
}
