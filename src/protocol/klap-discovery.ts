import { ProtocolError } from '../errors.ts';
import { integerAt, isObject, type JsonObject, labelAt, parseReply, textAt } from './json.ts';
import { type DeviceKind, readMac } from './replies.ts';

/** UDP port on which newer firmware is found; it has closed port 9999 (python-kasa, discover.py). */
export const KLAP_DISCOVERY_PORT = 20002;

/** The question of the Kasa app to newer firmware: a header alone, its checksum (CRC-32) included. */
export const KLAP_DISCOVERY_REQUEST = Buffer.from('020000010000000000000000463cb5d3', 'hex');

/** Version, type, operation, length, flags, serial, checksum; plain JSON follows. */
const HEADER_BYTES = 16;

const VERSION = 2;

const KINDS: ReadonlyMap<string, DeviceKind> = new Map([
  ['IOT.SMARTPLUGSWITCH', 'plug'],
  ['IOT.SMARTBULB', 'bulb'],
]);

/** What newer firmware says of itself without a login; `undefined` where it did not say it. */
export interface KlapAnswer {
  /** `other` for all that is not of the HS110's family, such as Tapo devices, which speak another protocol yet. */
  readonly kind: DeviceKind;
  readonly model: string | undefined;
  readonly hardware: string | undefined;
  readonly mac: string | undefined;
  /** How it wants to be spoken to; `KLAP` as far as seen on plugs. */
  readonly encryption: string | undefined;
  /** TCP port of its HTTP server; 80 if it did not say. */
  readonly httpPort: number;
}

/** Reads an answer from port 20002. Throws ProtocolError if it is none; the checksum is not looked at. */
export function readKlapAnswer(datagram: Buffer): KlapAnswer {
  if (datagram.length <= HEADER_BYTES || datagram[0] !== VERSION) {
    throw new ProtocolError('the datagram is no answer of newer firmware');
  }
  const { result } = parseReply(datagram.toString('utf8', HEADER_BYTES));
  if (!isObject(result)) throw new ProtocolError('the answer of newer firmware has no result');
  const scheme: JsonObject = isObject(result.mgt_encrypt_schm) ? result.mgt_encrypt_schm : {};
  return {
    kind: KINDS.get(textAt(result, 'device_type') ?? '') ?? 'other',
    model: labelAt(result, 'device_model'),
    hardware: labelAt(result, 'hw_ver'),
    mac: readMac(textAt(result, 'mac')),
    encryption: labelAt(scheme, 'encrypt_type'),
    httpPort: integerAt(scheme, 'http_port', 1, 65_535) ?? 80,
  };
}
