import { baseTopicProblem } from '../mqtt/topics.ts';
import { brokerUsers } from './broker-users.ts';
import { leaf, open, type Schema, secret } from './option.ts';
import { brokerUrl, duration, endpoint, flag, listOf, oneOf, type Type, text } from './types.ts';

/** A topic with no wildcard, below which others are. */
export const baseTopic: Type<string> = {
  ...text,
  expects: 'a topic such as museum',
  read(raw) {
    const topic = text.read(raw);
    const problem = topic === undefined ? undefined : baseTopicProblem(topic);
    if (problem !== undefined) throw new RangeError(`a base topic ${problem}`);
    return topic;
  },
};

const qos: Type<0 | 1> = {
  expects: '0 or 1',
  schema: { enum: [0, 1] },
  read: (raw) => (String(raw) === '0' ? 0 : String(raw) === '1' ? 1 : undefined),
};

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** The broker that is used, and what is published there. */
export const MQTT = {
  url: open(
    'The broker, or several to be tried in turn. Left out: the embedded broker is started and used.',
    listOf(brokerUrl),
  ),
  baseTopic: leaf('All topics begin with this.', baseTopic, 'museum'),
  username: open('Name to log in with.', text),
  password: secret('Password to log in with.'),
  clientId: open(
    'Name of this client at the broker; must be its own. Left out: one is made up at each start.',
    text,
  ),
  version: leaf(
    'Protocol: `auto` tries MQTT 5 and falls back to 3.1.1.',
    oneOf('auto', '5', '3.1.1'),
    'auto',
  ),
  keepalive: leaf(
    'How long the connection may be silent before it is checked.',
    duration(SECOND, 65_535 * SECOND),
    '30s',
  ),
  ca: open(
    'File with the certificate of the authority that signed the certificate of the broker (PEM).',
    text,
  ),
  cert: open('File with the certificate of this client (PEM).', text),
  key: open('File with the key of that certificate (PEM).', text),
  rejectUnauthorized: leaf(
    'Whether a broker with a certificate that cannot be verified is refused.',
    flag,
    true,
  ),
  onLoginRefused: leaf('What to do when the broker refuses the login.', oneOf('retry', 'exit'), 'retry'),
  output: leaf(
    'Publish states as JSON, as one topic per value (`flat`), or both.',
    oneOf('json', 'flat', 'both'),
    'both',
  ),
  responsePrefix: open(
    'MQTT 5: response topics that commands name are served only below this topic. Left out: anywhere but in the topics of the bridge and of Home Assistant.',
    baseTopic,
  ),
  offlineValues: leaf(
    'What becomes of the values of a plug that is offline: they stay as they were last (`keep`), or are taken back, so that dashboards draw no flat lines (`clear`).',
    oneOf('keep', 'clear'),
    'keep',
  ),
  publishPlaces: leaf(
    'Whether the states of places are published; commands for places work either way.',
    flag,
    true,
  ),
  qos: {
    state: leaf(
      'QoS of states. At 1 each message is confirmed by the broker: for brokers that do not retain QoS 0 (Moquette), at the price of more traffic and later commands.',
      qos,
      0,
    ),
    receipt: leaf('QoS of receipts. At 0 one may be lost with the connection.', qos, 1),
  },
  heartbeat: leaf('An unchanged state is published again after this time.', duration(SECOND, DAY), '60s'),
} as const satisfies Schema;

/** The broker inside. */
export const BROKER = {
  listen: leaf(
    'Where the embedded broker listens. Other than on the loopback address it needs a password.',
    endpoint(1883),
    '127.0.0.1:1883',
  ),
  username: open('Name that clients of the embedded broker must give.', text),
  password: secret('Password that clients of the embedded broker must give.'),
  users: {
    ...open(
      'Users of the embedded broker: a list, each with `name`, `password` (a hash that `hs110-mqtt hash-password` makes), and, left out where there are no limits, `publish` and `subscribe` (topic filters), and `rate` (messages a second).',
      brokerUsers,
    ),
    secret: true,
  },
  tls: {
    listen: open('Where the embedded broker listens for TLS as well.', endpoint(8883)),
    cert: open('File with its certificate (PEM).', text),
    key: open('File with the key of that certificate (PEM).', text),
    clientCa: open(
      'File with the certificate of an authority (PEM); clients must then have a certificate signed by it.',
      text,
    ),
  },
  webSocket: {
    listen: open('Where the embedded broker listens for MQTT over WebSockets as well.', endpoint(9001)),
    secure: leaf('Whether that is over TLS, with the certificate of `broker.tls`.', flag, false),
  },
  allowAnonymous: leaf('Let the embedded broker be open to the network without a password.', flag, false),
} as const satisfies Schema;
