import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { CommandError } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { backUp } from '../store/backup.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';

/** Adds `backup`: a copy of what survives a restart. */
export function addBackupVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('backup')
    .argument('<file>', 'where the copy goes; a file that exists is not overwritten')
    .description(
      'copy the database in dataDir, also while the bridge runs; takes the same options as the bridge',
    )
    .option('--json', 'print file and size as JSON')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt backup museum.db --config museum.yaml',
        'hs110-mqtt backup /mnt/backup/museum.db --data-dir /var/lib/hs110-mqtt --json',
      ),
    )
    .action((file: string, { json }: { json?: true }) => backup(shell, flags, file, json ?? false));
}

function backup(shell: Shell, flags: Flags, file: string, json: boolean): void {
  const { dataDir } = loadConfig(sourcesOf(shell, flags()));
  if (dataDir === 'off')
    throw new CommandError('no-database', 'dataDir is off: there is no database to copy');
  const bytes = backUp(dataDir, file);
  shell.print(json ? printableJson({ file, bytes }) : printable(`${file}: ${bytes} bytes`));
}
