import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Config } from '../config/schema.ts';
import { DEFAULT_PAGE_ADDRESS } from '../config/schema-web.ts';
import type { Task } from '../runtime/supervisor.ts';
import { Web } from '../web/web.ts';
import type { Surroundings } from './surroundings.ts';

/** What serves the page, unless it is switched off. */
export function webFor(
  config: Config,
  { bridge, timeZone }: { readonly bridge: BridgeView; readonly timeZone: string },
  { clock, log, version }: Surroundings,
): Task[] {
  const { listen = DEFAULT_PAGE_ADDRESS, hosts = [] } = config.web;
  if (listen === 'off') return [];
  const base = config.mqtt.baseTopic;
  return [
    new Web({
      ...listen,
      isConfigured: config.web.listen !== undefined,
      hosts: new Set(hosts.map((name) => name.toLowerCase())),
      pageFolder: pageFolder(),
      bridge,
      names: namesOf(config),
      site: { name: titled(base), timeZone, currency: null, base },
      version,
      clock,
      log,
    }),
  ];
}

/** Where the build puts the page: beside the compiled program, or for its sources in the folder of that. */
function pageFolder(): string {
  const [beside, built] = ['../page', '../../dist/page'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return beside !== undefined && existsSync(beside) ? beside : (built ?? '');
}

/** What people call plugs and places: as configured, else as in the Kasa app, else after the path. */
function namesOf({ plugs }: Config) {
  const configured = new Map(plugs.map(({ path, name }) => [path, name]));
  return {
    plug: ({ path, info }: PlugState) => configured.get(path) ?? (info?.alias || titled(path)),
    place: titled,
  };
}

/** `east-wing/hall-2` becomes `Hall 2`. */
function titled(path: string): string {
  const words = (path.split('/').at(-1) ?? '').replaceAll(/[-_]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
