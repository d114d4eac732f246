import { describe, expect, it } from 'vitest';
import { Site } from '../support/site.ts';

const INFO = 'museum/bridge/info';
const RESPONSE = 'museum/bridge/response/log/level';

describe('the level of the log', () => {
  it('is set by a request at once, and is published, retained', async () => {
    await using site = await Site.open(['lamp'], { allow: ['log/level'], log: { level: 'warn' } });
    const { observer, bridge } = site;
    expect(await observer.json(INFO)).toMatchObject({ log_level: 'warn' });
    const before = await observer.say('museum/bridge/request/log/level', '{"level":"info","transaction":1}');
    expect(await observer.json(RESPONSE, () => true, before)).toEqual({
      status: 'ok',
      data: { level: 'info' },
      transaction: 1,
    });
    await observer.json(INFO, ({ log_level }) => log_level === 'info', before);
    expect(bridge.lines).toContainEqual(expect.objectContaining({ msg: 'the level of the log was set' }));
  });
});
