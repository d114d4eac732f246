import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import {
  type Agreement,
  agree,
  clientHash,
  KlapSession,
  type KlapVersion,
  loginOf,
  loginsOf,
} from '../../src/protocol/klap.ts';
import {
  encodeKlapAnswer,
  isKlapQuestion,
  KLAP_DISCOVERY_REQUEST,
} from '../../src/protocol/klap-discovery.ts';
import vectors from '../fixtures/klap-vectors.json' with { type: 'json' };
import { thrownBy } from '../support/thrown.ts';

const bytes = (hex: string) => Buffer.from(hex, 'hex');

/** Computed with python-kasa, cross-checked with OpenSSL. */
const cases = vectors.klap.map((vector) => {
  const version: KlapVersion = vector.klap_version === 1 ? 1 : 2;
  const { username, password } = vector;
  return { vector, version, account: { username, password }, name: `${username || 'nobody'}, v${version}` };
});

function agreed({ vector, version, account }: (typeof cases)[number]): Agreement {
  const localSeed = bytes(vector.local_seed_hex);
  const agreement = agree(localSeed, bytes(vector.handshake1_reply_hex), [loginOf(account, version)]);
  if (agreement === undefined) throw new Error('the login is not the one of the vector');
  return agreement;
}

describe.each(cases)('a handshake with $name', (one) => {
  const { vector, version, account } = one;

  it('hashes name and password as the plug does', () => {
    expect(loginOf(account, version).hash.toString('hex')).toBe(vector.auth_hash_hex);
  });

  it('knows by the answer which of many logins the plug has, and in which version', () => {
    const answer = bytes(vector.handshake1_reply_hex);
    const logins = loginsOf([
      { username: 'somebody@example.com', password: 'else' },
      { username: 'user@example.com', password: 'correct horse' },
    ]);
    const agreement = agree(bytes(vector.local_seed_hex), answer, logins);
    expect(agreement?.login).toEqual(loginOf(account, version));
  });

  it('proves that it knows the login', () => {
    expect(clientHash(agreed(one)).toString('hex')).toBe(vector.handshake2_body_hex);
  });

  it('encrypts and signs the first question', () => {
    const { sequence, body } = new KlapSession(agreed(one)).seal(vector.first_request.plain);
    expect(sequence).toBe(vector.first_request.seq_query);
    expect(body.toString('hex')).toBe(vector.first_request.body_hex);
  });

  it('opens the answer that has the number of the question, and none of another number', () => {
    const session = new KlapSession(agreed(one));
    const { sequence } = session.seal(vector.first_request.plain);
    const answer = bytes(vector.reply_same_seq.body_hex);
    expect(session.open(sequence, answer)).toBe(vector.reply_same_seq.plain);
    expect(thrownBy(() => session.open(sequence + 1, answer))).toBeInstanceOf(ProtocolError);
  });
});

describe('an answer', () => {
  const one = cases[0];
  if (one === undefined) throw new Error('there are no vectors');
  const { vector } = one;

  it('to a handshake is nobody’s if the plug knows none of the logins', () => {
    const logins = [loginOf({ username: 'User@example.com', password: 'correct horse' }, 1)];
    expect(agree(bytes(vector.local_seed_hex), bytes(vector.handshake1_reply_hex), logins)).toBeUndefined();
  });

  it.each([0, 16, 47, 49])('to a handshake is none if it has %i bytes', (length) => {
    expect(thrownBy(() => agree(bytes(vector.local_seed_hex), Buffer.alloc(length), []))).toBeInstanceOf(
      ProtocolError,
    );
  });

  it('is refused whichever of its bytes is another', () => {
    const session = new KlapSession(agreed(one));
    const { sequence, body } = session.seal('{"system":{"get_sysinfo":{}}}');
    for (let at = 0; at < body.length; at++) {
      const forged = Buffer.from(body);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(thrownBy(() => session.open(sequence, forged))).toBeInstanceOf(ProtocolError);
    }
  });

  it.each([0, 31, 32, 40, 63])('is refused if it has %i bytes', (length) => {
    const session = new KlapSession(agreed(one));
    expect(thrownBy(() => session.open(1, Buffer.alloc(length)))).toBeInstanceOf(ProtocolError);
  });

  it('may have any number of 32 bits, with a sign', () => {
    const session = new KlapSession(agreed(one));
    const last = 2 ** 31 - 1;
    expect(session.open(last, session.sealAs(last, 'x'))).toBe('x');
    expect(session.open(-(2 ** 31), session.sealAs(-(2 ** 31), 'y'))).toBe('y');
  });
});

describe('discovery on port 20002', () => {
  it('asks as the Kasa app asks, and takes that for a question, with a key or without', () => {
    expect(KLAP_DISCOVERY_REQUEST.toString('hex')).toBe(vectors.discovery.request);
    expect(isKlapQuestion(KLAP_DISCOVERY_REQUEST)).toBe(true);
    expect(isKlapQuestion(bytes(vectors.discovery.requestWithKey))).toBe(true);
    expect(isKlapQuestion(bytes(vectors.discovery.answer))).toBe(false);
  });

  it('answers with a header whose checksum covers the whole', () => {
    const answer = encodeKlapAnswer({
      deviceId: '0'.repeat(32),
      account: 'user@example.com',
      type: 'IOT.SMARTPLUGSWITCH',
      model: 'HS110(UK)',
      hardware: '4.1',
      mac: 'B0:95:75:00:00:01',
      ip: '127.0.0.1',
      httpPort: 80,
      version: 1,
    });
    const expected = bytes(vectors.discovery.answer);
    expect(JSON.parse(answer.toString('utf8', 16)).result).toMatchObject(
      JSON.parse(expected.toString('utf8', 16)).result,
    );
    expect(answer.readUInt16BE(4)).toBe(answer.length - 16);
    for (const datagram of [answer, expected]) {
      const checksum = datagram.readUInt32BE(12);
      datagram.writeUInt32BE(0x5a6b7c8d, 12);
      expect(crc32(datagram)).toBe(checksum);
    }
  });
});
