import process from 'node:process';
import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRetained } from '../../src/mqtt/retained-message.ts';
import { readRetained as readOverWebSocket } from '../../src/mqtt/retained-websocket.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { quietPort } from '../support/quiet-port.ts';
import { rejectionOf } from '../support/thrown.ts';

const TOPIC = 'museum/bridge/state';
const OPTIONS = {
  username: undefined,
  password: undefined,
  clientId: 'reader',
  tls: { rejectUnauthorized: true },
};

if (noMosquitto !== undefined)
  process.stderr.write(`The tests of the health check over WebSockets are skipped: ${noMosquitto}.\n`);

describe.skipIf(noMosquitto !== undefined)('one retained message at Mosquitto', () => {
  let mosquitto: Mosquitto;
  let webSocket: URL;

  beforeEach(async () => {
    const port = await quietPort();
    mosquitto = await Mosquitto.started({ listener: [`listener ${port} 127.0.0.1`, 'protocol websockets'] });
    webSocket = new URL(`ws://127.0.0.1:${port}`);
    const client = await mqtt.connectAsync(mosquitto.url);
    await client.publishAsync(TOPIC, 'online', { retain: true, qos: 1 });
    await client.endAsync();
  });

  afterEach(() => mosquitto.stop());

  it.each([4, 5] as const)('is read over TCP and over WebSockets, in version %i', async (version) => {
    const { signal } = new AbortController();
    expect(await readRetained(new URL(mosquitto.url), TOPIC, { ...OPTIONS, version }, signal)).toBe('online');
    expect(await readOverWebSocket(webSocket, TOPIC, { ...OPTIONS, version }, signal)).toBe('online');
  });

  it('is waited for until the signal aborts', async () => {
    const stop = new AbortController();
    const read = rejectionOf(readOverWebSocket(webSocket, 'zoo', { ...OPTIONS, version: 4 }, stop.signal));
    stop.abort(new Error('late'));
    expect(await read).toMatchObject({ message: 'late' });
  });
});
