import type { PlugView } from './site-state.ts';

/** The head of a table of plugs. */
export const PLUG_HEAD = ['PLUG', 'STATE', 'POWER', 'VOLTAGE', 'CURRENT', 'SIGNAL', 'ANSWERED', 'NOTE'];

/** A plug as a row of that table. What it said before it went offline is not shown as if it were so. */
export function plugRow(plug: PlugView, now: number): string[] {
  const isOnline = plug.availability === 'online';
  const shown = (value: number | null, unit: string) =>
    isOnline && value !== null ? `${value} ${unit}` : '';
  return [
    plug.path,
    isOnline ? (plug.state ?? '?') : '?',
    shown(plug.power, 'W'),
    shown(plug.voltage, 'V'),
    shown(plug.current, 'A'),
    shown(plug.rssi, 'dBm'),
    plug.lastSeen === null ? '' : `${ago(now - plug.lastSeen)} ago`,
    isOnline ? '' : `offline${plug.problem === null ? '' : `: ${plug.problem}`}`,
  ];
}

/** How many plugs are how, and what they draw. */
export function summary(plugs: readonly PlugView[]): string {
  const online = plugs.filter(({ availability }) => availability === 'online');
  const count = (state: string) => online.filter((plug) => plug.state === state).length;
  const powers = online.flatMap(({ power }) => (power === null ? [] : [power]));
  const watts = Math.round(powers.reduce((sum, power) => sum + power, 0) * 10) / 10;
  const drawn = powers.length === 0 ? '' : `; ${watts} W`;
  return `${online.length} of ${plugs.length} plugs online; ${count('ON')} on, ${count('OFF')} off${drawn}`;
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
