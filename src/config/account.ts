import { type Login, loginsOf } from '../protocol/klap.ts';
import type { Config } from './schema.ts';

/** The logins of the accounts that stand in one `kasa:` or another, made when they are first asked for. */
export function loginsFrom(accounts: readonly Config['kasa'][]): () => readonly Login[] {
  let logins: readonly Login[] | undefined;
  return () => {
    logins ??= loginsOf(
      accounts.flatMap(({ username, password }) =>
        username === undefined || password === undefined ? [] : [{ username, password }],
      ),
    );
    return logins;
  };
}
