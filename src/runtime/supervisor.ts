import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import type { Clock } from './clock.ts';

/** A part that runs until its signal aborts; it calls `ready` once, when others may rely on it. */
export interface Task {
  readonly name: string;
  run(signal: AbortSignal, ready: () => void): Promise<void>;
}

interface Running {
  readonly task: Task;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Starts the tasks in order, each when the one before it is ready, and stops them in reverse once `signal`
 * aborts or one of them ends by itself, all of them within `stopMs`. A task that takes more than half of the time
 * that is left is left behind with a warning, so that those below it can still stop. Throws what the first failing
 * task threw.
 */
export async function supervise(
  tasks: readonly Task[],
  signal: AbortSignal,
  options: { clock: Clock; log: Logger; stopMs: number; onReady?: () => void },
): Promise<void> {
  const running: Running[] = [];
  const over = new AbortController();
  const outer = AbortSignal.any([signal, over.signal]);
  let crash: { reason: unknown } | undefined;
  const ended = (task: Task, reason: unknown) => {
    if (!outer.aborted)
      crash ??= { reason: reason ?? new BridgeError('task-ended', `${task.name} ended by itself`) };
    else if (reason !== undefined)
      options.log.error({ err: reason, task: task.name }, 'failed while stopping');
    over.abort();
  };

  const stopped = aborted(outer);
  for (const task of tasks) {
    if (outer.aborted) break;
    const one = start(task, ended);
    running.push(one.running);
    await Promise.race([one.ready, one.running.ended, stopped]);
  }
  if (!outer.aborted) options.onReady?.();
  await stopped;
  await stopAll(running.reverse(), options);
  if (crash !== undefined) throw crash.reason;
}

async function stopAll(
  running: readonly Running[],
  { clock, log, stopMs }: { clock: Clock; log: Logger; stopMs: number },
): Promise<void> {
  const until = clock.now() + stopMs;
  for (const { task, stop, ended } of running) {
    stop.abort();
    const afterMs = Math.round((until - clock.now()) / 2);
    if (!(await within(clock, afterMs, ended)))
      log.warn({ task: task.name, afterMs }, 'did not stop in time; left behind');
  }
}

function start(task: Task, onEnd: (task: Task, reason: unknown) => void) {
  const stop = new AbortController();
  const { promise: ready, resolve } = withResolvers();
  const ended = task.run(stop.signal, resolve).then(
    () => onEnd(task, undefined),
    (reason: unknown) => onEnd(task, reason),
  );
  return { running: { task, stop, ended }, ready };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Whether `promise` settles within `delayMs`. */
export function within(clock: Clock, delayMs: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.timer(() => resolve(false));
    timer.set(delayMs);
    const settled = () => {
      timer.clear();
      resolve(true);
    };
    promise.then(settled, settled);
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
