import { randomBytes } from 'node:crypto';
import { BridgeError, ConfigError } from '../errors.ts';
import { FOR_PEOPLE, hashPassword } from '../runtime/password-hash.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { hasUsers, putUser } from '../store/users.ts';
import type { WebContext } from './context.ts';
import { Events } from './events.ts';
import type { IdentifyOptions } from './identify.ts';
import type { ServerOptions } from './server.ts';

type Made = 'events' | 'identifier' | 'login';

export interface WebOptions extends ServerOptions, IdentifyOptions, Omit<WebContext, Made> {
  /** Whether somebody wants the page there: else a port that is taken is only warned of. */
  readonly isConfigured: boolean;
  /** Password of the user `admin`, who is added while there are no users. */
  readonly adminPassword: string | undefined;
}

/** Serves the page for the staff, and the API that it uses. */
export class Web implements Task {
  readonly name = 'web';
  readonly #options: WebOptions;
  #port: number | undefined;

  constructor(options: WebOptions) {
    this.#options = options;
  }

  /** Where it listens, once it is ready; `undefined` if it does not. */
  get port(): number | undefined {
    return this.#port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, isConfigured, log } = this.#options;
    await this.#addAdmin();
    this.#demandUsers();
    // Loaded only where it is used.
    const [{ buildServer, listen }, { Identifier }, { Login }] = await Promise.all([
      import('./server.ts'),
      import('./identify.ts'),
      import('./login.ts'),
    ]);
    const events = new Events({ ...this.#options, epoch: randomBytes(4).toString('hex') });
    const made = { events, identifier: new Identifier(this.#options), login: new Login(clock) };
    const app = await buildServer(this.#options, { ...this.#options, ...made });
    events.start();
    try {
      this.#port = await listen(app, this.#options);
      log.info({ url: this.#url() }, 'the page is served');
    } catch (error) {
      if (isConfigured || !(error instanceof BridgeError)) throw error;
      log.warn({ hint: error.message }, 'the page is not served');
    }
    ready();
    await aborted(signal);
    events.stop();
    await app.close();
  }

  #url(): string {
    const { host, tls } = this.#options;
    const name = host.includes(':') ? `[${host}]` : host;
    return `${tls === undefined ? 'http' : 'https'}://${name}:${this.#port}/`;
  }

  async #addAdmin(): Promise<void> {
    const { database, adminPassword, log } = this.#options;
    if (adminPassword === undefined || hasUsers(database)) return;
    const password = await hashPassword(adminPassword, FOR_PEOPLE);
    putUser(database, { name: 'admin', role: 'admin', places: null, password });
    log.info('the user admin was added');
  }

  /** Nothing is open to the network without a password. Throws ConfigError. */
  #demandUsers(): void {
    const { isLocal, ingress, database, host } = this.#options;
    if (isLocal || ingress !== 'off' || hasUsers(database)) return;
    throw new ConfigError([
      `the page can be reached from elsewhere (web.listen ${host}, web.hosts, web.trustProxy), but it has no users: add one with \`hs110-mqtt user add NAME --role admin\`, or set web.admin.password`,
    ]);
  }
}
