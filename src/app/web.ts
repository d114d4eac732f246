import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Requests } from '../api/requests.ts';
import type { Names } from '../bridge/names.ts';
import type { BridgeView } from '../bridge/view.ts';
import { isLoopback } from '../config/check.ts';
import type { Config } from '../config/schema.ts';
import { DEFAULT_PAGE_ADDRESS } from '../config/schema-web.ts';
import type { Task } from '../runtime/supervisor.ts';
import type { History } from '../store/history.ts';
import type { JournalWriter } from '../store/journal-writer.ts';
import type { Store } from '../store/store.ts';
import { Web } from '../web/web.ts';
import type { Surroundings } from './surroundings.ts';

/** What the page shows and changes. */
interface WebParts {
  readonly bridge: BridgeView;
  readonly names: Names;
  readonly requests: Requests;
  readonly store: Store;
  readonly history: History;
  readonly journal: JournalWriter;
  readonly timeZone: string;
}

/** What serves the page, unless it is switched off. */
export function webFor(
  config: Config,
  { bridge, names, requests, store, history, journal, timeZone }: WebParts,
  { clock, log, version, readFile }: Surroundings,
): Task[] {
  const { listen = DEFAULT_PAGE_ADDRESS, hosts = [], tls, trustProxy, ...web } = config.web;
  if (listen === 'off') return [];
  return [
    new Web({
      ...listen,
      isConfigured: config.web.listen !== undefined,
      hosts: new Set(hosts.map((name) => name.toLowerCase())),
      tls: tlsOf(tls, readFile),
      trustProxy: trustProxy ?? [],
      isFramed: web.ingress !== 'off',
      // A proxy, or a name of its own, is there to be asked from elsewhere.
      isLocal: isLoopback(listen.host) && trustProxy === undefined && hosts.length === 0,
      visitors: web.visitors,
      ingress: web.ingress,
      adminPassword: web.admin.password,
      pageFolder: pageFolder(),
      database: store.database,
      history,
      journal,
      bridge,
      names,
      requests,
      timeZone,
      base: config.mqtt.baseTopic,
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

/** Certificate and key, if the page is to be served over TLS. */
function tlsOf({ cert, key }: Config['web']['tls'], readFile: Surroundings['readFile']) {
  return cert === undefined || key === undefined ? undefined : { cert: readFile(cert), key: readFile(key) };
}
