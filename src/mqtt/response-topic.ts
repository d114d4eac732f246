/** Where receipts may go that a command asks to be sent to a topic of its own choice. */
export interface ResponseTopicRules {
  /** The bridge's own base topic. */
  readonly base: string;
  /** Where Home Assistant looks for devices. */
  readonly discoveryPrefix: string;
  /** Only topics below this one are allowed, if it is set. */
  readonly responsePrefix?: string | undefined;
}

/** Brokers have limits of their own, and may close the connection of a client that publishes beyond them. */
const MAX_BYTES = 512;
const MAX_LEVELS = 32;

/** What no topic of a PUBLISH holds, or for which brokers close the connection. */
const FORBIDDEN = /[+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/**
 * Why a receipt is not sent to `topic`, which a command named as its response topic; `undefined` if it is. A
 * client that may publish only commands must not be able to have the bridge publish on topics of others.
 */
export function responseTopicProblem(topic: string, rules: ResponseTopicRules): string | undefined {
  const { base, discoveryPrefix, responsePrefix } = rules;
  if (Buffer.byteLength(topic) > MAX_BYTES) return `it has more than ${MAX_BYTES} bytes`;
  if (topic.split('/').length > MAX_LEVELS) return `it has more than ${MAX_LEVELS} levels`;
  if (FORBIDDEN.test(topic)) return 'it holds a wildcard or a control character';
  if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker';
  if (isWithin(topic, base)) return `topics below ${base} are the bridge's own`;
  if (isWithin(topic, discoveryPrefix)) return `topics below ${discoveryPrefix} announce devices`;
  if (responsePrefix !== undefined && !topic.startsWith(`${responsePrefix}/`))
    return `mqtt.responsePrefix allows only topics below ${responsePrefix}`;
  return undefined;
}

function isWithin(topic: string, root: string): boolean {
  return topic === root || topic.startsWith(`${root}/`);
}
