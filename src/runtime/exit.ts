const actions = new Set<() => void>();

/** Has `action` run when the process ends without stopping its tasks first. It must not wait for anything. */
export function atExit(action: () => void): void {
  actions.add(action);
}

/** Takes back what was given to `atExit`. */
export function notAtExit(action: () => void): void {
  actions.delete(action);
}

/** For the process to run as the last thing that it does. */
export function runAtExit(): void {
  for (const action of actions) action();
}
