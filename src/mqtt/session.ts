/** How long the last messages may take at the end. */
export const FAREWELL_MS = 1500;

/** One message to a topic. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: 0 | 1;
  /** QoS 1: sent again after a reconnect if the broker has not confirmed it. Retained state is published anew instead. */
  readonly keep?: boolean;
  /** QoS 1, MQTT 5. */
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
}

/** What those see of the connection to the broker who publish and listen. */
export interface MqttSession {
  /** Sends a message; one that is not to be kept is dropped while there is no connection. */
  publish(message: Message): void;
  /** Whether the broker takes no more at the moment; `whenFree` says when it does. */
  readonly congested: boolean;
  whenFree(resume: () => void): void;
  /** Calls `connected` after each connect, when everything retained is to be published anew; at once if connected. */
  onConnect(connected: () => void): void;
  /** Calls `delivered` each time the broker has taken everything sent at QoS 1. */
  onDelivered(delivered: () => void): void;
  /**
   * Subscribes at each connect, and hands all messages that arrive to `received`. At QoS 1 the broker keeps messages
   * for a bridge that is away; the default is QoS 0.
   */
  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos?: 0 | 1): void;
}
