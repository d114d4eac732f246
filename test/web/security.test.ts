import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { Site } from '../support/site.ts';

let site: Site;
let url: string;

beforeAll(async () => {
  site = await Site.open(['shed3'], { web: { listen: '127.0.0.1:0' } });
  url = String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
  await site.observer.json('museum', ({ unknown }) => unknown === 0);
});
afterAll(() => site.close());

const switching = { target: 'shed3', state: 'ON' };

describe('who is turned away', () => {
  it.each([
    ['evil.example', 421],
    ['evil.example:8110', 421],
    ['localhost.evil.example', 421],
    ['localhost', 200],
    ['127.0.0.1', 200],
    ['[::1]:8110', 200],
    ['museum.local', 200],
    ['192.168.1.10:8110', 200],
  ])('asks by the name "%s": %d', async (host, status) => {
    for (const path of ['api/plugs', 'api/session', 'api/openapi.json'])
      expect((await new Browser(url).get(path, { host })).status).toBe(status);
  });

  it.each([
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://127.0.0.1:1' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/json-but-not-really' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'content-type': 'application/json; charset=utf-8' }, 200],
    [{}, 200],
  ])('sends a command with %o: %d', async (headers, status) => {
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);

    expect((await new Browser(url).post('api/commands', switching, Object.fromEntries(sent))).status).toBe(
      status,
    );
  });

  it('gets no command done with GET', async () => {
    expect((await new Browser(url).get('api/commands?target=shed3&state=ON')).status).toBe(404);
  });

  it('passes on what others ask where there are no users', async () => {
    const forwarded = { 'x-forwarded-for': '192.168.1.77' };

    expect((await new Browser(url).get('api/plugs', forwarded)).status).toBe(401);
  });

  it('comes from nowhere as Home Assistant', async () => {
    const headers = {
      'x-ingress-path': '/api/hassio_ingress/x',
      'x-remote-user-name': 'boss',
      'x-forwarded-for': '1.2.3.4',
    };

    expect((await new Browser(url).get('api/plugs', headers)).status).toBe(401);
  });

  it('sends a body that is huge, or deep, or no JSON', async () => {
    const browser = new Browser(url);
    const huge = await browser.post('api/commands', { target: 'x'.repeat(100_000), state: 'ON' });
    const long = await browser.post('api/commands', { target: 'x'.repeat(2000), state: 'ON' });
    const odd = await browser.post('api/commands', { ...switching, __proto__: null, constructor: {} });

    expect([huge.status, long.status, odd.status]).toEqual([413, 400, 400]);
    expect(huge.body).toMatchObject({ error: { code: 'too-large' } });
  });
});

describe('what is answered', () => {
  it('lets browsers load and run nothing but what comes from here', async () => {
    const { headers } = await new Browser(url).get('api/session');

    expect(headers['content-security-policy']).toMatch(/^default-src 'self';/);
    expect(headers['content-security-policy']).toMatch(/frame-ancestors 'none'/);
    expect(String(headers['content-security-policy'])).not.toMatch(/unsafe|https?:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  });
});
