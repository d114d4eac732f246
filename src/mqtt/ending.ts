import type { Logger } from 'pino';

/** Why a connection ended; `code` is the broker's reason code, if it gave one. */
export interface Ending {
  readonly connected: boolean;
  readonly code: number | undefined;
  readonly message: string;
}

/** Reason codes of MQTT 3.1.1 and 5. */
const WRONG_VERSION = new Set([1, 132]);
const REFUSED_LOGIN = new Set([4, 5, 134, 135]);
const TAKEN_OVER = 142;

/** Whether the broker does not speak the version of MQTT that it was asked to. */
export function refusesVersion({ connected, code }: Ending): boolean {
  return !connected && WRONG_VERSION.has(code ?? 0);
}

/** Whether the broker does not take the user name or password. */
export function refusesLogin({ code }: Ending): boolean {
  return REFUSED_LOGIN.has(code ?? 0);
}

/** Whether another client with the same id took over. */
export function isTakenOver({ code }: Ending): boolean {
  return code === TAKEN_OVER;
}

/** Tells of the first failure in a row aloud, of the others quietly; `ousted` is being taken over, or what looks like it. */
export function report(
  ending: Ending,
  {
    broker,
    clientId,
    first,
    ousted,
    log,
  }: { broker: string; clientId: string; first: boolean; ousted: boolean; log: Logger },
): void {
  const { connected } = ending;
  const details = { broker, reason: ending.message };
  if (ousted) {
    log.error(
      { ...details, clientId },
      isTakenOver(ending)
        ? 'another client uses the same mqtt.clientId and took over; give each bridge its own'
        : 'the broker ends one connection after the other; another client may use the same mqtt.clientId: give each bridge its own',
    );
  } else if (refusesLogin(ending)) {
    if (first) log.error(details, 'the broker refuses the login; check mqtt.username and mqtt.password');
  } else if (connected || first)
    log.warn(details, connected ? 'lost the broker' : 'cannot reach the broker; trying again');
  else log.debug(details, 'cannot reach the broker');
}

/** A broker's address as it may be shown: without what might be a password. */
export function place(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return 'the broker';
  }
}
