import { FormatRegistry, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Energy,
  JournalEntry,
  Place,
  Plug,
  PowerHistory,
  Receipt,
  Session,
  User,
} from '../../src/web/schemas.ts';
import { Site } from '../support/site.ts';

describe('an answer of the API', () => {
  let site: Site;
  let url: string;

  beforeAll(async () => {
    FormatRegistry.Set('date-time', (text) => !Number.isNaN(Date.parse(text)));
    site = await Site.open(['shed3', 'east-wing/lamp-1'], { web: { listen: '127.0.0.1:0' } });
    url = String(site.bridge.lines.find(({ msg }) => msg === 'the page is served')?.url);
    await site.observer.json('museum', ({ unknown }) => unknown === 0);
    const after = await site.observer.say('museum/shed3/set', 'ON');
    await site.observer.json('museum/shed3/result', () => true, after);
  });
  afterAll(() => site.close());

  const cases: readonly [path: string, schema: TSchema][] = [
    ['api/session', Session],
    ['api/plugs', Type.Object({ plugs: Type.Array(Plug) })],
    ['api/plugs/shed3', Plug],
    ['api/places', Type.Object({ places: Type.Array(Place) })],
    ['api/places/east-wing', Place],
    ['api/history/shed3', PowerHistory],
    ['api/energy', Energy],
    ['api/journal', Type.Object({ entries: Type.Array(JournalEntry) })],
    ['api/users', Type.Object({ users: Type.Array(User) })],
  ];

  it.each(cases)('is as its schema says: %s', async (path, schema) => {
    const answer: unknown = await (await fetch(`${url}${path}`)).json();
    expect([...Value.Errors(schema, answer)].map(({ path: at, message }) => `${at} ${message}`)).toEqual([]);
  });

  it('is as its schema says: a receipt', async () => {
    const response = await fetch(`${url}api/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ target: 'east-wing', state: 'OFF', id: 'x1' }),
    });
    const receipt: unknown = await response.json();
    expect([...Value.Errors(Receipt, receipt)]).toEqual([]);
  });
});
