import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'acorn';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newerNames } from './newer-names.ts';

let folder: string;
let files: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  await build({ logLevel: 'warn', build: { outDir: folder } });
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const read = names
    .filter((entry) => entry.isFile())
    .map(async ({ parentPath, name }) => [name, await readFile(join(parentPath, name))] as const);
  files = new Map(await Promise.all(read));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const texts = (...endings: string[]) =>
  [...files]
    .filter(([name]) => endings.some((ending) => name.endsWith(ending)))
    .map(([name, bytes]) => ({ name, text: bytes.toString('utf8') }));

describe('the page as it is built', () => {
  it('is at most 100 kB, compressed, with all that it is made of', () => {
    const loaded = [...files].filter(([name]) => /\.(js|css|html|svg|webmanifest)$/.test(name));
    const sizes = loaded.map(([, bytes]) => gzipSync(bytes).length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeLessThan(100_000);
    expect(total).toBeGreaterThan(20_000);
  });

  it('has one script and one style sheet, and a worker for where there is HTTPS', () => {
    expect(
      texts('.js')
        .map(({ name }) => name.replace(/-[\w-]{8}\./, '-HASH.'))
        .sort(),
    ).toEqual(['index-HASH.js', 'sw.js']);
    expect(texts('.css')).toHaveLength(1);
  });

  it('has no syntax that Safari 12 and Chrome 63 do not know', () => {
    for (const { name, text } of texts('.js')) {
      // What modules need (import.meta, which both know) is not part of ES2017; all else is held to it.
      const script = text.replace(/import\.meta\.url/g, '"url"');
      expect(() => parse(script, { ecmaVersion: 2017, sourceType: 'module' }), name).not.toThrow();
    }
  });

  it('uses nothing of the browser that came after Safari 12 and Chrome 63', () => {
    for (const { name, text } of texts('.js')) expect(newerNames(text), name).toEqual([]);
  });

  it('would notice if it did', () => {
    const script =
      'const { x } = globalThis; x.flatMap((y) => y); new Intl.PluralRules("en", { dateStyle: "full" })';
    expect(newerNames(script)).toEqual(['PluralRules', 'dateStyle', 'flatMap', 'globalThis']);
  });

  it('uses nothing in its style sheet without which these two would lay it out otherwise', () => {
    const css = texts('.css')
      .map(({ text }) => text)
      .join('\n');
    const newer =
      /[;{](?:gap|row-gap|inset|aspect-ratio):|:(?:has|is|where)\(|\b(?:clamp|min|max)\(|\d[dsl]v[hw]\b|@layer|@container|color-mix|&/g;
    expect([...css.matchAll(newer)].map(([found]) => found)).toEqual([]);
  });

  it('asks nothing of anybody else: every address in it is its own', () => {
    for (const { name, text } of texts('.js', '.css', '.html', '.webmanifest')) {
      const foreign = [...text.matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s"'`)]*/g)].map(([found]) => found);
      expect(
        foreign.filter((address) => !address.includes('www.w3.org/')),
        name,
      ).toEqual([]);
    }
  });

  it('has addresses that are relative, so that it works below any path', () => {
    const html = files.get('index.html')?.toString('utf8') ?? '';
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(3);
    expect(addresses.filter((address) => !address?.startsWith('./'))).toEqual([]);
  });

  it('has no script and no style within its HTML, which a strict policy would not run', () => {
    const html = files.get('index.html')?.toString('utf8') ?? '';
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });
});
