import type { Command } from 'commander';
import { stringify } from 'yaml';
import { LiveConfig } from '../config/live-config.ts';
import { SimulatedMuseum, WORKBENCH, workbench } from '../simulator/museum.ts';
import { examples, wholeNumber } from './arguments.ts';
import { runApp } from './run.ts';
import type { Shell } from './shell.ts';

interface DemoOptions {
  readonly count: number;
  readonly port: number;
  readonly pagePort: number;
}

/** Adds `demo`: the bridge without any hardware. */
export function addDemoVerb(program: Command, shell: Shell): void {
  program
    .command('demo')
    .description('run the bridge with an embedded broker and a simulated museum; no hardware needed')
    .option('--count <n>', 'plugs in the museum', wholeNumber(1, 10_000), 8)
    .option('--port <port>', 'port of the broker', wholeNumber(1, 65_535), 1883)
    .option('--page-port <port>', 'port of the page', wholeNumber(1, 65_535), 8110)
    .addHelpText('after', examples('hs110-mqtt demo', 'hs110-mqtt demo --count 60 --port 1884'))
    .action((options: DemoOptions) => demo(shell, options));
}

/** Runs the bridge with an embedded broker and a simulated museum, and says what to try. */
async function demo(shell: Shell, { count, port, pagePort }: DemoOptions): Promise<void> {
  const { clock, random, readFile } = shell;
  const museum = new SimulatedMuseum({ count, host: '127.0.0.1', port: 0, clock, random });
  const strip = workbench({ host: '127.0.0.1', clock, random });
  await museum.start();
  await strip.start();
  try {
    const text = stringify({
      broker: { listen: `127.0.0.1:${port}` },
      web: { listen: `127.0.0.1:${pagePort}` },
      poll: { interval: '1s' },
      log: { level: 'warn' },
      dataDir: 'off',
      plugs: [
        ...museum.exhibits.map(({ path, server }) => ({ path, host: `${server.host}:${server.port}` })),
        {
          path: 'workbench',
          host: `${strip.host}:${strip.port}`,
          outlets: WORKBENCH.map(([name]) => name),
        },
      ],
    });
    // What is configured for a bridge of one's own is not for the demo.
    const live = LiveConfig.of({ file: { name: 'demo', text }, env: {}, flags: new Map(), readFile });
    const { baseTopic } = live.config.mqtt;
    const paths = museum.exhibits.map(({ path }) => `${baseTopic}/${path}`);
    await runApp(shell, live, [], () => introduce(shell, baseTopic, paths, { port, pagePort }));
  } finally {
    await Promise.all([museum.stop(), strip.stop()]);
  }
}

function introduce(
  { print }: Shell,
  base: string,
  paths: readonly string[],
  { port, pagePort }: Pick<DemoOptions, 'port' | 'pagePort'>,
): void {
  print(`Open http://127.0.0.1:${pagePort}/ in a browser.`);
  print('');
  const at = port === 1883 ? '' : ` -p ${port}`;
  print(
    `A museum of ${paths.length} simulated plugs and a strip, bridged to a broker at mqtt://127.0.0.1:${port}`,
  );
  print('');
  for (const path of paths.slice(0, 12)) print(`  ${path}`);
  if (paths.length > 12) print(`  … and ${paths.length - 12} more`);
  print(`  ${base}/workbench/lamp, and five more outlets of a strip`);
  print('');
  print('Try in another terminal:');
  print(`  npx mqtt sub${at} -v -t '${base}/#'`);
  print(`  npx mqtt pub${at} -t ${paths[2] ?? paths[0]}/set -m ON`);
  print(`  npx mqtt pub${at} -t ${base}/set -m OFF`);
  print('');
  print('Ctrl-C ends it.');
}
