/** How long the last messages may take at the end. */
export const SHUTDOWN_MS = 1500;

/** One message to a topic. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: 0 | 1;
  /**
   * Waits for a connection, and is sent again after a reconnect if it has not been sent, at QoS 1 confirmed. Retained
   * state is published anew instead.
   */
  readonly keep?: boolean;
  /** Goes before others while the broker is slow, as what is to be kept does. */
  readonly urgent?: boolean;
  /** The embedded broker: is sent again, for a minute after its start at most, until a client has received it. */
  readonly awaitSubscriber?: boolean;
  /**
   * QoS 1, or to be kept: called once the broker has confirmed or refused the message, or it has been given up; at QoS 0
   * once it has been written.
   */
  readonly taken?: () => void;
  /** MQTT 5. */
  readonly correlationData?: Buffer;
}

/** One message that arrived on a topic subscribed to. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** MQTT 5: where the sender wants the answer, and what is to come with it. */
  readonly responseTopic: string | undefined;
  readonly correlationData: Buffer | undefined;
  /** QoS 1: the number that the broker, or the client of the embedded one, has given this delivery. */
  readonly packetId: number | undefined;
  /** Whether it may have been received before, with the same number, in a session that was resumed. */
  readonly dup: boolean;
  /** MQTT 5: how long the message is still valid. */
  readonly expiresInMs: number | undefined;
}

/** A topic filter that the broker does not grant, and its reason code; 128 says nothing more. */
export interface RefusedFilter {
  readonly filter: string;
  readonly code: number;
}

/** What a session needs to know after a restart, so that the broker keeps commands for it meanwhile. */
export interface SessionMemory {
  readonly clientId: string;
  /** Whether a person chose the client id: another client may have the same then. */
  readonly isIdChosen: boolean;
  /** The topic filters that the broker holds for this client; `null` if that is not known. */
  filters(): string | null;
  rememberFilters(key: string): void;
}

/** How far the way to the broker is open: `subscribed` once commands arrive too. */
export type SessionStatus = 'away' | 'connected' | 'subscribed';

/** What those see of the connection to the broker who publish and listen. */
export interface MqttSession {
  readonly status: SessionStatus;
  /** The name of this client at the broker; `null` where it is part of it. */
  readonly clientId: string | null;
  /** Sends a message; one that is not to be kept is dropped while there is no connection. */
  publish(message: Message): void;
  /** Whether the broker takes no more at the moment; `whenFree` says when it does. */
  readonly congested: boolean;
  whenFree(resume: () => void): void;
  /** Topic filters that the broker does not grant at the moment: what is sent there does not arrive. */
  readonly refused: readonly RefusedFilter[];
  /** Calls `connected` after each connect, when everything retained is to be published anew; at once if connected. */
  onConnect(connected: () => void): void;
  /** Calls `delivered` each time the broker has taken everything sent at QoS 1. */
  onDelivered(delivered: () => void): void;
  /**
   * Subscribes at each connect, and hands all messages that arrive to `received`. At QoS 1 the broker keeps messages
   * for a bridge that is away; the default is QoS 0. The same listener may ask for more later.
   */
  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos?: 0 | 1): void;
}
