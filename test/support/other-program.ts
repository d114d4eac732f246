import { spawnSync } from 'node:child_process';
import process from 'node:process';

/** Debian has some programs where only root looks. */
export const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** Why the tests that need a program cannot run; `undefined` if they can. `where` says where it comes from. */
export function missingProgram(name: string, where: string, argument = '--version'): string | undefined {
  const { error } = spawnSync(name, [argument], { env: ENV });
  return error === undefined ? undefined : `${name} is not installed (${where})`;
}

/** Why the tests that need Prometheus cannot run; `undefined` if they can. */
export const noPrometheus = missingProgram('promtool', "Debian's package prometheus");
