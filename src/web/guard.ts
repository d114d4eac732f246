import { isIP } from 'node:net';

/** What of a request says where it comes from. */
export interface Provenance {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
}

/** Why a request is turned away. */
export interface Rejection {
  readonly status: 403 | 415 | 421;
  readonly code: string;
  readonly message: string;
}

const READING = new Set(['GET', 'HEAD']);

/**
 * Why a request is not served, whoever sends it: a page from elsewhere that had its own name point here (DNS
 * rebinding), or one that sends something in the name of its visitor (CSRF).
 */
export function rejectionOf(
  { method, host = '', origin, fetchSite, contentType }: Provenance,
  names: ReadonlySet<string>,
): Rejection | undefined {
  if (!isOwnName(nameOf(host), names)) {
    const message = 'this name is not one of the bridge; add it to web.hosts, or ask by address';
    return { status: 421, code: 'unknown-host', message };
  }
  if (READING.has(method)) return undefined;
  if (fetchSite === 'cross-site' || (origin !== undefined && !isSameHost(origin, host)))
    return { status: 403, code: 'cross-site', message: 'this was sent by a page from elsewhere' };
  if (contentType !== undefined && !/^application\/json\b/i.test(contentType))
    return { status: 415, code: 'not-json', message: 'send application/json' };
  return undefined;
}

/** Names that nobody else can have point here: addresses, the machine itself, its local network; and configured ones. */
function isOwnName(name: string, names: ReadonlySet<string>): boolean {
  return (
    isIP(name) !== 0 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name.endsWith('.local') ||
    names.has(name)
  );
}

function nameOf(host: string): string {
  return host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
