import { stringify } from 'yaml';
import { loadConfig } from '../config/load.ts';
import { SimulatedMuseum } from '../simulator/museum.ts';
import { runApp, sourcesOf } from './run.ts';
import type { Shell } from './shell.ts';

export interface DemoOptions {
  readonly count: number;
  readonly port: number;
}

/** Runs the bridge with an embedded broker and a simulated museum, and says what to try. */
export async function demo(shell: Shell, { count, port }: DemoOptions): Promise<void> {
  const { clock, random } = shell;
  const museum = new SimulatedMuseum({ count, host: '127.0.0.1', port: 0, clock, random });
  await museum.start();
  try {
    const text = stringify({
      broker: { listen: `127.0.0.1:${port}` },
      poll: { interval: '1s' },
      log: { level: 'warn' },
      dataDir: 'off',
      plugs: museum.exhibits.map(({ path, server }) => ({ path, host: `${server.host}:${server.port}` })),
    });
    const config = loadConfig({ ...sourcesOf(shell, new Map()), file: { name: 'demo', text } });
    const { baseTopic } = config.mqtt;
    const paths = museum.exhibits.map(({ path }) => `${baseTopic}/${path}`);
    await runApp(shell, config, [], () => introduce(shell, baseTopic, paths, port));
  } finally {
    await museum.stop();
  }
}

function introduce({ print }: Shell, base: string, paths: readonly string[], port: number): void {
  const at = port === 1883 ? '' : ` -p ${port}`;
  print(`A museum of ${paths.length} simulated plugs, bridged to a broker at mqtt://127.0.0.1:${port}`);
  print('');
  for (const path of paths.slice(0, 12)) print(`  ${path}`);
  if (paths.length > 12) print(`  … and ${paths.length - 12} more`);
  print('');
  print('Try in another terminal:');
  print(`  npx mqtt sub${at} -v -t '${base}/#'`);
  print(`  npx mqtt pub${at} -t ${paths[2] ?? paths[0]}/set -m ON`);
  print(`  npx mqtt pub${at} -t ${base}/set -m OFF`);
  print('');
  print('Ctrl-C ends it.');
}
