import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plugReceipt } from '../../src/bridge/command.ts';
import { PlugError } from '../../src/errors.ts';
import { Figures } from '../../src/metrics/figures.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ENV, noPrometheus } from '../support/other-program.ts';

const COMMAND = { relay: 'off', id: null, origin: 'mqtt', user: null } as const;

let bridge: FakeBridge;
let session: FakeSession;
let storeProblem: string | null;
let figures: Figures;

beforeEach(() => {
  bridge = new FakeBridge('shed3', 'east-wing/lamp-1');
  session = new FakeSession();
  storeProblem = null;
  figures = new Figures({
    bridge,
    session,
    storeProblem: () => storeProblem,
    version: '1.2.3',
    clock: new SystemClock(),
  });
});

afterEach(() => figures.end());

/** All samples of now of the bridge's own figures, by name and labels. */
async function samples(): Promise<{ [sample: string]: string }> {
  const lines = (await figures.text()).split('\n').filter((line) => line.startsWith('hs110_'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.split(' ').at(-1) ?? '']),
  );
}

const LAMP = '{path="east-wing/lamp-1",place="east-wing"}';

describe('the figures of a plug', () => {
  it('are in the units of Prometheus, with its path and its place', async () => {
    bridge.seen('east-wing/lamp-1', true, {
      power: 61.2,
      voltage: 239.8,
      current: 0.271,
      energy: 12.345,
      rssi: -54,
      lamp: 'out',
      lastSeen: 1_700_000_000_500,
    });
    expect(await samples()).toMatchObject({
      [`hs110_relay_on${LAMP}`]: '1',
      [`hs110_power_watts${LAMP}`]: '61.2',
      [`hs110_voltage_volts${LAMP}`]: '239.8',
      [`hs110_current_amperes${LAMP}`]: '0.271',
      [`hs110_energy_joules_total${LAMP}`]: '44442000',
      [`hs110_wifi_signal_dbm${LAMP}`]: '-54',
      [`hs110_lamp_ok${LAMP}`]: '0',
      [`hs110_plug_online${LAMP}`]: '1',
      [`hs110_plug_last_answer_timestamp_seconds${LAMP}`]: '1700000000.5',
    });
  });

  it('have no samples before it has answered or failed', async () => {
    expect(Object.keys(await samples()).filter((name) => name.includes('path='))).toEqual([]);
  });

  it('leave out what it did not report', async () => {
    bridge.seen('shed3', false, { power: null });
    const told = await samples();
    expect(told['hs110_relay_on{path="shed3",place=""}']).toBe('0');
    expect(Object.keys(told).filter((name) => name.startsWith('hs110_power'))).toEqual([]);
  });

  it('do not pass off as new what it said before it went offline', async () => {
    bridge.seen('shed3', true, { lastSeen: 1_700_000_000_000, info: INFO });
    bridge.change('shed3', { availability: 'offline', problem: 'timeout' });
    const told = await samples();
    expect(Object.entries(told).filter(([name]) => name.includes('"shed3"'))).toEqual([
      ['hs110_plug_online{path="shed3",place=""}', '0'],
      ['hs110_plug_last_answer_timestamp_seconds{path="shed3",place=""}', '1700000000'],
      ['hs110_plug_problem{path="shed3",place="",reason="timeout"}', '1'],
      [
        'hs110_plug_info{path="shed3",place="",alias="Lamp",model="HS110(EU)",hardware="2.0",firmware="1.5.4",mac="50:C7:BF:00:00:01"}',
        '1',
      ],
    ]);
  });

  it('are gone with it', async () => {
    bridge.seen('shed3', true, { info: INFO });
    expect(JSON.stringify(await samples())).toContain('shed3');
    bridge.remove('shed3');
    expect(JSON.stringify(await samples())).not.toContain('shed3');
  });

  it('let no name that a plug has forge a line or act upon a terminal', async () => {
    const alias = 'a"} 1\nhs110_power_watts{path="x"} 9 \u202e\u001b[2J';
    bridge.seen('shed3', true, { info: { ...INFO, alias } });
    const text = await figures.text();
    expect(text).not.toMatch(/^hs110_power_watts\{path="x"\}/m);
    for (const character of ['\u202e', '\u001b']) expect(text).not.toContain(character);
  });
});

describe('the figures of the bridge', () => {
  it('count exchanges by how long they took, failures by reason, commands by outcome', async () => {
    bridge.exchange('shed3', 20);
    bridge.exchange('shed3', 700);
    bridge.exchange('shed3', 5000, new PlugError('timeout', 'no answer'));
    bridge.end(plugReceipt('shed3', COMMAND, { outcome: 'confirmed' }, 5));
    bridge.end(plugReceipt('shed3', COMMAND, { outcome: 'confirmed' }, 5), true);
    bridge.end(plugReceipt('shed3', COMMAND, { outcome: 'expired', reason: 'timeout' }, 5));
    expect(await samples()).toMatchObject({
      'hs110_exchange_duration_seconds_bucket{le="0.025"}': '1',
      'hs110_exchange_duration_seconds_bucket{le="1"}': '2',
      hs110_exchange_duration_seconds_count: '2',
      'hs110_exchange_failures_total{reason="timeout"}': '1',
      'hs110_commands_total{outcome="confirmed"}': '1',
      'hs110_commands_total{outcome="expired"}': '1',
      'hs110_commands_total{outcome="refused"}': '0',
    });
  });

  it('say how it stands with the broker and the database', async () => {
    session.connect();
    expect(await samples()).toMatchObject({
      hs110_mqtt_connected: '1',
      hs110_mqtt_subscribed: '1',
      hs110_mqtt_congested: '0',
      hs110_mqtt_connects_total: '1',
      hs110_database_ok: '1',
      'hs110_build_info{version="1.2.3"}': '1',
    });
    session.status = 'connected';
    session.congested = true;
    storeProblem = 'the disk is full';
    expect(await samples()).toMatchObject({
      hs110_mqtt_connected: '1',
      hs110_mqtt_subscribed: '0',
      hs110_mqtt_congested: '1',
      hs110_database_ok: '0',
    });
    session.status = 'away';
    expect(await samples()).toMatchObject({ hs110_mqtt_connected: '0', hs110_mqtt_subscribed: '0' });
  });

  it('count no more once they have ended', async () => {
    bridge.exchange('shed3', 20);
    figures.end();
    bridge.exchange('shed3', 20);
    expect(await samples()).toMatchObject({ hs110_exchange_duration_seconds_count: '1' });
  });

  it('are written once for all who ask at a time', async () => {
    const [one, other] = [figures.text(), figures.text()];
    expect(one).toBe(other);
    await one;
    expect(figures.text()).not.toBe(one);
  });
});

describe.skipIf(noPrometheus !== undefined)('promtool', () => {
  it('finds nothing to say about names, units, types and help', async () => {
    bridge.seen('shed3', true, {
      info: INFO,
      voltage: 230,
      current: 0.2,
      energy: 1,
      rssi: -50,
      clock: 'right',
    });
    bridge.change('east-wing/lamp-1', { availability: 'offline', problem: 'refused' });
    bridge.exchange('shed3', 5000, new PlugError('timeout', 'no answer'));
    // What Node's own figures are called is not ours to say.
    const own = (await figures.text())
      .split('\n\n')
      .filter((figure) => /^# HELP hs110_/.test(figure.trim()))
      .join('\n');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      env: ENV,
      input: `${own}\n`,
      encoding: 'utf8',
    });
    expect(own.match(/^# HELP /gm)?.length).toBeGreaterThan(15);
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });
});
