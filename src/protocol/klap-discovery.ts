import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ProtocolError } from '../errors.ts';

import { integerAt, isObject, type JsonObject, labelAt, parseReply, textAt } from './json.ts';
import type { KlapVersion } from './klap.ts';
import { type DeviceKind, readMac } from './replies.ts';

/** UDP port on which newer firmware is found; it has closed port 9999 (python-kasa, discover.py). */
export const KLAP_DISCOVERY_PORT = 20002;

/** The question of the Kasa app to newer firmware: a header alone, its checksum (CRC-32) included. */
export const KLAP_DISCOVERY_REQUEST = Buffer.from('020000010000000000000000463cb5d3', 'hex');

/** Version, type, operation, length, flags, serial, checksum; plain JSON follows. */
const HEADER_BYTES = 16;

const VERSION = 2;

/** The field of the checksum while it is computed. */
const CHECKSUM_PRESET = 0x5a6b7c8d;

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

/** What a simulated device says of itself on port 20002. */
export interface KlapDescription {
  readonly deviceId: string;
  /** The user name of the account that it is bound to. */
  readonly account: string;
  readonly type: string;
  readonly model: string;
  readonly hardware: string;
  readonly mac: string;
  readonly ip: string;
  readonly httpPort: number;
  readonly version: KlapVersion;
}

/** Whether a datagram asks who speaks KLAP: a header alone, or followed by the key of a client. */
export function isKlapQuestion(datagram: Buffer): boolean {
  const isOne = datagram.length >= HEADER_BYTES && datagram[0] === VERSION;
  return isOne && datagram.readUInt16BE(2) === 1 && !datagram.includes('"error_code"');
}

/** The answer of a device that speaks KLAP: a header, and JSON as it is. */
export function encodeKlapAnswer(device: KlapDescription): Buffer {
  const { deviceId, account, type, model, hardware, mac, ip, httpPort, version } = device;
  const owner = createHash('md5').update(account).digest('hex').toUpperCase();
  const result = {
    device_id: deviceId,
    owner,
    device_type: type,
    device_model: model,
    ip,
    mac: (mac.replaceAll(':', '').match(/../g) ?? []).join('-'),
    is_support_iot_cloud: true,
    obd_src: 'tplink',
    factory_default: false,
    hw_ver: hardware,
    mgt_encrypt_schm: {
      is_support_https: false,
      encrypt_type: 'KLAP',
      http_port: httpPort,
      ...(version === 2 ? { lv: 2, new_klap: 1 } : {}),
    },
  };
  const body = Buffer.from(JSON.stringify({ result, error_code: 0 }));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(VERSION, 0);
  header.writeUInt16BE(1, 2);
  header.writeUInt16BE(body.length, 4);
  header.writeUInt32BE(CHECKSUM_PRESET, 12);
  const datagram = Buffer.concat([header, body]);
  datagram.writeUInt32BE(crc32(datagram), 12);
  return datagram;
}
