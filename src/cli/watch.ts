import { PlugError } from '../errors.ts';
import type { Observation } from '../plug/plug-client.ts';
import { printable, printableJson } from '../printable.ts';
import { localTime } from '../protocol/time-zones.ts';
import { sleep } from '../runtime/clock.ts';
import type { PlugSession } from './plug-session.ts';
import { meterText, observationData, onOff } from './plug-text.ts';

const EVERY_MS = 1000;

/** Prints a line each second until the shell's signal aborts. A plug that goes away later is waited for. */
export async function watch(session: PlugSession): Promise<void> {
  const { clock, signal } = session.shell;
  let due = clock.now();
  let isSeen = false;
  while (!signal.aborted) {
    try {
      show(session, await session.read());
      isSeen = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!isSeen || !(error instanceof PlugError)) throw error;
      showProblem(session, error);
    }
    due = Math.max(due + EVERY_MS, clock.now());
    await sleep(clock, due - clock.now(), signal);
  }
}

function show({ shell, options }: PlugSession, seen: Observation): void {
  const { alias: _, ...data } = observationData(seen);
  if (options.json) shell.print(printableJson({ time: isoTime(shell.clock.date()), ...data }));
  else
    shell.print(
      [timeOfDay(shell), (onOff(seen.sysinfo.relay) ?? '?').padEnd(3), ...aligned(seen)].join('  ').trimEnd(),
    );
}

function showProblem({ shell, options }: PlugSession, { reason, message }: PlugError): void {
  if (options.json) shell.print(printableJson({ time: isoTime(shell.clock.date()), problem: reason }));
  else shell.print(`${timeOfDay(shell)}  ${printable(message)}`);
}

/** Columns that stay in place while the values change. */
function aligned({ meter }: Observation): string[] {
  return meterText(meter).map((text) => text.padStart(10));
}

function isoTime(date: number): string {
  return new Date(date).toISOString();
}

function timeOfDay({ clock, timeZone }: PlugSession['shell']): string {
  const { hour, minute, second } = localTime(timeZone, clock.date());
  return [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':');
}
