import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../src/bridge/command.ts';
import { Memory, type OpenCommand } from '../src/bridge/memory.ts';
import type { PlugMemory } from '../src/bridge/policy.ts';
import { decodeMemory, encodeMemory, readMemory, StateFile } from '../src/state-file.ts';
import { ManualClock } from './support/manual-clock.ts';
import { memoryLog } from './support/memory-log.ts';
import { RunningTask } from './support/running-task.ts';
import { thrownBy } from './support/thrown.ts';
import { until } from './support/until.ts';

const path = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'abz09-_/') });
const revert = fc.record({ relay: fc.boolean(), at: fc.nat(), armed: fc.boolean() });
const plug: fc.Arbitrary<PlugMemory> = fc.record({
  relay: fc.option(fc.boolean()),
  revert: fc.option(revert),
});
const command: fc.Arbitrary<Command> = fc.record({
  relay: fc.constantFrom('on' as const, 'off' as const, 'toggle' as const, undefined),
  led: fc.option(fc.boolean(), { nil: undefined }),
  forMs: fc.option(fc.nat(), { nil: undefined }),
  id: fc.option(fc.string()),
  origin: fc.constant('mqtt' as const),
  replyTo: fc.option(fc.record({ topic: fc.string(), correlation: fc.option(fc.base64String()) }), {
    nil: undefined,
  }),
});
const open: fc.Arbitrary<OpenCommand> = fc.record({
  target: fc.oneof(path, fc.constant('')),
  command,
  until: fc.nat(),
});

/** What a memory holds, without the plugs of which nothing is known. */
function contents({ plugs, commands, adopted }: Memory) {
  const known = [...plugs].filter(([, { relay, revert }]) => relay !== null || revert !== null);
  return { plugs: known, commands: [...commands], adopted: [...adopted] };
}

describe('the text of the memory', () => {
  it('holds all of it', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.oneof(path, fc.constant('__proto__')), plug), {
      selector: ([key]) => key,
    });
    const adopted = fc.uniqueArray(fc.tuple(path, path), { selector: ([key]) => key });
    fc.assert(
      fc.property(entries, fc.array(open), adopted, (plugs, commands, taken) => {
        const memory = new Memory(plugs, commands, taken);
        const byKey = ({ plugs: p, commands: c, adopted: a }: ReturnType<typeof contents>) => ({
          plugs: new Map(p),
          commands: c,
          adopted: new Map(a),
        });
        expect(byKey(contents(decodeMemory(encodeMemory(memory))))).toEqual(byKey(contents(memory)));
      }),
    );
  });

  it.each([
    ['', /JSON/],
    ['{"version":1,"plugs":{"lamp"', /JSON/],
    ['[]', /does not hold an object/],
    ['{"plugs":{},"commands":[]}', /version undefined, not 1/],
    ['{"version":2,"plugs":{},"commands":[]}', /version 2, not 1/],
    ['{"version":1,"commands":[]}', /lacks plugs or commands/],
    ['{"version":1,"plugs":{}}', /lacks plugs or commands/],
    ['{"version":1,"plugs":{"lamp":7},"commands":[]}', /what it says of lamp is no object/],
    [
      '{"version":1,"plugs":{},"commands":[{"target":"lamp","until":5}]}',
      /one of its commands is incomplete/,
    ],
    [
      '{"version":1,"plugs":{},"commands":[{"target":"lamp","command":{}}]}',
      /one of its commands is incomplete/,
    ],
  ])('is refused when it is %j', (text, words) => {
    expect(thrownBy(() => decodeMemory(text))).toMatchObject({ message: expect.stringMatching(words) });
  });

  it('never makes anything up of what does not fit', () => {
    const text = JSON.stringify({
      version: 1,
      plugs: { lamp: { relay: 'ON', revert: { relay: 1, at: 'soon' } } },
      commands: [{ target: 'lamp', until: 5, command: { relay: 'explode', led: 1, id: 7, replyTo: {} } }],
    });
    expect(contents(decodeMemory(text))).toEqual({
      plugs: [],
      commands: [
        {
          target: 'lamp',
          until: 5,
          command: {
            relay: undefined,
            led: undefined,
            forMs: undefined,
            id: null,
            origin: 'mqtt',
            replyTo: undefined,
          },
        },
      ],
      adopted: [],
    });
  });
});

describe('the state file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
    file = join(folder, 'state.json');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function run(memory = new Memory()) {
    const clock = new ManualClock();
    const { log, lines } = memoryLog();
    const task = new RunningTask(new StateFile({ path: file, memory, clock, log }));
    const change = (relay: boolean) => {
      memory.plug('lamp').relay = relay;
      memory.changed();
    };
    const written = () => existsSync(file) && readFileSync(file, 'utf8');
    return { memory, clock, lines, task, change, written };
  }

  it('is written half a second after the first of several changes, with the last of them', async () => {
    const { memory, clock, change, written } = run();
    change(false);
    await clock.advance(499);
    change(true);
    expect(written()).toBe(false);
    await clock.advance(1);
    expect(await until(() => written(), 'the file')).toBe(encodeMemory(memory));
  });

  it('is written again at the earliest half a second later', async () => {
    const { memory, clock, change, written } = run();
    change(true);
    await clock.advance(500);
    const first = await until(() => written(), 'the file');
    change(false);
    await clock.advance(499);
    expect(written()).toBe(first);
    await clock.advance(1);
    await until(() => written() === encodeMemory(memory), 'the file to be written again');
  });

  it('is not written while nothing changes, nor for what changes after the end', async () => {
    const { clock, task, change, written } = run();
    await clock.advance(60_000);
    await task.stop();
    change(true);
    await clock.advance(60_000);
    expect(written()).toBe(false);
  });

  it('holds what changed last when the program ends', async () => {
    const { memory, clock, task, change, written } = run();
    change(true);
    await task.stop();
    expect(written()).toBe(encodeMemory(memory));
    expect(clock.armed).toBe(0);
    change(false);
    expect(clock.armed).toBe(0);
  });

  it('that cannot be written is complained of once, and once it is written again that is said', async () => {
    const missing = join(folder, 'missing');
    file = join(missing, 'state.json');
    const { clock, lines, change, written } = run();
    for (const relay of [true, false, true]) {
      change(relay);
      await clock.advance(500);
    }
    await until(() => lines.length > 0, 'the complaint');
    expect(lines).toMatchObject([
      { level: 50, msg: expect.stringMatching(/^the state file cannot be written/) },
    ]);
    mkdirSync(missing);
    change(false);
    await clock.advance(500);
    await until(() => lines.length > 1, 'the good news');
    expect(lines.map(({ msg }) => msg).slice(1)).toEqual(['the state file can be written again']);
    expect(written()).not.toBe(false);
  });

  it('that is not there is an empty memory, of which nothing is said', () => {
    const { log, lines } = memoryLog();
    expect(contents(readMemory(file, new ManualClock(), log))).toEqual(contents(new Memory()));
    expect(lines).toEqual([]);
  });

  it('is read as it was written', () => {
    const memory = new Memory([['lamp', { relay: true, revert: null }]]);
    writeFileSync(file, encodeMemory(memory));
    const { log, lines } = memoryLog();
    expect(contents(readMemory(file, new ManualClock(), log))).toEqual(contents(memory));
    expect(lines).toEqual([]);
  });

  it.each([
    ['damaged', '{"version":1,'],
    ['of a newer version', '{"version":2}'],
  ])('that is %s is set aside under the time of day, and said so', (_, text) => {
    writeFileSync(file, text);
    const { log, lines } = memoryLog();
    expect(contents(readMemory(file, new ManualClock(), log))).toEqual(contents(new Memory()));
    const kept = 'state.json.damaged-2026-01-01T120000.000Z';
    expect(readdirSync(folder)).toEqual([kept]);
    expect(readFileSync(join(folder, kept), 'utf8')).toBe(text);
    expect(lines).toMatchObject([{ level: 50, path: file, kept: join(folder, kept) }]);
  });

  it('that cannot be set aside does not keep the program from starting', () => {
    const blocked = join(folder, 'blocked');
    mkdirSync(blocked);
    file = join(blocked, 'state.json');
    writeFileSync(file, 'damaged');
    // A folder of the name that it would get; it is not empty, so nothing takes its place.
    mkdirSync(join(`${file}.damaged-2026-01-01T120000.000Z`, 'x'), { recursive: true });
    const { log, lines } = memoryLog();
    expect(contents(readMemory(file, new ManualClock(), log))).toEqual(contents(new Memory()));
    expect(lines.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/is damaged/),
      expect.stringMatching(/cannot be set aside; it will be overwritten/),
    ]);
  });
});
