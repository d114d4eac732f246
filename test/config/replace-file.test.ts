import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReadOnlyFile, replaceFile } from '../../src/config/replace-file.ts';
import { thrownBy } from '../support/thrown.ts';

describe('a file that is replaced', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
    file = join(folder, 'museum.yaml');
    writeFileSync(file, 'old', { mode: 0o640 });
  });

  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });

  it('has the new text and its old mode, and nothing else is in its folder', () => {
    writeFileSync(join(folder, '.museum.yaml.part'), 'left by a run that was killed');
    replaceFile(file, 'old', 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['museum.yaml']);
  });

  it('is the one that a link leads to, in its own folder, and the link stays', () => {
    mkdirSync(join(folder, 'etc'));
    const link = join(folder, 'etc', 'link.yaml');
    symlinkSync('../museum.yaml', link);
    replaceFile(link, 'old', 'new');
    expect(readlinkSync(link)).toBe('../museum.yaml');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'etc'))).toEqual(['link.yaml']);
  });

  it('is left alone if somebody has changed it meanwhile', () => {
    expect(thrownBy(() => replaceFile(file, 'older', 'new'))).toMatchObject({ code: 'file-changed' });
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['museum.yaml']);
  });

  it('is left alone if it is write-protected, by root too, or not there', () => {
    chmodSync(file, 0o440);
    expect(thrownBy(() => replaceFile(file, 'old', 'new'))).toBeInstanceOf(ReadOnlyFile);
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(thrownBy(() => replaceFile(join(folder, 'no.yaml'), 'old', 'new'))).toBeInstanceOf(ReadOnlyFile);
  });
});
