import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { Browser } from '../support/browser.ts';
import { Certificates } from '../support/certificates.ts';
import { Site } from '../support/site.ts';

const PASSWORD = 'a long enough one';
const admin = { password: PASSWORD };
const credentials = { name: 'admin', password: PASSWORD };

let site: Site;
afterEach(() => site.close());

/** Where the page is. */
async function open(web: object): Promise<string> {
  site = await Site.open(['shed3'], { web: { listen: '127.0.0.1:0', ...web } });
  return String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
}

describe('the page', () => {
  it.each([
    [{ listen: '0.0.0.0:0' }],
    [{ listen: '127.0.0.1:0', trustProxy: '127.0.0.1' }],
    [{ listen: '127.0.0.1:0', hosts: 'museum.example' }],
  ])('is not opened to others while there are no users: %o', async (web) => {
    site = await Site.open(['shed3']);
    await site.bridge.stop();
    void site.startBridge({ web });

    await expect(site.bridge.ended).rejects.toThrow(ConfigError);
    await site.startBridge({ web: { listen: 'off' } });
  });

  it('is served over TLS, with a cookie for that alone', async () => {
    const certificates = new Certificates();
    const url = await open({
      admin,
      tls: { cert: certificates.file('server.pem'), key: certificates.file('server.key') },
    });
    const cookie = await new Promise((resolve, reject) => {
      const asked = httpsRequest(
        `${url}api/login`,
        { method: 'POST', ca: certificates.ca, headers: { 'content-type': 'application/json' } },
        (response) => {
          response.resume();
          resolve(response.headers['set-cookie']?.[0]);
        },
      );
      asked.on('error', reject);
      asked.end(JSON.stringify(credentials));
    });

    expect(url).toMatch(/^https:/);
    expect(cookie).toMatch(/; Secure; /);
  });

  it('believes a trusted proxy, whose path the cookie is for', async () => {
    const url = await open({ admin, trustProxy: '127.0.0.1' });
    const proxy = new Browser(url, {
      host: 'museum.example',
      origin: 'https://museum.example',
      'x-forwarded-for': '192.168.1.77',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/lamps',
    });
    const { status, headers } = await proxy.post('api/login', credentials);
    await new Browser(url, { 'x-forwarded-for': '192.168.1.78' }).post('api/login', {
      ...credentials,
      password: 'no',
    });

    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(/; Path=\/lamps; HttpOnly; Secure; SameSite=Strict$/);
    const failed = site.bridge.lines.filter(({ msg }) => msg === 'a login to the page failed');
    expect(failed).toMatchObject([{ client: '192.168.1.78' }]);
  });

  it('believes nobody else', async () => {
    const url = await open({ admin });
    const liar = new Browser(url, { 'x-forwarded-prefix': '/lamps', 'x-forwarded-for': '10.9.8.7' });
    const { headers } = await liar.post('api/login', credentials);
    await liar.post('api/login', { ...credentials, password: 'no' });

    expect(headers['set-cookie']?.[0]).toMatch(/; Path=\/; /);
    const failed = site.bridge.lines.filter(({ msg }) => msg === 'a login to the page failed');
    expect(failed).toMatchObject([{ client: '127.0.0.1' }]);
  });

  it('can be looked at without a login, if that is configured', async () => {
    const visitor = new Browser(await open({ admin, visitors: true }));
    const session = await visitor.get('api/session');
    const command = await visitor.post('api/commands', { target: 'shed3', state: 'ON' });

    expect(session.body).toMatchObject({ authentication: 'users', user: null, mayLook: true });
    expect((await visitor.get('api/plugs')).status).toBe(200);
    expect(command.status).toBe(403);
  });

  it('goes on with the stream where a page was that comes back, else begins anew', async () => {
    const browser = new Browser(await open({}));
    const other = await browser.listen();
    const stream = await browser.listen();
    const [, snapshot] = /^id: (\S+)$/m.exec(await stream.until('event: snapshot')) ?? [];
    stream.close();
    await browser.post('api/commands', { target: 'shed3', state: 'ON', id: 'missed' });
    await other.until('"id":"missed","target":"shed3","wanted":"ON","outcome"');
    const back = await browser.listen(snapshot);
    const heard = await back.until('event: receipt');
    const foreign = await browser.listen('another-run-5');
    const anew = await foreign.until('event: ');
    for (const one of [other, back, foreign]) one.close();

    expect(heard).not.toContain('event: snapshot');
    expect(heard).toContain('event: pending');
    expect(anew).toContain('event: snapshot');
  });

  it('holds no more connections of one address than it can bear', async () => {
    const { port } = new URL(await open({}));
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1'));
    const refused = await Promise.race(
      sockets.map(
        (socket) => new Promise((resolve) => socket.once('close', () => resolve(true)).on('error', () => {})),
      ),
    );
    for (const socket of sockets) socket.destroy();

    expect(refused).toBe(true);
  });
});
