/** Bytes of a topic, by MQTT itself. */
export const LONGEST_TOPIC = 65_535;

const PUBLISH = 0x30;
const RETAIN = 0x01;

/**
 * A PUBLISH packet at QoS 0 as MQTT 3.1.1 (4) or 5 has it on the wire (section 3.3 of either). The topic may have
 * at most {@link LONGEST_TOPIC} bytes.
 */
export function publishPacket(topic: string, payload: string, retain: boolean, version: 4 | 5): Buffer {
  const topicSize = Buffer.byteLength(topic);
  // MQTT 5 has properties between topic and payload: none, so their length alone.
  const payloadAt = 2 + topicSize + (version === 5 ? 1 : 0);
  const length = payloadAt + Buffer.byteLength(payload);
  const lengthSize = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
  const packet = Buffer.allocUnsafe(1 + lengthSize + length);
  packet[0] = retain ? PUBLISH | RETAIN : PUBLISH;
  let at = 1;
  for (let rest = length; at <= lengthSize; rest >>>= 7) {
    packet[at] = (rest & 0x7f) | (at < lengthSize ? 0x80 : 0);
    at++;
  }
  packet.writeUInt16BE(topicSize, at);
  packet.write(topic, at + 2, 'utf8');
  if (version === 5) packet[at + payloadAt - 1] = 0;
  packet.write(payload, at + payloadAt, 'utf8');
  return packet;
}
