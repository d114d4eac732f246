import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { configurationOf, type MqttService } from './options.ts';

/** The user of the image. */
const USER = 1000;

/** A file of the user's own, in the folder of the add-on, which goes before the options. */
const OWN_FILE = '/config/hs110-mqtt.yaml';

const DATA = '/data/hs110-mqtt';
const MADE_FILE = '/data/hs110-mqtt/options.yaml';
const MAIN = '/app/dist/main.js';

/** The broker of Home Assistant; `undefined` if it has none. */
async function mqttService(): Promise<MqttService | undefined> {
  const answer = await fetch('http://supervisor/services/mqtt', {
    headers: { Authorization: `Bearer ${process.env.SUPERVISOR_TOKEN}` },
  });
  if (!answer.ok) return undefined;
  const { data }: { data: MqttService } = await answer.json();
  return data;
}

mkdirSync(DATA, { recursive: true, mode: 0o700 });
if (!existsSync(OWN_FILE)) {
  const options = JSON.parse(readFileSync('/data/options.json', 'utf8'));
  const service = options.mqtt_url ? undefined : await mqttService();
  // What is JSON is YAML too.
  writeFileSync(MADE_FILE, JSON.stringify(configurationOf(options, service), null, 2), { mode: 0o600 });
  chownSync(MADE_FILE, USER, USER);
}
chownSync(DATA, USER, USER);
process.setgroups?.([]);
process.setgid?.(USER);
process.setuid?.(USER);
process.argv = [
  process.execPath,
  MAIN,
  '--config',
  existsSync(OWN_FILE) ? OWN_FILE : MADE_FILE,
  '--data-dir',
  DATA,
];
await import(MAIN);
