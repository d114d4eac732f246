import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explainConfig } from '../../src/config/explain.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { leaves, variableOf } from '../../src/config/option.ts';
import { configReference } from '../../src/config/reference.ts';
import { SCHEMA } from '../../src/config/schema.ts';
import { FakeShell } from '../support/fake-shell.ts';

function committed(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

async function printedBy(...argv: string[]): Promise<string> {
  const shell = new FakeShell();
  expect(await shell.run(...argv)).toBe(0);
  return `${shell.output}\n`;
}

const outOfDate = (file: string) => `${file} is out of date: npm run generate`;

describe('what is made from the schema of the configuration', () => {
  it('is up to date in config/schema.json', async () => {
    const made = await printedBy('config', 'schema');
    expect(made, outOfDate('config/schema.json')).toBe(committed('config/schema.json'));
  });

  it('is up to date in docs/configuration.md', async () => {
    const made = await printedBy('config', 'docs');
    expect(made, outOfDate('docs/configuration.md')).toBe(committed('docs/configuration.md'));
  });

  it('names every option in the page of the documentation, once', () => {
    const page = configReference();
    for (const [name] of leaves(SCHEMA)) {
      expect(page.split(`\n| \`${name}\` | \`${variableOf(name)}\` |`)).toHaveLength(2);
    }
  });

  it('describes every option in the JSON Schema, with its default', () => {
    const text = JSON.stringify(configJsonSchema());
    for (const [, leaf] of leaves(SCHEMA)) {
      expect(text).toContain(`"description":${JSON.stringify(leaf.doc)}`);
      if (leaf.initial !== undefined) expect(text).toContain(`"default":${JSON.stringify(leaf.initial)}`);
    }
  });
});

describe('the example config/museum.yaml', () => {
  const sources = {
    file: { name: 'museum.yaml', text: committed('config/museum.yaml') },
    env: {},
    flags: new Map<string, string>(),
    readFile: () => '',
  };

  it('is a valid configuration', () => {
    const { plugs, places } = loadConfig(sources);
    expect(plugs.map(({ path }) => path)).toContain('east-wing/lamp-1');
    expect(Object.keys(places)).toEqual(['east-wing']);
  });

  it('tells editors where the schema is', () => {
    expect(sources.file.text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
  });

  it('writes out defaults as they are', () => {
    const defaults = new Map([...leaves(SCHEMA)].map(([name, { initial }]) => [name, initial]));
    const differing = explainConfig(sources)
      .filter(({ name, source }) => source === 'file' && defaults.has(name))
      .filter(({ name, value }) => value !== defaults.get(name))
      .map(({ name }) => name);
    expect(differing).toEqual(['mqtt.url', 'mqtt.username']);
  });
});
