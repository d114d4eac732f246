import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeFrame } from '../src/protocol/frame.ts';
import { hostOf } from './plugs.ts';

/** Milliseconds a loop takes to switch plugs one after the other, a connection each, as scripts do. */
export async function switchInSequence(plugs: number, port: number, state: 0 | 1): Promise<number> {
  const frame = encodeFrame(`{"system":{"set_relay_state":{"state":${state}},"get_sysinfo":{}}}`);
  const began = performance.now();
  for (let plug = 0; plug < plugs; plug++) {
    const socket = connect({ host: hostOf(plug), port, noDelay: true });
    socket.write(frame);
    await once(socket, 'data');
    socket.destroy();
  }
  return performance.now() - began;
}
