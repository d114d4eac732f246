/** The same polls through tplink-smarthome-api, the usual library of Node. */
import smarthome from 'tplink-smarthome-api';
import { everySecond, hostOf } from './plugs.ts';

export interface LibraryOptions {
  readonly plugs: number;
  readonly port: number;
}

const options: LibraryOptions = JSON.parse(process.argv[2] ?? '{}');
const client = new smarthome.Client({ logLevel: 'silent' });
const plugs = Array.from({ length: options.plugs }, (_, plug) =>
  client.getPlug({ host: hostOf(plug), port: options.port, sysInfo: {} as never }),
);
const POLL = { system: { get_sysinfo: {} }, emeter: { get_realtime: {} } };

everySecond(options.plugs, (plug) => void plugs[plug]?.sendCommand(POLL).catch(() => {}));
process.on('message', () => process.send?.({}));
process.on('disconnect', () => process.exit());
