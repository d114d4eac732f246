import { buildApp } from '../app/app.ts';
import { LiveConfig } from '../config/live-config.ts';
import { adopts } from '../config/schema.ts';
import { createLog } from '../log.ts';
import { supervise, type Task } from '../runtime/supervisor.ts';
import { type GivenFlags, sourcesOf } from './flags.ts';
import { ServiceManager } from './service-manager.ts';
import type { Shell } from './shell.ts';

/** How long the bridge may take to stop. */
const STOP_MS = 4500;

/** Runs the bridge until the shell's signal aborts. */
export async function run(shell: Shell, given: GivenFlags): Promise<void> {
  // Read anew for each change: it may have been changed by hand meanwhile.
  const live = new LiveConfig({ sources: () => sourcesOf(shell, given), isFile: true });
  await runApp(shell, live, []);
}

/** Runs the bridge so configured, with `before` started ahead of it. */
export async function runApp(
  shell: Shell,
  live: LiveConfig,
  before: readonly Task[],
  onReady?: () => void,
): Promise<void> {
  const { clock, random, version, readFile } = shell;
  const { level, format } = live.config.log;
  const form = format === 'auto' ? (shell.isTerminal ? 'pretty' : 'json') : format;
  const log = await createLog({ level, format: form }, shell.printError);
  for (const warning of live.config.warnings) log.warn(warning);
  const tasks = buildApp(live, { clock, random, log, version, readFile });
  // With what earlier runs changed and could not write into the file.
  const { config } = live;
  if (config.plugs.length === 0) {
    const hint =
      'write "plugs:" with "- path: shed3" and "host: 192.168.1.145" into a file, and give it with --config';
    if (adopts(config)) log.info({ hint }, 'no plug is configured: every plug that is found is taken in');
    else log.warn({ hint }, 'no plug is configured');
  }
  const manager = new ServiceManager({ env: shell.env, clock, log });
  const ready = () => {
    manager.ready();
    log.info({ version, plugs: config.plugs.length, base: config.mqtt.baseTopic }, 'bridge runs');
    onReady?.();
  };
  const stopping = () => {
    manager.stopping();
    log.info('stopping');
  };
  shell.signal.addEventListener('abort', stopping, { once: true });
  await supervise([...before, ...tasks], shell.signal, { clock, log, stopMs: STOP_MS, onReady: ready });
  log.info('bridge stopped');
}
