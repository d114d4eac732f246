import { open, type Schema } from './option.ts';
import { type Endpoint, endpoint, listOf, type Type, text } from './types.ts';

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
    `Where the page for the staff and its API are served; \`off\` serves none. Left out: ${DEFAULT_PAGE_ADDRESS.host}:${PORT}, if that is free.`,
    addressOrOff,
  ),
  hosts: open(
    'Names under which browsers reach the page, besides addresses, `localhost` and `….local`.',
    listOf(text),
  ),
} as const satisfies Schema;
