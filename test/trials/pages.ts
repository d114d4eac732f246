/**
 * How punctual polls stay while many pages watch a site in which everything changes, and what pages cost. Run it with
 * `npm run build && node --import tsx test/trials/pages.ts [pages] [plugs]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { FarmReport } from '../../bench/farm.ts';
import { hostOf, pathOf } from '../../bench/plugs.ts';
import { Process } from '../../bench/process.ts';
import { freePort } from '../support/free-port.ts';

const [pages = 50, plugs = 1000] = argv.slice(2).map(Number);
const WARM_UP_MS = 20_000;
const MEASURED_MS = 20_000;
const INTERVAL_MS = 1000;

const folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-pages-'));
const farm = Process.script('farm.ts', { plugs, intervalMs: INTERVAL_MS, closing: false });
const { port } = await farm.ask<FarmReport>({ changing: 1 });
const page = await freePort();
const entry = (_: unknown, plug: number) => `  - path: ${pathOf(plug)}\n    host: ${hostOf(plug)}:${port}\n`;
const config = (web: string) =>
  [
    `broker: {listen: '127.0.0.1:${brokerPort}'}`,
    `web: {listen: '${web}'}`,
    `poll: {interval: ${INTERVAL_MS}ms}`,
    'discovery: {adopt: false, interval: 0}',
    `dataDir: ${join(folder, 'data')}`,
    `plugs:\n${Array.from({ length: plugs }, entry).join('')}`,
  ].join('\n');
const brokerPort = await freePort();

/** Reads events as a browser does; with `stalls` it stops reading after the first. */
function listen(stalls: boolean): { bytes: number; ended: boolean; stop: () => void } {
  const state = { bytes: 0, ended: false, stop: () => {} };
  const request = get({ port: page, path: '/api/events', host: '127.0.0.1' }, (response) => {
    response.on('data', (chunk: Buffer) => {
      state.bytes += chunk.length;
      if (stalls) response.pause();
    });
    response.on('close', () => {
      state.ended = true;
    });
  });
  request.on('error', () => {
    state.ended = true;
  });
  state.stop = () => request.destroy();
  return state;
}

async function measured(bridge: Process) {
  const cpu = bridge.cpuUs();
  await farm.ask<FarmReport>({ begin: true });
  await delay(MEASURED_MS);
  const { polls, latenessP99Ms } = await farm.ask<FarmReport>({});
  const cpuPercent = (bridge.cpuUs() - cpu) / (MEASURED_MS * 10);
  return { polls, latenessP99Ms, cpuPercent, residentMB: bridge.rssKb() / 1024 };
}

async function trial(web: string, readers: number, stalling: number) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, config(web));
  const bridge = Process.program(execPath, ['dist/main.js', '--config', file], join(folder, 'log'));
  await delay(WARM_UP_MS);
  const open = [
    ...Array.from({ length: readers }, () => listen(false)),
    ...Array.from({ length: stalling }, () => listen(true)),
  ];
  await delay(open.length === 0 ? 0 : 3000);
  const result = await measured(bridge);
  const read = open.slice(0, readers);
  const mbPerPage = read.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, readers) / 1e6;
  const dropped = open.slice(readers).filter(({ ended }) => ended).length;
  const lost = read.filter(({ ended }) => ended).length;
  for (const one of open) one.stop();
  await bridge.stop();
  return { web, readers, stalling, ...result, mbPerPage, lost, dropped };
}

try {
  console.log(JSON.stringify(await trial('off', 0, 0)));
  console.log(JSON.stringify(await trial(`127.0.0.1:${page}`, 0, 0)));
  console.log(JSON.stringify(await trial(`127.0.0.1:${page}`, pages, 0)));
  console.log(JSON.stringify(await trial(`127.0.0.1:${page}`, pages, 5)));
} finally {
  await farm.stop();
  rmSync(folder, { recursive: true, force: true });
}
