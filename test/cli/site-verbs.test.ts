import { afterEach, describe, expect, it } from 'vitest';
import { FakeShell } from '../support/fake-shell.ts';
import { Observer } from '../support/observer.ts';
import { Site, type SiteOptions, startBroker } from '../support/site.ts';
import { until } from '../support/until.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A site whose plugs have all been read. */
async function open(paths: readonly string[], options: SiteOptions = {}): Promise<Site> {
  const site = await Site.open(paths, options);
  closing.push(() => site.close());
  for (const path of paths)
    await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
  await site.observer.json('museum/bridge/plugs', (plugs) => plugs.length === paths.length);
  return site;
}

async function run(site: Pick<Site, 'url'>, ...argv: string[]) {
  const shell = new FakeShell();
  const code = await shell.run(...argv, '--mqtt-url', site.url);
  return { code, output: shell.output, errors: shell.errors };
}

describe('the verb set', () => {
  it('has the bridge switch a plug, and says that it did', async () => {
    const site = await open(['shed3']);
    const { code, output, errors } = await run(site, 'set', 'shed3', 'on');
    expect(output).toMatch(/^museum\/shed3 is ON \(\d+ ms\)$/);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(site.plug('shed3').device.relay).toBe(true);
  });

  it('takes a path as its topic too, and switches a place', async () => {
    const site = await open(['east-wing/lamp-1', 'east-wing/lamp-2', 'shed3']);
    const { code, output } = await run(site, 'set', 'museum/east-wing', 'ON', '--for', '8h');
    expect(output).toMatch(/^museum\/east-wing: 2 of 2 are ON \(\d+ ms\)$/);
    expect(code).toBe(0);
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('prints the receipt as JSON', async () => {
    const site = await open(['shed3']);
    const { output } = await run(site, 'set', 'shed3', 'TOGGLE', '--json');
    expect(JSON.parse(output)).toMatchObject({ target: 'museum/shed3', outcome: 'confirmed', confirmed: 1 });
  });

  it('fails where a plug did not confirm, and says why', async () => {
    const site = await open(['shed3', 'shed4'], {
      poll: { interval: '100ms', timeout: '200ms', offlineAfter: 1 },
    });
    await site.plug('shed3').server.stop();
    const { code, output, errors } = await run(site, 'set', 'shed3', 'OFF', '--ttl', '300ms');
    expect(output).toMatch(/^museum\/shed3 is not known to be OFF: \w+$/);
    expect(errors).toBe('hs110-mqtt: the command was not confirmed: expired');
    expect(code).toBe(1);
  });

  it('says what a locked plug says', async () => {
    const site = await open(['shed3'], { places: { '/': { locked: true } } });
    const { code, output } = await run(site, 'set', 'shed3', 'OFF');
    expect(output).toContain('locked');
    expect(code).toBe(1);
  });

  it.each([
    [['set', 'shed4', 'ON'], 'the bridge has no plug or place shed4; did you mean shed3?'],
    [
      ['set', 'nowhere/at/all', 'ON'],
      'the bridge has no plug or place nowhere/at/all; `hs110-mqtt status` lists all',
    ],
    [['set', '', 'OFF'], '"" names no plug; the whole site is `hs110-mqtt all`'],
    [['set', 'museum/', 'OFF'], '"museum/" names no plug'],
    [['set', 'shed3', 'MAYBE'], "'MAYBE' is invalid for argument 'state'. It must be ON or OFF or TOGGLE."],
    [['all', 'toggle'], 'It must be ON or OFF.'],
    [['set', 'shed3', 'ON', '--for', 'ever'], 'It must be a duration such as 30s, 30m or 8h.'],
  ])('refuses what cannot be meant: %j', async (argv, message) => {
    const site = await open(['shed3']);
    const { code, errors } = await run(site, ...argv);
    expect(errors).toContain(message);
    expect(code).toBe(2);
  });

  it('sends nothing when no bridge is online: a broker would keep it for later', async () => {
    const site = await open(['shed3']);
    await site.bridge.stop();
    const before = site.observer.seen.length;
    const { code, errors } = await run(site, 'set', 'shed3', 'ON');
    expect(errors).toContain('no bridge is online at museum');
    expect(errors).toContain('the one that was there has gone');
    expect(code).toBe(1);
    const { seen } = site.observer;
    expect(seen.slice(before).filter(({ topic }) => topic.endsWith('/set'))).toEqual([]);
  });

  it('says that the broker cannot be reached', async () => {
    const { code, errors } = await run({ url: 'mqtt://127.0.0.1:1' }, 'set', 'shed3', 'ON');
    expect(errors).toMatch(/^hs110-mqtt: the broker mqtt:\/\/127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
    expect(code).toBe(1);
  });

  it('takes the receipt of no other command for its own', async () => {
    const { running, url } = await startBroker(0);
    closing.push(() => running.stop());
    const bridge = await Observer.connect(url);
    closing.push(() => bridge.end());
    await bridge.say('museum/bridge/state', 'online', { retain: true });
    await bridge.say('museum/bridge/plugs', '[{"path":"shed3"}]', { retain: true });
    await bridge.say('museum/shed3/availability', 'offline', { retain: true });
    const shell = new FakeShell();
    const ended = shell.run('set', 'shed3', 'ON', '--mqtt-url', url);
    const { id } = await bridge.json('museum/shed3/set');
    const receipt = { target: 'museum/shed3', wanted: 'ON', outcome: 'confirmed', total: 1, missing: [] };
    await bridge.say('museum/shed3/result', JSON.stringify({ ...receipt, id: 'another', confirmed: 0 }));
    await bridge.say('museum/shed3/result', 'no JSON');
    await bridge.say('museum/shed3/result', JSON.stringify({ ...receipt, id, confirmed: 1, ms: 7 }));
    expect(await ended).toBe(0);
    expect(shell.output).toBe('museum/shed3 is ON (7 ms)');
  });

  it('ends at once when it is interrupted', async () => {
    const site = await open(['shed3'], { poll: { interval: '100ms', timeout: '200ms', offlineAfter: 1 } });
    await site.plug('shed3').server.stop();
    const shell = new FakeShell();
    const ended = shell.run('set', 'shed3', 'ON', '--mqtt-url', site.url);
    await site.observer.message('museum/shed3/set');
    shell.interrupt();
    expect(await ended).toBe(1);
    expect(shell.errors).toBe('');
  });
});

describe('the verb all', () => {
  it('switches the whole site, and says how many are off', async () => {
    const site = await open(['shed3', 'east-wing/lamp-1']);
    const { code, output } = await run(site, 'all', 'off');
    expect(output).toMatch(/^museum: 2 of 2 are OFF \(\d+ ms\)$/);
    expect(code).toBe(0);
  });

  it('names every plug that did not confirm, and fails', async () => {
    const site = await open(['shed3', 'east-wing/lamp-1', 'gate'], {
      poll: { interval: '100ms', timeout: '200ms', offlineAfter: 1 },
    });
    await site.plug('east-wing/lamp-1').server.stop();
    const { code, output, errors } = await run(site, 'all', 'off', '--ttl', '500ms');
    const [head, missing] = output.split('\n');
    expect(head).toMatch(/^museum: 2 of 3 are OFF \(\d+ ms\)$/);
    expect(missing).toMatch(/^ {2}east-wing\/lamp-1: \w+$/);
    expect(errors).toBe('hs110-mqtt: the command was not confirmed: partial');
    expect(code).toBe(1);
  });
});

describe('the verb status', () => {
  it('lists the plugs of a bridge that is online, and what they draw', async () => {
    const site = await open(['shed3', 'east-wing/lamp-1']);
    await run(site, 'set', 'shed3', 'ON');
    await site.observer.json('museum/shed3', ({ state, power }) => state === 'ON' && Number(power) > 30);
    const { code, output } = await run(site, 'status');
    const lines = output.split('\n');
    expect(lines[0]).toMatch(
      /^bridge online at museum, broker mqtt:\/\/127\.0\.0\.1:\d+, version 0\.0\.0-test/,
    );
    expect(lines[1]).toMatch(/^2 of 2 plugs online; 1 on, 1 off; [34]\d(\.\d)? W$/);
    expect(lines[4]).toMatch(/^east-wing\/lamp-1 +OFF +0 W /);
    expect(lines[5]).toMatch(/^shed3 +ON +[34][\d.]+ W +\d+[\d.]* V /);
    expect(code).toBe(0);
  });

  it.each(['flat', 'json'])('reads a bridge that publishes %s only', async (output) => {
    const site = await open(['shed3'], { mqtt: { output } });
    const { code, output: text } = await run(site, 'status', '--json');
    expect(JSON.parse(text).plugs).toMatchObject([
      { path: 'shed3', availability: 'online', state: 'OFF', power: 0 },
    ]);
    expect(code).toBe(0);
  });

  it('does not pass off what a plug said before it went offline', async () => {
    const site = await open(['shed3'], { poll: { interval: '100ms', timeout: '200ms', offlineAfter: 1 } });
    await site.plug('shed3').server.stop();
    await site.observer.message('museum/bridge/plugs', (plugs) => plugs.includes('"offline"'));
    const { output } = await run(site, 'status');
    expect(output).toContain('0 of 1 plugs online');
    expect(output.split('\n').at(-1)).toMatch(/^shed3 +\? +\d+ s ago +offline: \w+$/);
  });

  it('fails when the bridge has gone', async () => {
    const site = await open(['shed3']);
    await site.bridge.stop();
    const { code, output, errors } = await run(site, 'status');
    expect(output).toContain('bridge offline at museum');
    expect(errors).toContain('no bridge is online at museum');
    expect(code).toBe(1);
  });
});

describe('the verb watch', () => {
  it('prints every plug, and then what changes, of the place that is named', async () => {
    const site = await open(['shed3', 'east-wing/lamp-1']);
    const shell = new FakeShell();
    const ended = shell.run('watch', 'east-wing', '--mqtt-url', site.url);
    await until(() => shell.printed.length === 1, 'the first line');
    expect(shell.printed[0]).toMatch(/^\d\d:\d\d:\d\d {2}east-wing\/lamp-1 {2}OFF {2}0 W$/);
    await run(site, 'set', 'shed3', 'ON');
    await run(site, 'set', 'east-wing', 'ON');
    await until(() => shell.output.includes('  ON  '), 'the change');
    expect(shell.output).not.toContain('shed3');
    shell.interrupt();
    expect(await ended).toBe(0);
  });

  it('prints changes as JSON', async () => {
    const site = await open(['shed3']);
    const shell = new FakeShell();
    const ended = shell.run('watch', '--json', '--mqtt-url', site.url);
    await until(() => shell.printed.length > 0, 'a line');
    expect(JSON.parse(shell.printed[0] ?? '')).toMatchObject({ path: 'shed3', state: 'OFF' });
    shell.interrupt();
    expect(await ended).toBe(0);
  });

  it('draws a table on a terminal, no larger than that, and leaves it as it was', async () => {
    const site = await open(['shed1', 'shed2', 'shed3', 'shed4', 'shed5', 'shed6']);
    const shell = new FakeShell({ screen: { columns: 40, rows: 8 } });
    const ended = shell.run('watch', '--mqtt-url', site.url);
    const text = () => Buffer.concat(shell.written).toString();
    await until(() => text().includes('more'), 'the table');
    const [, page = ''] = text().split('\u001b[H');
    const lines = page.split('\u001b[K\n').slice(0, -1);
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines[0]).toContain('museum: bridge online');
    expect(lines[5]).toContain('… and 4 more');
    shell.interrupt();
    expect(await ended).toBe(0);
    expect(text().startsWith('\u001b[?1049h')).toBe(true);
    expect(text().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  it('ends with a message when the broker goes', async () => {
    const site = await open(['shed3']);
    const shell = new FakeShell();
    const ended = shell.run('watch', '--mqtt-url', site.url);
    await until(() => shell.printed.length > 0, 'a line');
    await site.broker.stop();
    expect(await ended).toBe(1);
    expect(shell.errors).toContain('the connection to the broker');
  });
});
