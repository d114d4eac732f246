import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { publishPacket } from '../../src/mqtt/publish-packet.ts';

/** What a broker makes of the bytes, packet by packet. */
function parsed(bytes: Buffer, protocolVersion: 4 | 5) {
  const packets: mqttPacket.Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion });
  parser.on('packet', (packet) => packets.push(packet));
  parser.parse(bytes);
  return packets;
}

describe('a packet that publishes', () => {
  it('is, for MQTT 3.1.1, a header, the topic and the payload', () => {
    expect(publishPacket('a/b', 'ON', false, 4).toString('hex')).toBe('30070003612f624f4e');
  });

  it('says that it is to be retained', () => {
    expect(publishPacket('a/b', '', true, 4).toString('hex')).toBe('31050003612f62');
  });

  it('has for MQTT 5 an empty list of properties before the payload', () => {
    expect(publishPacket('a/b', 'ON', true, 5).toString('hex')).toBe('31080003612f62004f4e');
  });

  it.each([0, 118, 119, 16_374, 16_375, 2_097_142, 2_097_143])(
    'is read by others as it was meant with a payload of %i bytes, whatever the size of the length',
    (size) => {
      for (const version of [4, 5] as const) {
        const [packet, ...more] = parsed(
          publishPacket('museum/lamp', 'x'.repeat(size), true, version),
          version,
        );
        expect(more).toEqual([]);
        expect(packet).toMatchObject({
          cmd: 'publish',
          topic: 'museum/lamp',
          qos: 0,
          retain: true,
          dup: false,
        });
        expect(packet).toHaveProperty('payload.length', size);
      }
    },
  );

  it('is read by others as it was meant, whatever the topic and the payload, one after the other', () => {
    const topic = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[+#\0]/.test(text));
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(
        topic,
        text,
        fc.boolean(),
        fc.constantFrom(4 as const, 5 as const),
        (name, payload, retain, version) => {
          const packet = publishPacket(name, payload, retain, version);
          const found = parsed(Buffer.concat([packet, packet]), version);
          expect(found).toHaveLength(2);
          for (const one of found) {
            expect(one).toMatchObject({ topic: name, retain, qos: 0 });
            expect('payload' in one && String(one.payload)).toBe(payload);
          }
        },
      ),
    );
  });
});
