import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** From the ground up: a folder (or file) imports only from itself and from those listed for it. */
const LAYERS: { readonly [layer: string]: readonly string[] } = {
  'errors.ts': [],
  'redaction.ts': [],
  'printable.ts': [],
  'log.ts': ['redaction.ts', 'printable.ts'],
  runtime: ['errors.ts'],
  protocol: ['errors.ts'],
  rules: ['errors.ts', 'runtime', 'protocol'],
  simulator: ['errors.ts', 'runtime', 'protocol'],
  plug: ['errors.ts', 'runtime', 'protocol'],
  bridge: ['errors.ts', 'runtime', 'protocol', 'rules', 'plug'],
  api: ['errors.ts', 'runtime', 'protocol', 'plug', 'bridge'],
  mqtt: ['errors.ts', 'runtime', 'protocol', 'plug', 'bridge', 'api'],
  homeassistant: ['errors.ts', 'runtime', 'bridge', 'mqtt'],
  metrics: ['errors.ts', 'printable.ts', 'runtime', 'bridge'],
  web: ['errors.ts', 'runtime', 'protocol', 'rules', 'bridge', 'api', 'store'],
  config: ['errors.ts', 'runtime', 'protocol', 'rules', 'plug', 'bridge', 'api', 'mqtt'],
  store: ['errors.ts', 'runtime', 'protocol', 'rules', 'plug', 'bridge'],
  app: [
    'errors.ts',
    'rules',
    'store',
    'runtime',
    'protocol',
    'plug',
    'bridge',
    'api',
    'mqtt',
    'homeassistant',
    'metrics',
    'web',
    'config',
  ],
  // In the browser. Of the server it knows the types of what goes over the wire.
  'web/page': ['web'],
  cli: [
    'errors.ts',
    'redaction.ts',
    'printable.ts',
    'log.ts',
    'runtime',
    'protocol',
    'rules',
    'simulator',
    'plug',
    'api',
    'mqtt',
    'config',
    'store',
    'app',
  ],
  'main.ts': ['errors.ts', 'runtime', 'cli'],
};

const LONGEST_FILE = 350;

interface Source {
  readonly file: string;
  readonly text: string;
  /** Files of src that it imports. */
  readonly imports: readonly string[];
}

const sources: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const imports = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
      relative(SRC, join(SRC, dirname(file), path)),
    );
    return { file, text, imports };
  });

const layerOf = (file: string) => (file.startsWith('web/page/') ? 'web/page' : (file.split('/')[0] ?? file));

/** Calls that read a clock or arm a timer. */
const TIME =
  /\b(Date\.now|performance\.now|set(?:Timeout|Interval|Immediate)|AbortSignal\.timeout)\b|new Date\(\)/;

describe('the house', () => {
  it('has a place for every file', () => {
    expect(new Set(sources.map(({ file }) => layerOf(file)))).toEqual(new Set(Object.keys(LAYERS)));
  });

  it('is entered from above only: no file imports from a layer that is not below its own', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter(
          (target) => layerOf(target) !== layerOf(file) && !LAYERS[layerOf(file)]?.includes(layerOf(target)),
        )
        .map((target) => `${file} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('takes nothing of the server into the page but the types of what goes over the wire', () => {
    const page = sources.filter(({ file }) => layerOf(file) === 'web/page');
    const taken = page.flatMap(({ file, imports }) =>
      imports.filter((target) => layerOf(target) !== 'web/page').map((target) => `${file} → ${target}`),
    );
    expect(taken).toEqual(['web/page/wire.ts → web/schemas.ts']);
    const wire = page.find(({ file }) => file === 'web/page/wire.ts')?.text ?? '';
    expect(wire).toMatch(/^import type \{[^}]*\} from '\.\.\/schemas\.ts';$/m);
  });

  it('has no cycles', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const target of sources.find((source) => source.file === file)?.imports ?? [])
        walk(target, [...path, file]);
      done.add(file);
    };
    for (const { file } of sources) walk(file, []);
    expect(cycles).toEqual([]);
  });

  it(`has no file of more than ${LONGEST_FILE} lines`, () => {
    const long = sources.map(({ file, text }) => `${file}: ${text.split('\n').length}`);
    expect(long.filter((line) => Number(line.split(': ')[1]) > LONGEST_FILE)).toEqual([]);
  });

  it('tells the time in one file only, and in one of the page', () => {
    expect(sources.filter(({ text }) => TIME.test(text)).map(({ file }) => file)).toEqual([
      'runtime/clock.ts',
      'web/page/clock.ts',
    ]);
  });

  it('touches the process in one file only', () => {
    const touching = sources.filter(({ text }) => /\bprocess\.\w|from 'node:process'/.test(text));
    expect(touching.map(({ file }) => file)).toEqual(['main.ts']);
  });

  it('loads no package for its version and its health check that they do not need', () => {
    const packagesOf = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
      seen.add(file);
      const text = sources.find((source) => source.file === file)?.text ?? '';
      for (const [, target = ''] of text.matchAll(/^import (?!type\b)[^;]*?from '([^']+)'/gm)) {
        const own = target.startsWith('.') ? relative(SRC, join(SRC, dirname(file), target)) : target;
        if (!seen.has(own)) packagesOf(own, seen);
      }
      return new Set([...seen].filter((name) => !name.endsWith('.ts') && !name.startsWith('node:')));
    };
    expect(packagesOf('main.ts')).toEqual(new Set(['commander']));
    expect(packagesOf('cli/health.ts')).toEqual(new Set(['commander', 'convict', 'mqtt-packet', 'yaml']));
  });

  it('has neither default exports, nor barrels, nor escapes from the types', () => {
    const escapes = /export default|export \* from|: any\b|as any\b|@ts-|biome-ignore|\w!\.|\w!;/;
    expect(sources.filter(({ text }) => escapes.test(text)).map(({ file }) => file)).toEqual([]);
  });
});
