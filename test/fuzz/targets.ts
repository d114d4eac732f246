import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeCommand } from '../../src/api/command-json.ts';
import { observe, unseen } from '../../src/bridge/plug-state.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BridgeError } from '../../src/errors.ts';
import { flatPayloads, plugValues } from '../../src/mqtt/payloads.ts';
import { pathsByAlias } from '../../src/mqtt/plug-paths.ts';
import { pathProblem, Topics } from '../../src/mqtt/topics.ts';
import { readAnswer } from '../../src/plug/discovery.ts';
import { printableJson } from '../../src/printable.ts';
import { decodeBody, encodeDatagram, encodeFrame, FrameDecoder } from '../../src/protocol/frame.ts';
import { readHex } from '../../src/protocol/hex.ts';
import { inspect } from '../../src/protocol/inspect.ts';
import { isObject, type JsonObject, parseReply } from '../../src/protocol/json.ts';
import {
  type Agreement,
  agree,
  FACTORY,
  KlapSession,
  loginsOf,
  serverHash,
} from '../../src/protocol/klap.ts';
import {
  answerTo,
  readDays,
  readMeter,
  readMonths,
  readSysinfo,
  readTime,
} from '../../src/protocol/replies.ts';
import { GET_SENSORS, readSensors } from '../../src/protocol/sensors.ts';
import { redact } from '../../src/redaction.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { MODEL_NAMES, simulatedModel } from '../../src/simulator/models.ts';
import type { Chance } from '../soak/random.ts';

/** What is fed with hostile input. */
export interface Target {
  readonly name: string;
  /** How many of a hundred cases it gets: some take longer than others. */
  readonly share: number;
  /** What real input looks like. */
  readonly corpus: readonly Buffer[];
  /** Takes a case. What is refused is refused with one of the program's own errors; anything else that is thrown is a find. */
  readonly feed: (input: Buffer, chance: Chance) => void | Promise<void>;
}

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const recordings: readonly JsonObject[] = readdirSync(FIXTURES)
  .filter((name) => /^HS.*\.json$/.test(name))
  .map((name) => JSON.parse(readFileSync(FIXTURES + name, 'utf8')));

/** What devices say of which there is no recording. */
const simulated = MODEL_NAMES.flatMap((name) => {
  const device = simulatedModel(name, 1, new SystemClock());
  return device === undefined ? [] : [device.answer({ system: { get_sysinfo: {} }, ...GET_SENSORS }, 'tcp')];
});

const replies = [...recordings, ...simulated].map((recording) => JSON.stringify(recording));
const modules = recordings.flatMap((recording) =>
  Object.entries(recording)
    .filter(([, answer]) => isObject(answer))
    .map(([module, answer]) => JSON.stringify({ [module]: answer })),
);
const buffers = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));

/** Runs `read`, and lets what the program refuses pass. */
function tolerate<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BridgeError) return undefined;
    throw error;
  }
}

const topics = new Topics('museum');

function feedFrames(input: Buffer, chance: Chance): void {
  const decoder = new FrameDecoder();
  tolerate(() => {
    for (let at = 0; at < input.length; ) {
      const end = at + 1 + Math.floor(chance.next() * 200);
      for (const body of decoder.push(Buffer.from(input.subarray(at, end)))) decodeBody(Buffer.from(body));
      at = end;
    }
    decoder.end();
  });
  if (decoder.pending > 70_000) throw new Error(`${decoder.pending} bytes are held back`);
  inspect(input);
}

function feedReplies(input: Buffer): void {
  const reply = tolerate(() => parseReply(input.toString('utf8')));
  if (reply === undefined) return;
  const sysinfo = tolerate(() => readSysinfo(answerTo(reply, 'system', 'get_sysinfo')));
  const meter = tolerate(() => readMeter(answerTo(reply, 'emeter', 'get_realtime')));
  tolerate(() => readDays(answerTo(reply, 'emeter', 'get_daystat')));
  tolerate(() => readMonths(answerTo(reply, 'emeter', 'get_monthstat')));
  tolerate(() => readTime(answerTo(reply, 'time', 'get_time')));
  printableJson(redact(reply));
  if (sysinfo === undefined) return;
  const energy = meter?.energy ?? null;
  const metered = {
    power: meter?.power ?? null,
    voltage: meter?.voltage ?? null,
    current: meter?.current ?? null,
    energy,
    energyBoot: energy,
    lamp: null,
    glitches: 0,
  };
  const sensors = readSensors(reply);
  const state = observe(
    unseen('shed3'),
    { sysinfo, meter, sensors },
    { at: 1_700_000_000_000, meter: metered },
  );
  const values = plugValues(state);
  JSON.stringify(values);
  flatPayloads(values);
  const { power, voltage, current, rssi, brightness, colorTemp, ambientLight } = state;
  for (const value of [power, voltage, current, state.energy, rssi, brightness, colorTemp, ambientLight])
    if (value !== null && !Number.isFinite(value)) throw new Error(`published as a number: ${value}`);
}

const localSeed = Buffer.alloc(16, 1);
const logins = loginsOf([FACTORY]);
const agreements: readonly Agreement[] = logins.map((login) => ({
  ...{ login, localSeed, remoteSeed: Buffer.alloc(16, 2) },
}));
const [session] = agreements.map((agreement) => new KlapSession(agreement));

function feedKlap(input: Buffer): void {
  const agreement = tolerate(() => agree(localSeed, input, logins));
  if (agreement !== undefined && !agreements.some(({ login }) => login === agreement.login))
    throw new Error('a login that is none');
  tolerate(() => session?.open(7, input));
}

function feedPayloads(input: Buffer): void {
  const decoded = decodeCommand(input, { origin: 'mqtt', user: null });
  if ('command' in decoded) {
    const { relay, led, forMs, ttlMs } = decoded.command;
    if (relay === undefined && led === undefined) throw new Error('a command that commands nothing');
    for (const ms of [forMs, ttlMs])
      if (ms !== undefined && !(ms >= 0 && ms < 3e9)) throw new Error(`a duration of ${ms} ms`);
  }
  const topic = `museum/${input.toString('utf8').slice(0, 200)}/set`;
  const target = topics.parse(topic);
  if (target !== undefined && 'path' in target && target.path !== undefined) pathProblem(target.path);
}

function feedDiscovery(input: Buffer): void {
  const found = readAnswer(Buffer.from(input), { host: '192.168.1.145', port: 9999 });
  if (found === undefined) return;
  const { alias } = found.sysinfo;
  const [path = ''] = pathsByAlias([{ mac: found.mac, alias }]).values();
  const problem = pathProblem(path);
  if (problem !== undefined) throw new Error(`a path that is none: ${problem}`);
}

function feedConfiguration(input: Buffer): void {
  tolerate(() => {
    const text = input.toString('utf8');
    loadConfig({
      file: { name: 'site.yaml', text },
      env: { HS110_MQTT_POLL_INTERVAL: text.slice(0, 20) },
      flags: new Map([['mqtt.baseTopic', text.slice(-20)]]),
      readFile: () => '',
    });
  });
}

export const TARGETS: readonly Target[] = [
  {
    name: 'frames',
    share: 24,
    corpus: [...replies.map(encodeFrame), ...modules.map(encodeFrame)],
    feed: feedFrames,
  },
  {
    name: 'klap',
    share: 6,
    corpus: [
      ...agreements.map((agreement) => Buffer.concat([agreement.remoteSeed, serverHash(agreement)])),
      ...replies.flatMap((reply) => session?.sealAs(7, reply) ?? []),
    ],
    feed: feedKlap,
  },
  { name: 'replies', share: 20, corpus: buffers([...replies, ...modules]), feed: feedReplies },
  {
    name: 'payloads',
    share: 30,
    corpus: buffers([
      'ON',
      'off',
      'TOGGLE',
      '{"state":"ON","for":"30m","led":"OFF","id":"x1","ttl":"60s"}',
      '{"state":false,"id":7,"for":1.5}',
      '"on"',
    ]),
    feed: feedPayloads,
  },
  {
    name: 'discovery',
    share: 18,
    corpus: [
      ...replies.map(encodeDatagram),
      Buffer.concat([
        Buffer.from('020000010000000000000000463cb5d3', 'hex'),
        Buffer.from(
          '{"result":{"device_type":"IOT.SMARTPLUGSWITCH","device_model":"HS110(UK)","mac":"50-C7-BF-00-00-01","mgt_encrypt_schm":{"encrypt_type":"KLAP","http_port":80}}}',
        ),
      ]),
    ],
    feed: feedDiscovery,
  },
  {
    name: 'hexadecimal',
    share: 3,
    corpus: buffers([
      '0000001dd0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6',
      '00:11 22-33',
      '0x00 0x01',
    ]),
    feed: (input) => {
      tolerate(() => inspect(readHex(input.toString('utf8').slice(0, 5000))));
    },
  },
  {
    name: 'configuration',
    share: 2,
    corpus: buffers([
      readFileSync(`${ROOT}config/museum.yaml`, 'utf8'),
      'mqtt: {url: "mqtt://a:b@c:1"}\nplugs:\n  - {path: a/b, host: 192.168.1.1, mac: 50C7BF123456}\nplaces: {a: {stagger: 1s}}\n',
      'broker: {listen: "[::1]:1883", username: a, password: b}\nmetrics: {listen: 127.0.0.1, token: aaaaaaaaaaaaaaaaaaaa}\n',
    ]),
    feed: feedConfiguration,
  },
];
