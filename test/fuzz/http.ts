import { once } from 'node:events';
import { connect } from 'node:net';
import { buildApp } from '../../src/app/app.ts';
import { liveConfigOf } from '../support/config-sources.ts';
import { freePort } from '../support/free-port.ts';
import { Running, SURROUNDINGS } from '../support/site.ts';
import type { Target } from './targets.ts';

const PATHS = [
  '/',
  '/metrics',
  '/healthz',
  '/api/session',
  '/api/plugs',
  '/api/plugs/shed3',
  '/api/events',
  '/api/commands',
  '/api/openapi.json',
];

/** A whole bridge whose page and figures are asked over real connections, and how to end it. */
export async function httpTarget(): Promise<{ target: Target; end: () => Promise<void> }> {
  const [broker, page, metrics] = [await freePort(), await freePort(), await freePort()];
  const file = `broker: {listen: 127.0.0.1:${broker}}\nweb: {listen: 127.0.0.1:${page}}\nmetrics: {listen: 127.0.0.1:${metrics}}\ndataDir: off\ndiscovery: {interval: 0}\nplugs: [{path: shed3, host: "127.0.0.1:1"}]\n`;
  const bridge = new Running((log) => {
    log.level = 'silent';
    return buildApp(liveConfigOf({ file }), { ...SURROUNDINGS, log });
  });
  await bridge.ready;
  const corpus = PATHS.flatMap((path) => [
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\nCookie: session=x\r\nConnection: close\r\n\r\n`,
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nOrigin: http://localhost\r\nContent-Length: 31\r\nConnection: close\r\n\r\n{"target":"shed3","state":"ON"}`,
  ]).map((text) => Buffer.from(text));
  return {
    target: {
      name: 'http',
      share: 3,
      corpus,
      feed: async (input, chance) => {
        await send(chance.oneIn(2) ? page : metrics, input);
        if (chance.oneIn(200)) await demandHealthy(metrics);
      },
    },
    end: async () => {
      await demandHealthy(metrics);
      await bridge.stop();
    },
  };
}

/** Sends bytes and the end of them, and takes what comes. */
async function send(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  // An event stream does not end by itself: its first bytes are enough.
  socket.once('data', () => socket.destroy());
  socket.end(bytes);
  socket.setTimeout(900, () => socket.destroy());
  await once(socket, 'close');
}

async function demandHealthy(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
  if ((await answer.text()) !== 'ok\n') throw new Error(`/healthz says ${answer.status}`);
}
