import type { Logger } from 'pino';
import type { BrokerOptions } from '../../src/mqtt/broker.ts';
import { SystemClock } from '../../src/runtime/clock.ts';

/** What an embedded broker needs that listens at one address, and lets in everybody or one user. */
export function brokerOptions(
  log: Logger,
  login: { username?: string; password?: string } = {},
  { host = '127.0.0.1', port = 0 }: { host?: string; port?: number } = {},
): BrokerOptions {
  const { username, password = '' } = login;
  const free = { publish: undefined, subscribe: undefined, rate: undefined };
  return {
    listeners: [{ host, port, option: 'broker.listen' }],
    users: username === undefined ? [] : [{ name: username, password, ...free }],
    clock: new SystemClock(),
    log,
  };
}
