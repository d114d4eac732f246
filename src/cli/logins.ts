import { loginsFrom } from '../config/account.ts';
import { loadConfig } from '../config/load.ts';
import type { Login } from '../protocol/klap.ts';
import { sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';

/**
 * The logins that a plug asked at a shell may answer to: those of the environment, of the file that it names, or of the
 * default one. They are read once a plug wants a login; the function returned then throws ConfigError if they cannot be.
 */
export function loginsAt(shell: Shell): () => readonly Login[] {
  return () => {
    const { kasa, plugs } = loadConfig(sourcesOf(shell, { file: undefined, options: new Map() }));
    return loginsFrom([kasa, ...plugs.map((plug) => plug.kasa)])();
  };
}
