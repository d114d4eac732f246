import { leaf, open, type Schema, secret } from './option.ts';
import { type Endpoint, endpoint, flag, listOf, networkOrAddress, oneOf, type Type, text } from './types.ts';

const PORT = 8110;
const address = endpoint(PORT);

/** An address, or `off`. */
const addressOrOff: Type<Endpoint | 'off'> = {
  expects: `${address.expects.replace('9999', String(PORT))}, or off`,
  schema: address.schema,
  read: (raw) => (raw === 'off' || raw === false ? 'off' : address.read(raw)),
};

/** Where the page is served that is not configured. */
export const DEFAULT_PAGE_ADDRESS: Endpoint = { host: '127.0.0.1', port: PORT };

/** The page for the staff. */
export const WEB = {
  listen: open(
    `Where the page for the staff and its API are served; \`off\` serves none. Other than on the loopback address it needs users. Left out: ${DEFAULT_PAGE_ADDRESS.host}:${PORT}, if that is free.`,
    addressOrOff,
  ),
  hosts: open(
    'Names under which browsers reach the page, besides addresses, `localhost` and `….local`.',
    listOf(text),
  ),
  admin: {
    password: secret(
      'Password of the user `admin`, who is made with it while there are no users. At least 8 characters.',
    ),
  },
  visitors: leaf('Whether everybody may look who reaches the page, without a login.', flag, false),
  tls: {
    cert: open('File with the certificate that the page is served with over HTTPS (PEM).', text),
    key: open('File with the key of that certificate (PEM).', text),
  },
  trustProxy: open(
    'Addresses or networks of the reverse proxies in front of the page, such as 127.0.0.1 or 10.0.0.0/8: what they say of who asks is believed.',
    listOf(networkOrAddress),
  ),
  ingress: leaf(
    'What users of Home Assistant may do who come through its ingress, which has authenticated them; `off`: nobody does.',
    oneOf('off', 'viewer', 'staff', 'admin'),
    'off',
  ),
} as const satisfies Schema;
