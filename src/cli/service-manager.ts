import { spawn } from 'node:child_process';
import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { Clock, Timer } from '../runtime/clock.ts';

export interface ServiceManagerOptions {
  readonly env: { readonly [name: string]: string | undefined };
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Tells systemd how the bridge is, where that started it and wants to know (Type=notify, WatchdogSec=). Node has no
 * sockets of that kind: systemd's own program speaks for it, so the unit needs NotifyAccess=all.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #watchdog: Timer;
  readonly #everyMs: number | undefined;
  #failed = false;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#everyMs = watchdogMs(options.env);
    this.#watchdog = options.clock.timer(() => this.#beat());
  }

  /** Everything runs. From now on the watchdog hears of it. */
  ready(): void {
    this.#notify('READY=1');
    if (this.#everyMs !== undefined) this.#watchdog.set(this.#everyMs);
  }

  /** The end has begun. */
  stopping(): void {
    this.#watchdog.clear();
    this.#notify('STOPPING=1');
  }

  /** A bridge whose event loop hangs does not get here, and is started anew. */
  #beat(): void {
    this.#notify('WATCHDOG=1');
    if (this.#everyMs !== undefined) this.#watchdog.set(this.#everyMs);
  }

  #notify(state: string): void {
    const { env, log } = this.#options;
    if (!env.NOTIFY_SOCKET) return;
    const told = spawn('systemd-notify', [state], {
      stdio: 'ignore',
      env: { NOTIFY_SOCKET: env.NOTIFY_SOCKET, PATH: env.PATH },
    });
    told.unref();
    told.on('error', (error) => {
      if (!this.#failed) log.warn({ reason: messageOf(error) }, 'systemd cannot be told how the bridge is');
      this.#failed = true;
    });
  }
}

/** Half of the time after which systemd takes silence for a hang. */
function watchdogMs({ WATCHDOG_USEC }: ServiceManagerOptions['env']): number | undefined {
  const microseconds = Number(WATCHDOG_USEC);
  return microseconds > 0 ? microseconds / 2000 : undefined;
}
