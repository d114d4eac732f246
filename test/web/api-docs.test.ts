import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObject, type JsonObject, textAt } from '../../src/protocol/json.ts';
import { Browser } from '../support/browser.ts';
import { Site } from '../support/site.ts';

const run = promisify(execFile);
const PASSWORD = 'a long enough one';
const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```sh curl\n(.*?)^```/gms)].flatMap(([, text = '']) =>
  text.trim().split('\n'),
);

let site: Site;
let url: string;
let token: string;
let paths: JsonObject;

beforeAll(async () => {
  site = await Site.open(['shed3', 'east-wing/lamp-1'], {
    web: { listen: '127.0.0.1:0', admin: { password: PASSWORD } },
  });
  url = String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
  await site.observer.json('museum', ({ unknown }) => unknown === 0);
  const admin = new Browser(url);
  await admin.post('api/login', { name: 'admin', password: PASSWORD });
  const { body } = await admin.post('api/tokens', { name: 'docs', role: 'admin' });
  token = isObject(body) ? (textAt(body, 'token') ?? '') : '';
  const document = (await admin.get('api/openapi.json')).body;
  paths = isObject(document) && isObject(document.paths) ? document.paths : {};
});
afterAll(() => site.close());

describe('docs/api.md', () => {
  it.each(examples)('shows a request that is answered: %s', async (example) => {
    const env = { PATH: process.env.PATH, TOKEN: token, PAGE: url.replace(/\/$/, '') };
    const script = `set -o pipefail; ${example} -w '\\n%{http_code}'`;
    // A stream goes on until curl has had enough of it.
    const { stdout } = await run('bash', ['-c', script], { env }).catch(
      (error: { code: number; stdout: string }) => {
        if (error.code !== 28) throw error;
        return error;
      },
    );

    expect(stdout.trim().split('\n').at(-1)).toBe('200');
  });
});

describe('the OpenAPI document', () => {
  it('has every route of the API with what it does, and what it answers', () => {
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(isObject(methods) ? methods : {}).map(([method, route]) => ({
        name: `${method} ${path}`,
        route,
      })),
    );
    const incomplete = routes.filter(
      ({ route }) => !isObject(route) || typeof route.summary !== 'string' || !isObject(route.responses),
    );

    expect(incomplete).toEqual([]);
    expect(routes.map(({ name }) => name).sort()).toMatchInlineSnapshot(`
      [
        "delete /api/kiosks/{id}",
        "delete /api/tokens/{id}",
        "delete /api/users/{name}",
        "get /api/energy",
        "get /api/energy.csv",
        "get /api/events",
        "get /api/found",
        "get /api/history/{*}",
        "get /api/journal",
        "get /api/journal.csv",
        "get /api/kiosks",
        "get /api/openapi.json",
        "get /api/places",
        "get /api/places/{*}",
        "get /api/plugs",
        "get /api/plugs/{*}",
        "get /api/problems",
        "get /api/session",
        "get /api/tokens",
        "get /api/users",
        "post /api/commands",
        "post /api/kiosk",
        "post /api/kiosks",
        "post /api/login",
        "post /api/logout",
        "post /api/password",
        "post /api/requests/{*}",
        "post /api/tokens",
        "post /api/users",
      ]
    `);
  });
});
