import { SimulatedDevice } from '../../src/simulator/device.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import type { SitePlug } from './site.ts';
import { SURROUNDINGS } from './site.ts';

/** The plug that a fault befalls, its port, and a free one that it may move to. */
export interface Victim extends SitePlug {
  readonly home: number;
  readonly elsewhere: number;
}

/** A fault, and what the bridge is to make of it. */
export interface FaultCase {
  /** Fit for a topic. */
  readonly fault: string;
  /** Begins the fault; called again before each command. */
  readonly strike: (victim: Victim) => unknown;
  /** Strikes before the bridge starts. */
  readonly early?: true;
  /** Why the plug counts as offline; left out: it stays online. */
  readonly offline?: RegExp;
  /** What is then published of it. */
  readonly shows?: { readonly [key: string]: unknown };
  /** What the inventory says of it. */
  readonly listed?: { readonly [key: string]: unknown };
  /** How a command ends, in itself and in the receipt of the plug's place. */
  readonly outcome: 'confirmed' | 'expired' | 'failed';
  readonly reason?: RegExp;
  /** How long a command is wanted. */
  readonly ttl?: string;
  /** How long the plug may take. */
  readonly timeout?: string;
}

const wire =
  (fault: Fault) =>
  ({ server }: Victim) => {
    server.fault = fault;
  };

const HARMLESS = { outcome: 'confirmed', shows: { state: 'ON', problem: null } } as const;
const lost = (reason: RegExp) => ({ offline: reason, outcome: 'expired', reason }) as const;
const BAD = lost(/^bad-answer$/);

/** Every fault there is. */
export const FAULTS: readonly FaultCase[] = [
  { fault: 'silence', strike: wire({ kind: 'silence' }), ...lost(/^timeout$/) },
  {
    fault: 'delay-with-jitter',
    strike: wire({ kind: 'delay', ms: 100, jitterMs: 50 }),
    ...HARMLESS,
    ttl: '5s',
    timeout: '2s',
  },
  { fault: 'answers-after-5s', strike: wire({ kind: 'delay', ms: 5000 }), ...lost(/^timeout$/) },
  { fault: 'answers-too-late', strike: wire({ kind: 'delay', ms: 350 }), ...lost(/^timeout$/) },
  { fault: 'connection-refused', strike: ({ server }) => server.stop(), ...lost(/^refused$/) },
  {
    fault: 'reset-at-accept',
    strike: ({ server }) => {
      server.fault = { kind: 'reset-at-accept' };
      server.hangUp();
    },
    ...lost(/^reset$/),
  },
  // What a peer sees of a reset right behind data depends on its system.
  { fault: 'reset-mid-reply', strike: wire({ kind: 'reset-mid-reply' }), ...lost(/^(reset|closed)$/) },
  { fault: 'close-mid-reply', strike: wire({ kind: 'close-mid-reply' }), ...lost(/^closed$/) },
  { fault: 'close-without-reply', strike: wire({ kind: 'close' }), ...lost(/^closed$/) },
  { fault: 'half-open', strike: wire({ kind: 'half-open' }), ...HARMLESS, ttl: '4s' },
  { fault: 'byte-per-200ms', strike: wire({ kind: 'trickle', ms: 200 }), ...lost(/^timeout$/) },
  { fault: 'split-at-every-byte', strike: wire({ kind: 'split' }), ...HARMLESS, ttl: '7s', timeout: '3s' },
  { fault: 'two-frames', strike: wire({ kind: 'two-frames' }), ...HARMLESS },
  { fault: 'length-0', strike: wire({ kind: 'length', length: 0 }), ...HARMLESS, ttl: '4s' },
  {
    fault: 'length-0-then-close',
    strike: wire({ kind: 'length', length: 0, close: true }),
    ...HARMLESS,
    ttl: '4s',
  },
  { fault: 'length-too-short', strike: wire({ kind: 'length', length: 5 }), ...BAD },
  {
    fault: 'length-too-long',
    strike: wire({ kind: 'length', length: 60_000, close: true }),
    ...lost(/^closed$/),
  },
  { fault: 'length-huge', strike: wire({ kind: 'length', length: 100_000_000 }), ...BAD },
  { fault: 'length-0xffffffff', strike: wire({ kind: 'length', length: 0xffff_ffff }), ...BAD },
  { fault: 'garbage', strike: wire({ kind: 'garbage' }), ...BAD },
  { fault: 'invalid-json', strike: wire({ kind: 'invalid-json' }), ...BAD },
  { fault: 'not-an-object', strike: wire({ kind: 'not-an-object' }), ...BAD },
  { fault: 'answer-to-another-question', strike: wire({ kind: 'other-answer' }), ...BAD },
  { fault: 'invalid-utf8', strike: wire({ kind: 'invalid-utf8' }), ...BAD },
  { fault: 'surplus-braces', strike: wire({ kind: 'surplus' }), ...HARMLESS },
  { fault: 'http', strike: wire({ kind: 'http' }), ...BAD },
  {
    fault: 'err-code-system',
    strike: ({ device }) => device.broken.set('system', -3),
    offline: /^plug-error$/,
    outcome: 'failed',
    reason: /err_code -3/,
  },
  {
    fault: 'err-code-set-relay-state',
    strike: ({ device }) => device.broken.set('system.set_relay_state', -3),
    outcome: 'failed',
    reason: /set_relay_state with err_code -3/,
    shows: { state: 'ON', problem: null },
  },
  {
    fault: 'err-code-emeter',
    strike: ({ device }) => device.broken.set('emeter', -1),
    outcome: 'confirmed',
    shows: { state: 'ON', power: null, voltage: null, current: null, energy: null },
  },
  {
    fault: 'err-code-all-else',
    strike: ({ device }) => {
      for (const module of ['time', 'schedule', 'cnCloud', 'count_down']) device.broken.set(module, -1);
    },
    early: true,
    ...HARMLESS,
    listed: { clock: null, cloud: null },
  },
  {
    fault: 'emeter-missing',
    strike: ({ device }) => {
      device.hideMeter = true;
    },
    outcome: 'confirmed',
    shows: { state: 'ON', power: null, voltage: null, current: null, energy: null },
  },
  {
    fault: 'relay-state-missing',
    strike: ({ device }) => {
      device.hideRelay = true;
    },
    outcome: 'failed',
    reason: /accepted the command \d+ times but does not report its relay$/,
    shows: { state: null, problem: null },
  },
  {
    fault: 'relay-stuck',
    strike: ({ device }) => {
      device.stuck = true;
    },
    outcome: 'failed',
    reason: /accepted the command \d+ times but still reports ON$/,
    shows: { state: 'ON', problem: null },
  },
  {
    fault: 'relay-flips-by-itself',
    strike: ({ device, server }) => {
      device.press();
      // Whatever it is told, it has another mind a moment later.
      server.onQuery = (query) => {
        if (JSON.stringify(query).includes('set_relay_state')) setImmediate(() => device.press());
      };
    },
    outcome: 'confirmed',
    shows: { state: 'OFF', changed_by: 'plug' },
  },
  {
    fault: 'reboot',
    strike: ({ device, server }) => {
      device.reboot();
      void server.vanish(1500);
    },
    offline: /^refused$/,
    outcome: 'confirmed',
    ttl: '7s',
  },
  {
    fault: 'address-changes',
    strike: ({ server, elsewhere, home }) => server.moveTo(server.port === home ? elsewhere : home),
    offline: /^refused$/,
    outcome: 'confirmed',
    ttl: '7s',
  },
  {
    fault: 'another-plug-at-the-address',
    strike: ({ server }) => server.become(stranger()),
    ...lost(/^wrong-plug$/),
  },
  {
    fault: 'clock-unset',
    strike: ({ device }) => device.setClock(undefined),
    early: true,
    ...HARMLESS,
    listed: { clock: 'unset' },
  },
];

/** Makes everything right again. */
export async function heal({ device, server }: Victim): Promise<void> {
  server.onQuery = () => {};
  server.fault = { kind: 'none' };
  device.broken.clear();
  device.hideMeter = false;
  device.hideRelay = false;
  device.stuck = false;
  device.setClock(0);
  if (server.device !== device) server.become(device);
  await server.stop();
  await server.start();
}

function stranger(): SimulatedDevice {
  return new SimulatedDevice(
    { alias: 'Stranger', mac: '50:C7:BF:FF:FF:FF', hardware: '2.0', loadW: 1, on: true },
    SURROUNDINGS.clock,
  );
}
