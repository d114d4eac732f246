import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeCommand } from '../src/api/command-json.ts';
import { RESTRICTED_REQUESTS } from '../src/api/requests/names.ts';
import { Requests } from '../src/api/requests.ts';
import { buildProgram } from '../src/cli/program.ts';
import { loadConfig } from '../src/config/load.ts';
import { presetOf } from '../src/plug/presets/presets.ts';
import { isObject } from '../src/protocol/json.ts';
import { Certificates } from './support/certificates.ts';
import { FakeBridge, INFO } from './support/fake-bridge.ts';
import { FakeEditor } from './support/fake-editor.ts';
import { fakeLevel } from './support/fake-level.ts';
import { FakeShell } from './support/fake-shell.ts';
import { ManualClock } from './support/manual-clock.ts';
import { memoryLog } from './support/memory-log.ts';
import { noClient } from './support/no-client.ts';
import { NO_RECORDS } from './support/no-records.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Block {
  readonly page: string;
  readonly kind: string;
  readonly text: string;
}

const blocks: readonly Block[] = PAGES.flatMap((page) =>
  [...readFileSync(ROOT + page, 'utf8').matchAll(/^```([a-z ]+)\n(.*?)^```/gms)].map(
    ([, kind = '', text = '']) => ({ page, kind, text }),
  ),
);

const { server } = new Certificates();
/** Files of certificates that a configuration names. */
const readFile = (path: string) => (path.endsWith('.key') ? server.key : server.cert);

const of = (kind: string) => blocks.filter((block) => block.kind === kind);
const lines = (kind: string) => of(kind).flatMap(({ text }) => text.trim().split('\n'));

const program = await buildProgram(new FakeShell(), ['--help']);
const verbs = new Set(program.commands.map((command) => command.name()));

describe('the documentation', () => {
  it.each(of('yaml'))('$page shows a configuration that is right: $text', ({ page, text }) => {
    expect(() =>
      loadConfig({ file: { name: page, text }, env: {}, flags: new Map(), readFile }),
    ).not.toThrow();
  });

  it.each(lines('json command'))('shows a command that is understood: %s', (line) => {
    expect(decodeCommand(Buffer.from(line), { origin: 'mqtt', user: null })).toHaveProperty('command');
  });

  it.each(lines('json request'))('shows a request of a command that there is: %s', (line) => {
    const request: unknown = JSON.parse(line);
    const name = isObject(request) ? String(request.command) : '';
    expect(name === 'raw' || presetOf(name)).toBeTruthy();
  });

  const requests = lines('sh').flatMap((line) => {
    const [, name, payload = ''] =
      /^mosquitto_pub -t museum\/bridge\/request\/(\S+) (?:-n|-m '(.*)')$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, payload] as const];
  });

  it('shows every request that changes the site', () => {
    const shown = new Set(requests.map(([name]) => name));
    const others = RESTRICTED_REQUESTS.filter((name) => !/^(plug|config)\//.test(name) || shown.has(name));
    expect(others).toEqual(RESTRICTED_REQUESTS);
  });

  it.each(requests)('shows a request that is understood: %s %s', async (name, payload) => {
    const { log } = memoryLog();
    const bridge = new FakeBridge('shed3');
    bridge.change('shed3', { info: INFO });
    bridge.learning.add('shed3').add('east-wing/lamp-1');
    const all = new Requests({
      ...{ bridge, editor: new FakeEditor(), logLevel: fakeLevel() },
      ...{ allow: () => new Set(RESTRICTED_REQUESTS), search: async () => [], announce: () => 0 },
      clientOf: noClient,
      ...NO_RECORDS,
      ...{ timeZone: 'UTC', clock: new ManualClock(), log },
    });
    const answer = await all.answer(name, Buffer.from(payload), { origin: 'mqtt', user: null });
    expect(JSON.parse(answer)).toMatchObject({ status: 'ok' });
  });

  it.each(lines('json'))('shows JSON that is JSON: %.60s', (line) => {
    expect(isObject(JSON.parse(line))).toBe(true);
  });

  const shown = lines('sh').flatMap((line) =>
    [...line.matchAll(/^hs110-mqtt ([a-z][a-z-]*)|npm start -- ([a-z][a-z-]*)/g)].map(
      ([, one, other]) => one ?? other ?? '',
    ),
  );

  it.each([...new Set(shown)])('shows a verb that there is: %s', (verb) => {
    expect(verbs).toContain(verb);
  });

  const converted = lines('sh').filter((line) => /^hs110-mqtt (en|de)code /.test(line));

  it.each(converted)('shows what can be pasted as it is: %s', async (line) => {
    const shell = new FakeShell();
    expect(await shell.run(...line.replaceAll("'", '').split(' ').slice(1))).toBe(0);
    expect(shell.output).not.toBe('');
  });

  it('leads to no output of npm in a file, and to no package of a registry that is not ours', () => {
    const written = [...lines('sh'), ...lines('ini')];
    expect(written.filter((line) => /npm (start|run)\b[^#]*[>|]|npx (?!mqtt )/.test(line))).toEqual([]);
  });

  it('has a page for every line of the navigation of the site', () => {
    const navigation = readFileSync(`${ROOT}site/.vitepress/config.ts`, 'utf8');
    const led = [...navigation.matchAll(/page\('[^']+', '(\/[^']+)'\)/g)].map(([, link]) => `docs${link}.md`);
    expect(led.length).toBeGreaterThan(10);
    for (const page of led) expect(PAGES).toContain(page);
  });

  it('links to nothing that is not there', () => {
    const links = PAGES.flatMap((page) =>
      [...readFileSync(ROOT + page, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(
        ([, target = '']) => new URL(target, `file://${ROOT}${page}`),
      ),
    );
    for (const link of links) expect(() => readFileSync(link), link.pathname).not.toThrow();
  });
});
