import { PlugError, type Reason } from '../errors.ts';
import type { Address } from './transport.ts';

const REASONS: ReadonlyMap<string, [Reason, string]> = new Map([
  ['ECONNREFUSED', ['refused', 'refuses connections']],
  ['EHOSTUNREACH', ['unreachable', 'cannot be reached']],
  ['EHOSTDOWN', ['unreachable', 'cannot be reached']],
  ['ENETUNREACH', ['unreachable', 'is in a network that cannot be reached']],
  ['EADDRNOTAVAIL', ['unreachable', 'cannot be reached from here']],
  ['ETIMEDOUT', ['timeout', 'did not accept a connection in time']],
  ['ENOTFOUND', ['unknown-host', 'is a name that does not resolve']],
  ['EAI_AGAIN', ['unknown-host', 'is a name that does not resolve at the moment']],
  ['ECONNRESET', ['reset', 'reset the connection']],
  ['EPIPE', ['reset', 'reset the connection']],
  ['EMFILE', ['no-sockets', 'was not asked: this process may open no more sockets (raise `ulimit -n`)']],
  ['ENFILE', ['no-sockets', 'was not asked: this machine may open no more sockets']],
]);

/** What a socket's error means for `plug`, which is called that in messages. */
export function socketError(error: NodeJS.ErrnoException, plug: string): PlugError {
  const [reason, words] = REASONS.get(error.code ?? '') ?? [
    'unreachable',
    `cannot be reached: ${error.message}`,
  ];
  return new PlugError(reason, `${plug} ${words}`, { cause: error });
}

/** An address as messages call it. */
export function nameOf(address: Address | undefined): string {
  if (address === undefined) return 'the plug';
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
