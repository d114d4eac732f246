import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObject, objectsAt } from '../../src/protocol/json.ts';
import { Site } from '../support/site.ts';

describe('the HTTP API', () => {
  let site: Site;
  let url: string;

  beforeAll(async () => {
    site = await Site.open(['shed3', 'east-wing/lamp-1', 'east-wing/lamp-2'], {
      web: { listen: '127.0.0.1:0' },
    });
    url = String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
    await site.observer.json('museum', ({ unknown }) => unknown === 0);
  });
  afterAll(() => site.close());

  const get = (path: string) => fetch(`${url}${path}`);
  const pathsOf = async (kind: 'plugs' | 'places') => {
    const answer: unknown = await (await get(`api/${kind}`)).json();
    return isObject(answer) ? objectsAt(answer, kind).map(({ path }) => String(path)) : [];
  };
  const post = (path: string, body: unknown, headers: { readonly [name: string]: string } = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('tells what site it is', async () => {
    const session = await (await get('api/session')).json();

    expect(session).toMatchObject({ authentication: 'open', user: null, site: { name: 'Museum' } });
  });

  it('tells of all plugs and places, and of one', async () => {
    const plugs = await pathsOf('plugs');
    const places = await pathsOf('places');
    const lamp = await (await get('api/plugs/east-wing/lamp-1')).json();

    expect(plugs).toEqual(['shed3', 'east-wing/lamp-1', 'east-wing/lamp-2']);
    expect(places.toSorted()).toEqual(['', 'east-wing']);
    expect(lamp).toMatchObject({ path: 'east-wing/lamp-1', place: 'east-wing', state: 'OFF' });
    expect((await get('api/plugs/nowhere')).status).toBe(404);
  });

  it('switches a place, and answers with its receipt', async () => {
    const answer = await post('api/commands', { target: 'east-wing', state: 'ON', id: 'x1' });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      id: 'x1',
      target: 'east-wing',
      wanted: 'ON',
      outcome: 'confirmed',
      confirmed: 2,
    });
    expect(site.plug('east-wing/lamp-1').device.relay).toBe(true);
  });

  it('refuses a command that is none, in words', async () => {
    const sideways = await post('api/commands', { target: 'shed3', state: 'SIDEWAYS' });
    const nothing = await post('api/commands', { target: 'shed3' });

    expect(sideways.status).toBe(400);
    expect(await nothing.json()).toMatchObject({ outcome: 'refused' });
  });

  it('says who switched', async () => {
    await post('api/commands', { target: 'shed3', state: 'ON' });

    expect(await (await get('api/plugs/shed3')).json()).toMatchObject({ state: 'ON', changedBy: 'web' });
  });

  it('begins the stream with a snapshot, and goes on with the command, the change and the receipt', async () => {
    const stop = new AbortController();
    const stream = await fetch(`${url}api/events`, { signal: stop.signal });
    const reader = (stream.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const hear = async (what: string) => {
      while (!heard.includes(what)) heard += (await reader.read()).value;
    };
    await hear('event: snapshot');
    await post('api/commands', { target: 'shed3', state: 'OFF', id: 'x2' });
    await hear('event: receipt');
    stop.abort();

    const events = [...heard.matchAll(/^event: (\w+)$/gm)].map(([, type]) => type);
    expect(events[0]).toBe('snapshot');
    expect(events.indexOf('pending')).toBeLessThan(events.indexOf('receipt'));
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
  });

  it('serves nobody who asks by a name that is not its own', async () => {
    const status = await new Promise((resolve) => {
      const asked = httpRequest(`${url}api/plugs`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.end();
    });

    expect(status).toBe(421);
  });

  it('carries out nothing that a page from elsewhere sends', async () => {
    const elsewhere = await post(
      'api/commands',
      { target: 'shed3', state: 'ON' },
      { origin: 'http://evil.example' },
    );
    const form = await fetch(`${url}api/commands`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{"target":"shed3","state":"ON"}',
    });

    expect(elsewhere.status).toBe(403);
    expect(form.status).toBe(415);
  });
});
