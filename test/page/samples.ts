import type { Place, Plug, Receipt } from '../../src/web/page/wire.ts';

/** A plug as the API sends it. */
export function somePlug(path: string, given: Partial<Plug> = {}): Plug {
  return {
    path,
    name: path,
    place: path.slice(0, Math.max(0, path.lastIndexOf('/'))),
    state: 'OFF',
    availability: 'online',
    problem: null,
    power: 0,
    voltage: 230,
    current: 0,
    energy: 1,
    energyToday: 0.1,
    energyMonth: 2,
    led: 'ON',
    rssi: -60,
    onSince: null,
    changedBy: null,
    user: null,
    lastSeen: '2026-01-01T12:00:00Z',
    locked: false,
    lamp: null,
    cloud: null,
    clock: null,
    model: 'HS110(EU)',
    hardware: '2.0',
    firmware: '1.5.2',
    address: '127.0.0.1',
    mac: '50:C7:BF:00:00:01',
    meter: true,
    brightness: null,
    dims: false,
    colorTemp: null,
    motion: null,
    ambientLight: null,
    ...given,
  };
}

/** A receipt as the API sends it: one plug did what it was to do. */
export function someReceipt(given: Partial<Receipt> = {}): Receipt {
  return {
    id: null,
    target: '',
    wanted: 'OFF',
    outcome: 'confirmed',
    confirmed: 1,
    total: 1,
    missing: [],
    ms: 5,
    ...given,
  };
}

/** A place as the API sends it; the page takes its name and nothing else. */
export function somePlace(path: string, name: string): Place {
  return { path, name, state: null, on: 0, off: 0, unknown: 0, total: 0, power: null };
}
