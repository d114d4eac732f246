import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is fetched is kept for the next run. */
const FOLDER = join(tmpdir(), 'hs110-mqtt-brokers');

/** Why brokers written in Java cannot be had; `undefined` if they can. */
export const noJava: string | undefined = ['java', 'mvn'].every(
  (program) => spawnSync(program, ['-version']).status === 0,
)
  ? undefined
  : 'java or mvn is not installed';

/** A library and all that it depends on, as a class path; Maven fetches it if it is not there. */
export function classPath(group: string, artifact: string, version: string): string {
  const folder = join(FOLDER, `${artifact}-${version}`);
  if (existsSync(folder)) return join(folder, '*');
  const fetched = `${folder}.part`;
  mkdirSync(fetched, { recursive: true });
  const coordinates = (g: string, a: string, v: string) =>
    `<groupId>${g}</groupId><artifactId>${a}</artifactId><version>${v}</version>`;
  const dependencies = `<dependencies><dependency>${coordinates(group, artifact, version)}</dependency></dependencies>`;
  const pom = join(FOLDER, `${artifact}.xml`);
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion>${coordinates('test', 'broker', '1')}${dependencies}</project>\n`,
  );
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fetched}`];
  execFileSync('mvn', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  renameSync(fetched, folder);
  return join(folder, '*');
}
