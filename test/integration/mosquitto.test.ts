import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { Observer } from '../support/observer.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

if (noMosquitto !== undefined)
  process.stderr.write(`The tests of MQTT 5 and TLS are skipped: ${noMosquitto}.\n`);

describe.skipIf(noMosquitto !== undefined)('with Mosquitto, the bridge', () => {
  let mosquitto: Mosquitto;
  let site: Site;
  let watcher: Observer | undefined;

  beforeEach(async () => {
    mosquitto = await Mosquitto.prepared();
  });

  afterEach(async () => {
    await site.close();
    await watcher?.end();
    watcher = undefined;
    await mosquitto.stop();
  });

  async function open(mqtt: object = {}): Promise<void> {
    site = await Site.open(['shed3', 'barn/loft'], { mqtt: { url: mosquitto.url, ...mqtt } });
  }

  async function observe(url = mosquitto.url, version: 4 | 5 = 5): Promise<Observer> {
    watcher = await Observer.connect(url, version);
    await watcher.message('museum/shed3/availability', (payload) => payload === 'online');
    return watcher;
  }

  it('sends receipts to the response topic of MQTT 5 as well, with the correlation data', async () => {
    await mosquitto.start();
    await open();
    const client = await observe();
    for (const target of ['museum/shed3', 'museum/barn', 'museum']) {
      const correlationData = Buffer.from([0, 255, 7]);
      const responseTopic = `answers/${target}`;
      const after = await client.say(`${target}/set`, '{"state":"ON","id":"r"}', {
        properties: { responseTopic, correlationData },
      });
      const answer = await client.message(responseTopic, () => true, after);
      const receipt = await client.message(`${target}/result`, () => true, after);
      expect(answer.payload).toBe(receipt.payload);
      expect(JSON.parse(answer.payload)).toMatchObject({ id: 'r', target, outcome: 'confirmed' });
      expect(answer.correlationData).toBe(correlationData.toString());
      expect(client.seen.filter(({ topic }) => topic === responseTopic)).toHaveLength(1);
    }
  });

  it('sends a refusal to the response topic too, without correlation data where none was given', async () => {
    await mosquitto.start();
    await open();
    const client = await observe();
    const after = await client.say('museum/shed3/set', 'BLINK', {
      properties: { responseTopic: 'answers/me' },
    });
    const answer = await client.message('answers/me', () => true, after);
    expect(JSON.parse(answer.payload)).toMatchObject({ outcome: 'refused' });
    expect(answer.correlationData).toBeUndefined();
  });

  it('does not talk to itself when it is told to send its receipt to a topic of commands', async () => {
    await mosquitto.start();
    await open();
    const client = await observe();
    const after = await client.say('museum/shed3/set', 'ON', {
      properties: { responseTopic: 'museum/barn/loft/set' },
    });
    await client.json('museum/shed3/result', ({ outcome }) => outcome === 'confirmed', after);
    const next = await client.say('museum/barn/loft/set', '{"state":"ON","id":"next"}');
    await client.json('museum/barn/loft/result', ({ id }) => id === 'next', next);
    expect(client.seen.filter(({ topic }) => topic === 'museum/barn/loft/result')).toHaveLength(1);
  });

  it.each([
    ['that is empty', ''],
    ['of a shared subscription', '$share/x/y'],
    ['of the broker itself', '$SYS/broker'],
    ['with a wildcard', 'museum/#'],
    ['that is as long as can be', 'x'.repeat(65_535)],
  ])('is not harmed by a response topic %s', async (_, responseTopic) => {
    await mosquitto.start();
    await open({ clientId: 'bridge' });
    const client = await observe();
    // The broker itself throws out who sends some of these.
    const rude = await mqtt.connectAsync(mosquitto.url, { protocolVersion: 5, reconnectPeriod: 0 });
    rude.on('error', () => {});
    rude.publish('museum/shed3/set', '{"state":"ON","id":"rude"}', {
      qos: 0,
      properties: { responseTopic, correlationData: Buffer.alloc(1000) },
    });
    await until(
      () =>
        site.plug('shed3').device.relay ||
        mosquitto.lines.some((line) => /disconnected due to|protocol error|malformed/i.test(line)),
      'the broker or the bridge to take it',
    );
    const after = await client.say('museum/shed3/set', '{"state":"OFF","id":"next"}');
    await client.json('museum/shed3/result', ({ id }) => id === 'next', after);
    expect(mosquitto.connectsOf('bridge')).toBe(1);
    await rude.endAsync(true);
  });

  it('refuses a retained command at once on MQTT 5, and again at each connect', async () => {
    await mosquitto.start();
    await open();
    const client = await observe();
    const after = await client.say('museum/shed3/set', '{"state":"ON","id":"kept"}', { retain: true });
    const refused = { id: 'kept', outcome: 'refused', reason: expect.stringMatching(/^retained commands/) };
    expect(await client.json('museum/shed3/result', () => true, after)).toMatchObject(refused);
    await site.bridge.stop();
    const again = client.seen.length;
    await site.startBridge();
    expect(await client.json('museum/shed3/result', () => true, again)).toMatchObject(refused);
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('logs in with its name and password, of which the log says nothing', async () => {
    mosquitto.setPassword('bridge', 'sesame');
    await mosquitto.start({
      global: ['allow_anonymous false', `password_file ${mosquitto.file('passwords')}`],
    });
    await open({ username: 'bridge', password: 'sesame' });
    await observe(mosquitto.url.replace('//', '//bridge:sesame@'));
    expect(JSON.stringify(site.bridge.lines)).not.toContain('sesame');
  });

  it('speaks MQTT 3.1.1 where it is told to', async () => {
    await mosquitto.start();
    await open({ version: '3.1.1', clientId: 'old' });
    await observe();
    expect(mosquitto.lines.filter((line) => / as old \(p2,/.test(line))).toHaveLength(1);
  });

  describe('over TLS', () => {
    let plain: number;

    beforeEach(async () => {
      makeCertificates(mosquitto);
      plain = await freePort();
      await mosquitto.start({
        listener: [
          `cafile ${mosquitto.file('ca.pem')}`,
          `certfile ${mosquitto.file('server.pem')}`,
          `keyfile ${mosquitto.file('server.key')}`,
          `listener ${plain} 127.0.0.1`,
        ],
      });
    });

    const secure = () => `mqtts://127.0.0.1:${mosquitto.port}`;

    it('verifies the broker by the authority that it is given', async () => {
      await open({ url: secure(), ca: mosquitto.file('ca.pem') });
      const client = await observe(`mqtt://127.0.0.1:${plain}`);
      const after = await client.say('museum/shed3/set', 'ON');
      expect(await client.json('museum/shed3/result', () => true, after)).toMatchObject({
        outcome: 'confirmed',
      });
    });

    it('refuses a broker that cannot be verified, and says why', async () => {
      await open({ url: secure() });
      let polls = 0;
      site.plug('shed3').server.onQuery = () => polls++;
      await until(() => polls > 15, 'polls');
      const failed = site.bridge.lines.filter(({ msg }) => /cannot reach the broker/.test(msg));
      expect(failed[0]).toMatchObject({ reason: expect.stringMatching(/certificate/) });
      expect(site.bridge.lines.filter(({ msg }) => msg === 'connected to broker')).toEqual([]);
    });

    it('takes it all the same if it is told to', async () => {
      await open({ url: secure(), rejectUnauthorized: false });
      await observe(`mqtt://127.0.0.1:${plain}`);
    });
  });
});

/** An authority of our own, and a certificate of it for 127.0.0.1. */
function makeCertificates(mosquitto: Mosquitto): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: mosquitto.folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=Museum', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...key, '-subj', '/CN=127.0.0.1', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(mosquitto.file('san'), 'subjectAltName=IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.pem');
}
