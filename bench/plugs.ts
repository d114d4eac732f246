/** Plugs in a room; a site is made of rooms. */
export const ROOM = 60;

/** Where the farm has a plug. */
export function hostOf(plug: number): string {
  return `127.${1 + (plug >> 16)}.${(plug >> 8) & 255}.${plug & 255}`;
}

/** Where a plug is in the topic tree. */
export function pathOf(plug: number): string {
  return `room${Math.floor(plug / ROOM)}/plug${plug}`;
}

/** Calls `ask` for each of `plugs` once a second, in wake-ups of 50 ms, as evenly as the bridge does. */
export function everySecond(plugs: number, ask: (plug: number) => void): void {
  const began = performance.now();
  let asked = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * plugs);
    // After a halt what was missed is not made up for.
    for (asked = Math.max(asked, due - plugs); asked < due; asked++) ask(asked % plugs);
  }, 50);
}
