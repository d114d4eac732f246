/**
 * As many plugs as wanted in one process, on one port; each has an address of its own in 127/8. What is measured
 * is who asks them, so this does no more than it must. Answers each message with a FarmReport.
 */
import { createServer, type Socket } from 'node:net';
import { decodeBody, encodeFrame, HEADER_BYTES } from '../src/protocol/frame.ts';
import { percentile } from './numbers.ts';
import { sharedNow } from './process.ts';

export interface FarmOptions {
  readonly plugs: number;
  readonly intervalMs: number;
  /** Close the connection after each answer, as hardware 1 does. */
  readonly closing: boolean;
}

/** What may be changed while it runs; `begin` starts a new report. */
export interface FarmOrder {
  readonly begin?: boolean;
  /** Share of the polls that show another reading. */
  readonly changing?: number;
  /** Tenths of the plugs that are silent. */
  readonly deadTenths?: number;
}

export interface FarmReport {
  readonly port: number;
  readonly polls: number;
  /** How late polls of living plugs came, against the earliest of the same plug. */
  readonly latenessP99Ms: number;
  /** When commands arrived; milliseconds of the clock that all processes of a machine share. */
  readonly commandsAt: readonly number[];
}

const options: FarmOptions = JSON.parse(process.argv[2] ?? '{}');
const relays = new Uint8Array(options.plugs).fill(1);
const readings = new Uint32Array(options.plugs);
const turns = new Uint32Array(options.plugs).map((_, plug) => plug);
const bornAt = Date.now() - 100_000_000;

let changeEvery = 10;
let deadTenths = 0;
let arrivals: { plug: number; at: number }[] = [];
let commandsAt: number[] = [];

const server = createServer({ noDelay: true }, (socket) => {
  const [, b = 0, c = 0, d = 0] = (socket.localAddress ?? '').split('.').map(Number);
  const plug = (b - 1) * 65_536 + c * 256 + d;
  socket.on('data', (chunk: Buffer) => {
    for (const question of framesIn(chunk)) asked(socket, plug, question);
  });
  socket.on('error', () => socket.destroy());
});

server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 });

/** Questions come whole: they are short, and this is the loopback interface. */
function* framesIn(chunk: Buffer): Iterable<Buffer> {
  for (let at = 0; at < chunk.length; ) {
    const end = at + HEADER_BYTES + chunk.readUInt32BE(at);
    yield chunk.subarray(at, end);
    at = end;
  }
}

function asked(socket: Socket, plug: number, chunk: Buffer): void {
  const question = questionIn(chunk);
  const wanted = /"set_relay_state":\{"state":([01])/.exec(question)?.[1];
  if (wanted !== undefined) {
    commandsAt.push(sharedNow());
    relays[plug] = Number(wanted);
  } else if (question.includes('get_sysinfo')) arrivals.push({ plug, at: performance.now() });
  if (plug % 10 < deadTenths) return;
  const frame = encodeFrame(answer(plug, question, wanted !== undefined));
  if (options.closing) socket.end(frame);
  else socket.write(frame);
}

/** The same few questions come all the time. */
const questions = new Map<string, string>();

function questionIn(chunk: Buffer): string {
  const key = chunk.toString('latin1');
  let question = questions.get(key);
  if (question === undefined) {
    question = decodeBody(Buffer.from(chunk.subarray(HEADER_BYTES)));
    if (questions.size < 1000) questions.set(key, question);
  }
  return question;
}

function answer(plug: number, question: string, isCommand: boolean): string {
  if (!question.includes('get_sysinfo')) return otherAnswer(question);
  const done = isCommand ? '"set_relay_state":{"err_code":0},' : '';
  const meter = question.includes('emeter') ? `,"emeter":{"get_realtime":${reading(plug)}}` : '';
  return `{"system":{${done}"get_sysinfo":${sysinfo(plug)}}${meter}}`;
}

function otherAnswer(question: string): string {
  const now = new Date();
  const day = { year: now.getFullYear(), month: now.getMonth() + 1, day: now.getDate() };
  if (question.includes('get_daystat')) {
    const list = { day_list: [{ ...day, energy_wh: 207 }], err_code: 0 };
    return JSON.stringify({ emeter: { get_daystat: list, get_monthstat: { month_list: [], err_code: 0 } } });
  }
  const time = { ...day, mday: day.day, hour: now.getHours(), min: now.getMinutes(), sec: now.getSeconds() };
  return JSON.stringify({
    time: { get_time: { ...time, err_code: 0 }, get_timezone: { index: 39, err_code: 0 } },
    schedule: { get_next_action: { type: -1, err_code: 0 } },
    cnCloud: { get_info: { binded: 0, cld_connection: 0, err_code: 0 } },
  });
}

/** As hardware 2.1 says it. */
function sysinfo(plug: number): string {
  const mac = (0x50c7bf000000 + plug)
    .toString(16)
    .toUpperCase()
    .replace(/..(?!$)/g, '$&:');
  const on = relays[plug] ?? 0;
  const onTime = on * Math.floor((Date.now() - bornAt) / 1000);
  return (
    '{"sw_ver":"1.5.10 Build 191125 Rel.094314","hw_ver":"2.1","type":"IOT.SMARTPLUGSWITCH",' +
    `"model":"HS110(UK)","mac":"${mac}","dev_name":"Smart Wi-Fi Plug With Energy Monitoring",` +
    `"alias":"Plug ${plug}","relay_state":${on},"on_time":${onTime},"active_mode":"none","feature":"TIM:ENE",` +
    '"updating":0,"icon_hash":"","rssi":-57,"led_off":0,"longitude_i":0,"latitude_i":0,' +
    '"hwId":"00000000000000000000000000000000","fwId":"00000000000000000000000000000000",' +
    '"deviceId":"8006000000000000000000000000000000000000","oemId":"00000000000000000000000000000000",' +
    '"next_action":{"type":-1},"ntc_state":0,"err_code":0}'
  );
}

/** Four values, all of them others whenever the reading is another. */
function reading(plug: number): string {
  const turn = (turns[plug] ?? 0) + 1;
  turns[plug] = turn;
  if (turn % changeEvery === 0) readings[plug] = (readings[plug] ?? 0) + 1;
  const n = readings[plug] ?? 0;
  const [voltage, current, power] = [
    230_000 + ((n * 37) % 9000),
    100 + ((n * 13) % 800),
    20_000 + ((n * 719) % 60_000),
  ];
  return `{"voltage_mv":${voltage},"current_ma":${current},"power_mw":${power},"total_wh":${1000 + n},"err_code":0}`;
}

function report(): FarmReport {
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    polls: arrivals.length,
    latenessP99Ms: percentile(lateness(), 0.99),
    commandsAt,
  };
}

function lateness(): number[] {
  const byPlug = new Map<number, number[]>();
  for (const { plug, at } of arrivals) {
    if (plug % 10 < deadTenths) continue;
    const times = byPlug.get(plug);
    if (times === undefined) byPlug.set(plug, [at]);
    else times.push(at);
  }
  return [...byPlug.values()].flatMap((times) => offGrid(times));
}

function offGrid(times: readonly number[]): number[] {
  const [first = 0] = times;
  const { intervalMs } = options;
  const shifts = times.map((at) => at - first - Math.round((at - first) / intervalMs) * intervalMs);
  const earliest = Math.min(...shifts);
  return shifts.map((shift) => shift - earliest);
}

process.on('message', ({ begin, changing, deadTenths: dead }: FarmOrder) => {
  if (changing !== undefined) changeEvery = Math.round(1 / changing);
  if (dead !== undefined) deadTenths = dead;
  const said = begin ? { ...report(), latenessP99Ms: 0 } : report();
  if (begin) [arrivals, commandsAt] = [[], []];
  process.send?.(said);
});
process.on('disconnect', () => process.exit());
