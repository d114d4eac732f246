import type { Logger } from 'pino';

/** Why a connection ended, or could not be made. */
export interface Disconnect {
  /** Whether the broker had taken the login. */
  readonly connected: boolean;
  /** The broker's reason code, if it gave one. */
  readonly code: number | undefined;
  /** Whether the broker took the TCP connection and closed it without an answer to CONNECT. */
  readonly unanswered: boolean;
  /** Whether the bridge ended it, as the broker did not do what it should. */
  readonly givenUp?: boolean;
  readonly message: string;
}

/** Reason codes of MQTT 3.1.1 and 5. */
const WRONG_VERSION = new Set([1, 132]);
const REFUSED_LOGIN = new Set([4, 5, 134, 135]);
const TAKEN_OVER = 142;
/** Unspecified, malformed, not allowed, topic invalid, too large, over a quota, not supported. */
const PACKET_FAULTS = new Set([128, 129, 130, 131, 135, 144, 149, 151, 153, 154, 155]);

/** Whether the broker does not speak the version of MQTT that it was asked to. */
export function refusesVersion({ connected, code }: Disconnect): boolean {
  return !connected && WRONG_VERSION.has(code ?? 0);
}

/** Whether the broker does not take the user name or password. */
export function refusesLogin({ code }: Disconnect): boolean {
  return REFUSED_LOGIN.has(code ?? 0);
}

/** Whether another client with the same id took over. */
export function isTakenOver({ code }: Disconnect): boolean {
  return code === TAKEN_OVER;
}

/** Whether the broker may have closed the connection over a packet that it was sent: many close without a reason. */
export function mayBlamePacket({ code }: Disconnect): boolean {
  return code === undefined || PACKET_FAULTS.has(code);
}

/** What else the log line about a disconnect depends on. */
export interface DisconnectContext {
  readonly broker: string;
  readonly clientId: string;
  /** Whether it is the first failure in a row: it is logged aloud, the others quietly. */
  readonly first: boolean;
  /** Whether another client took over, or it looks like that. */
  readonly takenOver: boolean;
  readonly log: Logger;
}

export function logDisconnect(disconnect: Disconnect, context: DisconnectContext): void {
  const { broker, clientId, first, takenOver, log } = context;
  const { connected } = disconnect;
  const details = { broker, reason: disconnect.message };
  if (takenOver) {
    log.error(
      { ...details, clientId },
      isTakenOver(disconnect)
        ? 'another client uses the same mqtt.clientId and took over; give each bridge its own'
        : 'the broker ends one connection after the other; another client may use the same mqtt.clientId: give each bridge its own',
    );
  } else if (refusesLogin(disconnect)) {
    if (first) log.error(details, 'the broker refuses the login; check mqtt.username and mqtt.password');
  } else if (connected || first)
    log.warn(details, connected ? 'lost the broker' : 'cannot reach the broker; trying again');
  else log.debug(details, 'cannot reach the broker');
}

/** A broker's address as it may be shown: without what might be a password. */
export function publicAddress(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return 'the broker';
  }
}
