import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObject, textAt } from '../../src/protocol/json.ts';
import { Browser } from '../support/browser.ts';
import { Site } from '../support/site.ts';

const PASSWORD = 'a long enough one';

function urlOf(site: Site): string {
  return String(site.bridge.lines.findLast(({ msg }) => msg === 'the page is served')?.url);
}

const dataDir = mkdtempSync(join(tmpdir(), 'hs110-users-'));
let site: Site;
let admin: Browser;

beforeAll(async () => {
  site = await Site.open(['shed3', 'east-wing/lamp-1', 'east-wing/lamp-2'], {
    dataDir,
    web: { listen: '127.0.0.1:0', admin: { password: PASSWORD } },
  });
  await site.observer.json('museum', ({ unknown }) => unknown === 0);
  admin = await loggedIn('admin');
  for (const [name, role, places] of [
    ['anna', 'viewer', null],
    ['ben', 'staff', ['east-wing']],
    ['clara', 'staff', null],
  ])
    await admin.post('api/users', { name, role, places, password: PASSWORD });
});
afterAll(async () => {
  await site.close();
  rmSync(dataDir, { recursive: true });
});

async function loggedIn(name: string): Promise<Browser> {
  const browser = new Browser(urlOf(site));
  expect((await browser.post('api/login', { name, password: PASSWORD })).status).toBe(200);
  return browser;
}

const tokenIn = (body: unknown) => (isObject(body) ? (textAt(body, 'token') ?? '') : '');

describe('who may what', () => {
  const switching = (target: string) => ['POST', 'api/commands', { target, state: 'ON' }] as const;

  it.each([
    ['GET', 'api/session', undefined, [200, 200, 200, 200]],
    ['GET', 'api/openapi.json', undefined, [200, 200, 200, 200]],
    ['GET', 'api/plugs', undefined, [401, 200, 200, 200]],
    ['GET', 'api/plugs/shed3', undefined, [401, 200, 404, 200]],
    ['GET', 'api/plugs/east-wing/lamp-1', undefined, [401, 200, 200, 200]],
    ['GET', 'api/places', undefined, [401, 200, 200, 200]],
    ['GET', 'api/places/', undefined, [401, 200, 404, 200]],
    ['GET', 'api/problems', undefined, [401, 200, 200, 200]],
    ['GET', 'api/journal', undefined, [401, 200, 200, 200]],
    ['GET', 'api/journal.csv', undefined, [401, 200, 200, 200]],
    ['GET', 'api/energy', undefined, [401, 200, 200, 200]],
    ['GET', 'api/energy.csv', undefined, [401, 200, 200, 200]],
    [...switching('shed3'), [401, 403, 403, 200]],
    [...switching('east-wing/lamp-1'), [401, 403, 200, 200]],
    [...switching('east-wing'), [401, 403, 200, 200]],
    [...switching('east-winger'), [401, 403, 403, 200]],
    [...switching(''), [401, 403, 403, 200]],
    ['POST', 'api/requests/plug/command', { plug: 'shed3', command: 'info' }, [401, 403, 403, 200]],
    ['GET', 'api/users', undefined, [401, 403, 403, 200]],
    ['POST', 'api/users', {}, [401, 403, 403, 400]],
    ['DELETE', 'api/users/nobody', undefined, [401, 403, 403, 404]],
    ['GET', 'api/tokens', undefined, [401, 403, 403, 200]],
    ['POST', 'api/tokens', {}, [401, 403, 403, 400]],
    ['DELETE', 'api/tokens/x', undefined, [401, 403, 403, 404]],
    ['GET', 'api/kiosks', undefined, [401, 403, 403, 200]],
    ['POST', 'api/kiosks', {}, [401, 403, 403, 400]],
    ['DELETE', 'api/kiosks/x', undefined, [401, 403, 403, 404]],
  ] as const)(
    '%s %s: a stranger, a viewer, staff of the east wing, an admin',
    async (method, path, body, expected) => {
      const browsers = [new Browser(urlOf(site)), await loggedIn('anna'), await loggedIn('ben'), admin];
      const answers = await Promise.all(browsers.map((browser) => browser.ask(method, path, body)));

      expect(answers.map(({ status }) => status)).toEqual(expected);
    },
  );

  it('shows staff of one place only what is in it, in lists and as it happens', async () => {
    const ben = await loggedIn('ben');
    const stream = await ben.listen();
    await stream.until('event: snapshot');
    await admin.post('api/commands', { target: 'shed3', state: 'OFF', id: 'elsewhere' });
    await admin.post('api/commands', { target: '', state: 'ON', id: 'everywhere' });
    const heard = await stream.until('event: receipt');
    stream.close();
    const { body } = await ben.get('api/plugs');

    expect(JSON.stringify(body)).not.toContain('shed3');
    expect(heard).toContain('everywhere');
    expect(heard).toContain('east-wing/lamp-1');
    expect(heard).not.toContain('shed3');
    expect(heard).not.toContain('elsewhere');
  });

  it('ends the stream when its user logs out, is changed or removed', async () => {
    const browser = await loggedIn('anna');
    const first = await browser.listen();
    await first.until('event: snapshot');
    await browser.post('api/logout');
    await first.ended();
    expect((await browser.get('api/plugs')).status).toBe(401);

    const again = await loggedIn('anna');
    const second = await again.listen();
    await second.until('event: snapshot');
    await admin.post('api/users', { name: 'anna', role: 'viewer', places: ['east-wing'] });
    await second.ended();
    expect((await again.get('api/plugs')).status).toBe(401);
    await admin.post('api/users', { name: 'anna', role: 'viewer' });
  });

  it('gives every login a session of its own, also where somebody put a cookie before', async () => {
    const browser = new Browser(urlOf(site));
    browser.cookie = 'hs110_session=chosen-by-somebody-else';
    await browser.post('api/login', { name: 'anna', password: PASSWORD });
    const first = browser.cookie;
    await browser.post('api/login', { name: 'anna', password: PASSWORD });
    const other = new Browser(urlOf(site));
    other.cookie = first;

    expect(first).not.toContain('chosen');
    expect(browser.cookie).not.toBe(first);
    expect((await other.get('api/plugs')).status).toBe(401);
  });

  it('keeps the cookie from scripts and from other sites', async () => {
    const { headers } = await new Browser(urlOf(site)).post('api/login', {
      name: 'anna',
      password: PASSWORD,
    });

    const [cookie] = headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  it('lets people change their own password, which ends their other sessions', async () => {
    const [one, other] = [await loggedIn('clara'), await loggedIn('clara')];
    const wrong = await one.post('api/password', { old: 'something', new: 'another long one' });
    const right = await one.post('api/password', { old: PASSWORD, new: 'another long one' });

    expect([wrong.status, right.status]).toEqual([401, 200]);
    expect((await one.get('api/plugs')).status).toBe(200);
    expect((await other.get('api/plugs')).status).toBe(401);
    const stranger = new Browser(urlOf(site));
    expect((await stranger.post('api/login', { name: 'clara', password: PASSWORD })).status).toBe(401);
    expect((await stranger.post('api/login', { name: 'CLARA', password: 'another long one' })).status).toBe(
      200,
    );
  });

  it('keeps an admin, whatever is removed or changed', async () => {
    const removed = await admin.delete('api/users/admin');
    const changed = await admin.post('api/users', { name: 'Admin', role: 'viewer' });

    expect([removed.status, changed.status]).toEqual([400, 400]);
  });

  it('takes the token of a program, until it is revoked', async () => {
    const { body } = await admin.post('api/tokens', { name: 'script', role: 'staff', places: ['east-wing'] });
    const program = new Browser(urlOf(site), { authorization: `Bearer ${tokenIn(body)}` });
    const stream = await program.listen();
    await stream.until('event: snapshot');

    const inside = await program.post('api/commands', { target: 'east-wing', state: 'OFF' });
    const outside = await program.post('api/commands', { target: 'shed3', state: 'OFF' });
    expect([inside.status, outside.status]).toEqual([200, 403]);
    await admin.delete(`api/tokens/${isObject(body) ? textAt(body, 'id') : ''}`);
    await stream.ended();
    expect((await program.get('api/plugs')).status).toBe(401);
  });

  it('exchanges the token of a wall tablet for a cookie, until it is revoked', async () => {
    const { body } = await admin.post('api/kiosks', { name: 'Foyer', role: 'staff', places: ['east-wing'] });
    const tablet = new Browser(urlOf(site));
    const wrong = await tablet.post('api/kiosk', { token: 'guessed' });
    const right = await tablet.post('api/kiosk', { token: tokenIn(body) });
    const session = await tablet.get('api/session');

    expect([wrong.status, right.status]).toEqual([401, 200]);
    expect(session.body).toMatchObject({ user: { name: 'Foyer', role: 'staff', places: ['east-wing'] } });
    expect((await tablet.post('api/password', { old: PASSWORD, new: PASSWORD })).status).toBe(403);
    await admin.delete(`api/kiosks/${isObject(body) ? textAt(body, 'id') : ''}`);
    expect((await tablet.get('api/plugs')).status).toBe(401);
  });

  it('lets administrators do what the configuration does not allow by MQTT, but nothing dangerous', async () => {
    const renamed = await admin.post('api/requests/plug/rename', { plug: 'shed3', name: 'Shed three' });
    const reset = await admin.post('api/requests/plug/command', { plug: 'shed3', command: 'reset' });

    expect(renamed.status).toBe(200);
    expect((await admin.get('api/plugs/shed3')).body).toMatchObject({ name: 'Shed three' });
    expect(reset.status).toBe(403);
  });

  it('tells neither what it stores of passwords, nor of tokens', async () => {
    const users = await admin.get('api/users');
    const tokens = await admin.get('api/tokens');

    expect(JSON.stringify([users.body, tokens.body])).not.toMatch(/scrypt|password|secret/);
  });

  it('says by name who switched', async () => {
    const ben = await loggedIn('ben');
    const stream = await admin.listen();
    await stream.until('event: snapshot');
    await ben.post('api/commands', { target: 'east-wing/lamp-2', state: 'ON' });

    expect(await stream.until('event: pending')).toContain('"who":{"origin":"web","user":"ben"}');
    stream.close();
  });

  it('slows down who guesses, while sessions that are open go on', async () => {
    const guesser = new Browser(urlOf(site));
    const guesses = await Promise.all(
      Array.from({ length: 12 }, () => guesser.post('api/login', { name: 'admin', password: 'guessed' })),
    );
    const statuses = guesses.map(({ status }) => status);
    const right = await guesser.post('api/login', { name: 'admin', password: PASSWORD });

    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(5);
    expect(right.status).toBe(429);
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(0);
    expect((await admin.get('api/plugs')).status).toBe(200);
    const failed = site.bridge.lines.filter(({ msg }) => msg === 'a login to the page failed');
    expect(failed.at(-1)).toMatchObject({ client: '127.0.0.1' });
  });

  it('keeps sessions over a restart of the bridge', async () => {
    const before = urlOf(site);
    await site.bridge.stop();
    await site.startBridge();
    const browser = new Browser(urlOf(site));
    browser.cookie = admin.cookie;

    expect(urlOf(site)).not.toBe(before);
    expect((await browser.get('api/session')).body).toMatchObject({ user: { name: 'admin' } });
  });
});
