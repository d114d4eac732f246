import { existsSync, readFileSync, renameSync } from 'node:fs';
import type { Logger } from 'pino';
import writeFileAtomic from 'write-file-atomic';
import type { Command } from './bridge/command.ts';
import { Memory, type OpenCommand } from './bridge/memory.ts';
import type { PlugMemory } from './bridge/policy.ts';
import { messageOf } from './errors.ts';
import { isObject, type JsonObject, numberAt, objectsAt, textAt } from './protocol/json.ts';
import type { Clock, Timer } from './runtime/clock.ts';
import { aborted, type Task } from './runtime/supervisor.ts';

const VERSION = 1;

/** Changes are written at most this often; so much may be lost when the program is killed. */
const WRITE_MS = 500;

export interface StateFileOptions {
  readonly path: string;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the memory of the bridge in one small file, replaced as a whole so that it is never half written. */
export class StateFile implements Task {
  readonly name = 'memory';
  readonly #options: StateFileOptions;
  readonly #timer: Timer;
  #waiting = false;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(options: StateFileOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => {
      this.#waiting = false;
      this.#write();
    });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { memory } = this.#options;
    memory.onChange = () => {
      if (this.#waiting) return;
      this.#waiting = true;
      this.#timer.set(WRITE_MS);
    };
    ready();
    await aborted(signal);
    memory.onChange = () => {};
    this.#timer.clear();
    if (this.#waiting) this.#write();
    await this.#writing;
  }

  /** Writes after what is being written; says so once when the file cannot be written, and once when it can again. */
  #write(): void {
    const { path, memory, log } = this.#options;
    this.#writing = this.#writing.then(async () => {
      try {
        await writeFileAtomic(path, encodeMemory(memory), { fsync: true });
        if (this.#failed) log.info({ path }, 'the state file can be written again');
        this.#failed = false;
      } catch (error) {
        if (!this.#failed)
          log.error(
            { path, reason: messageOf(error) },
            'the state file cannot be written; timers will not survive a restart',
          );
        this.#failed = true;
      }
    });
  }
}

/** Reads the memory from its file. A damaged file is set aside, said so, and the bridge begins with none. */
export function readMemory(path: string, clock: Clock, log: Logger): Memory {
  if (!existsSync(path)) return new Memory();
  try {
    return decodeMemory(readFileSync(path, 'utf8'));
  } catch (error) {
    const kept = `${path}.damaged-${new Date(clock.date()).toISOString().replaceAll(':', '')}`;
    log.error(
      { path, kept, reason: messageOf(error) },
      'the state file is damaged: it is set aside and the bridge starts without',
    );
    setAside(path, kept, log);
    return new Memory();
  }
}

function setAside(path: string, kept: string, log: Logger): void {
  try {
    renameSync(path, kept);
  } catch (error) {
    log.error(
      { path, reason: messageOf(error) },
      'the damaged state file cannot be set aside; it will be overwritten',
    );
  }
}

/** The memory as text. */
export function encodeMemory({ plugs, commands, adopted }: Memory): string {
  const known = [...plugs].filter(([, { relay, revert }]) => relay !== null || revert !== null);
  return `${JSON.stringify({ version: VERSION, plugs: Object.fromEntries(known), commands: [...commands], adopted: Object.fromEntries(adopted) })}\n`;
}

/** Reads what {@link encodeMemory} wrote. Throws an Error if the text is anything else. */
export function decodeMemory(text: string): Memory {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('it does not hold an object');
  if (value.version !== VERSION) throw new Error(`it is of version ${String(value.version)}, not ${VERSION}`);
  if (!isObject(value.plugs) || !Array.isArray(value.commands)) throw new Error('it lacks plugs or commands');
  const plugs = Object.entries(value.plugs).map(([path, plug]) => [path, readPlug(path, plug)] as const);
  const adopted = Object.entries(isObject(value.adopted) ? value.adopted : {}).map(
    ([mac, path]) => [mac, String(path)] as const,
  );
  return new Memory(plugs, objectsAt(value, 'commands').map(readCommand), adopted);
}

function readPlug(path: string, plug: unknown): PlugMemory {
  if (!isObject(plug)) throw new Error(`what it says of ${path} is no object`);
  const revert = isObject(plug.revert) ? plug.revert : undefined;
  const at = revert && numberAt(revert, 'at');
  return {
    relay: typeof plug.relay === 'boolean' ? plug.relay : null,
    revert: at === undefined ? null : { relay: revert?.relay === true, at, armed: revert?.armed === true },
  };
}

function readCommand(open: JsonObject): OpenCommand {
  const target = textAt(open, 'target');
  const until = numberAt(open, 'until');
  if (target === undefined || until === undefined || !isObject(open.command))
    throw new Error('one of its commands is incomplete');
  return { target, until, command: readWish(open.command) };
}

function readWish(command: JsonObject): Command {
  const { relay, led, replyTo } = command;
  const topic = isObject(replyTo) ? textAt(replyTo, 'topic') : undefined;
  return {
    relay: relay === 'on' || relay === 'off' || relay === 'toggle' ? relay : undefined,
    led: typeof led === 'boolean' ? led : undefined,
    forMs: numberAt(command, 'forMs'),
    id: textAt(command, 'id') ?? null,
    origin: 'mqtt',
    replyTo:
      topic !== undefined && isObject(replyTo)
        ? { topic, correlation: textAt(replyTo, 'correlation') ?? null }
        : undefined,
  };
}
