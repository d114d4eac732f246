import { isIP } from 'node:net';

/** What of a request says where it comes from. */
export interface Provenance {
  readonly method: string;
  /** The name and port by which the bridge is asked. */
  readonly host: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
  /** Whether a proxy passed it on that is trusted to know who asks; some leave the port out of the name. */
  readonly isProxied: boolean;
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
export function rejectionOf(provenance: Provenance, names: ReadonlySet<string>): Rejection | undefined {
  const { method, host, contentType, isProxied } = provenance;
  if (!isProxied && !isOwnName(nameOf(host), names)) {
    const message = 'this name is not one of the bridge; add it to web.hosts, or ask by address';
    return { status: 421, code: 'unknown-host', message };
  }
  if (READING.has(method)) return undefined;
  if (!isFromHere(provenance, names))
    return { status: 403, code: 'cross-site', message: 'this was sent by a page from elsewhere' };
  if (contentType !== undefined && !/^application\/json\s*(;|$)/i.test(contentType))
    return { status: 415, code: 'not-json', message: 'send application/json' };
  return undefined;
}

/** Whether what sends it is no page, or one of ours. A page on another port of the same machine is not. */
function isFromHere({ host, origin, fetchSite, isProxied }: Provenance, names: ReadonlySet<string>): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin' || fetchSite === 'none';
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  const isSame = from.host === host.toLowerCase() || (isProxied && from.hostname === nameOf(host));
  return isSame || names.has(from.hostname);
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
    .replace(/\.$/, '')
    .toLowerCase();
}
