import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../support/free-port.ts';
import { ENV, missingProgram, noPrometheus } from '../support/other-program.ts';
import { Site } from '../support/site.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const noVictoria = missingProgram('victoria-metrics', 'Debian has a package of that name', '-version');

describe.skipIf(noPrometheus !== undefined)('the example for Prometheus', () => {
  it.each([
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'hs110-alerts.test.yml'],
  ])('stands before promtool: %s %s %s', (...args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      env: ENV,
      cwd: join(EXAMPLES, 'prometheus'),
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  });

  it('tries every alert there is', () => {
    const { groups } = parse(readFileSync(join(EXAMPLES, 'prometheus/hs110-alerts.yml'), 'utf8'));
    const tried = readFileSync(join(EXAMPLES, 'prometheus/hs110-alerts.test.yml'), 'utf8');
    const alerts: string[] = groups[0].rules.map(({ alert }: { alert: string }) => alert);
    expect(alerts.length).toBeGreaterThan(5);
    for (const alert of alerts)
      expect(tried, alert).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`));
  });
});

/** A time series database that scrapes a bridge as the example says. */
interface Server {
  readonly name: string;
  readonly missing: string | undefined;
  readonly example: string;
  /** Its command line, with a folder of its own. */
  readonly command: (folder: string, port: number) => readonly string[];
  readonly api: string;
}

const SERVERS: readonly Server[] = [
  {
    name: 'Prometheus',
    missing: noPrometheus,
    example: 'prometheus/prometheus.yml',
    command: (folder, port) => [
      'prometheus',
      `--config.file=${folder}/prometheus/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    api: '/api/v1',
  },
  {
    name: 'VictoriaMetrics',
    missing: noVictoria,
    example: 'victoriametrics/scrape.yml',
    command: (folder, port) => [
      'victoria-metrics',
      `-promscrape.config=${folder}/victoriametrics/scrape.yml`,
      `-storageDataPath=${folder}/data`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-search.latencyOffset=0s',
    ],
    api: '/prometheus/api/v1',
  },
];

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
} = JSON.parse(readFileSync(join(EXAMPLES, 'grafana/hs110.json'), 'utf8'));

const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** What Grafana puts in the place of its variables. */
function filledIn(expr: string): string {
  return expr
    .replaceAll(/\$(instance|place|path)\b/g, '.*')
    .replaceAll('$__rate_interval', '1m')
    .replaceAll(/\[(24h|1d)\]/g, '[1m]');
}

describe.each(SERVERS)('$name', ({ missing, example, command, api }) => {
  describe.skipIf(missing !== undefined)('with the examples', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-examples-'));
    let site: Site;
    let server: ChildProcess;
    let url: string;

    const ask = async (path: string): Promise<{ status: string; data: Data }> =>
      (await fetch(`${url}${path}`)).json() as Promise<{ status: string; data: Data }>;
    const query = (expr: string) => ask(`/query?query=${encodeURIComponent(expr)}`);

    beforeAll(async () => {
      const [metrics, port] = [await freePort(), await freePort()];
      site = await Site.open(['shed3', 'east-wing/lamp-1'], { metrics: { listen: `127.0.0.1:${metrics}` } });
      await site.addPlug('nowhere');
      await site.plug('nowhere').server.stop();
      await site.bridge.stop();
      await site.startBridge({ poll: { interval: '100ms', offlineAfter: 1 } });
      await site.observer.message('museum/nowhere/availability', (payload) => payload === 'offline');
      const after = await site.observer.say('museum/shed3/set', 'ON');
      await site.observer.message('museum/shed3/result', () => true, after);

      cpSync(EXAMPLES, folder, { recursive: true });
      const config = readFileSync(join(folder, example), 'utf8')
        .replaceAll('127.0.0.1:9110', `127.0.0.1:${metrics}`)
        .replace(/scrape_interval: 15s/, 'scrape_interval: 200ms');
      writeFileSync(join(folder, example), config);
      const [program = '', ...args] = command(folder, port);
      server = spawn(program, args, { env: ENV, stdio: 'ignore' });
      url = `http://127.0.0.1:${port}${api}`;
      await eventually(async () => {
        const { data } = await query('count_over_time(hs110_energy_joules_total[1m])');
        return data.result.length > 0 && data.result.every(({ value }) => Number(value[1]) > 3);
      });
    });

    afterAll(async () => {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      await site.close();
      rmSync(folder, { recursive: true });
    });

    it.each(queries)('answers the query of the dashboard for "$title": $expr', async ({ expr }) => {
      const { status, data } = await query(filledIn(expr));
      expect(status).toBe('success');
      expect(data.result).not.toEqual([]);
    });

    it('knows bridge, places and plugs, so that one can choose among them', async () => {
      const chosen: { [variable: string]: readonly string[] } = {};
      for (const { name, definition = '' } of dashboard.templating.list) {
        const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
        if (series === '') continue;
        const match = encodeURIComponent(filledIn(series));
        const { data } = await ask(`/label/${label}/values?match[]=${match}`);
        chosen[name] = data as unknown as readonly string[];
      }
      expect(chosen).toMatchObject({
        place: ['east-wing'],
        path: ['east-wing/lamp-1', 'nowhere', 'shed3'],
      });
    });

    it('has no more samples of a plug that is gone', async () => {
      site.plugs.delete('nowhere');
      await site.bridge.stop();
      await site.startBridge();
      const samples = async (path: string) =>
        (await query(`hs110_plug_online{path="${path}"}`)).data.result.length;
      await eventually(async () => (await samples('shed3')) === 1 && (await samples('nowhere')) === 0);
    });
  });
});

interface Data {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}

/** Asks again until it holds; the other program says nothing when it does. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
