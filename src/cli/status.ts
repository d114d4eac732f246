import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { printable, printableJson } from '../printable.ts';
import { textAt } from '../protocol/json.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';
import { demandOnline, type Site, withSite } from './site-reading.ts';
import { PLUG_HEAD, plugRow, summary } from './site-text.ts';
import { table } from './table.ts';

/** Adds `status`: how the bridge and its plugs are. */
export function addStatusVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('status')
    .description('say how the running bridge and its plugs are')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('hs110-mqtt status', 'hs110-mqtt status --config museum.yaml --json'))
    .action((options: { json?: true }) => status(shell, flags, options));
}

/** Prints how bridge and plugs are; rejects if the bridge is not online. */
async function status(shell: Shell, flags: Flags, { json }: { json?: true }): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  await withSite(shell, config, async (site) => {
    if (json) shell.print(printableJson(asJson(site), 2));
    else for (const line of asText(site, shell.clock.date())) shell.print(line);
    demandOnline(site);
  });
}

function asJson({ client, state }: Site): object {
  return {
    broker: client.broker,
    base: client.topics.base,
    bridge: state.bridgeState ?? null,
    info: state.info,
    health: state.health,
    plugs: state.plugs(),
  };
}

function asText({ client, state }: Site, now: number): string[] {
  const { info, health } = state;
  const plugs = state.plugs();
  const version = textAt(info, 'version') ?? '?';
  const uptime = typeof health.uptime_s === 'number' ? `, up ${days(health.uptime_s)} when last heard` : '';
  const database = textAt(health, 'database') ?? 'ok';
  return [
    printable(
      `bridge ${state.bridgeState ?? 'unknown'} at ${client.topics.base}, broker ${client.broker}, version ${version}${uptime}`,
    ),
    ...(database === 'ok' ? [] : [printable(`database: ${database}`)]),
    summary(plugs),
    ...(plugs.length === 0
      ? []
      : [
          '',
          ...table(
            PLUG_HEAD,
            plugs.map((plug) => plugRow(plug, now)),
          ),
        ]),
  ];
}

function days(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  return [d > 0 ? `${d} d` : '', h > 0 ? `${h} h` : '', `${m} min`].filter(Boolean).join(' ');
}
