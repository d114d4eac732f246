import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/plug/presets/presets.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { ShellPlug } from '../support/shell-plug.ts';
import { until } from '../support/until.ts';

let plug: ShellPlug;

beforeEach(async () => {
  plug = await ShellPlug.started();
});

afterEach(() => plug.stop());

/** What the plug was asked last. */
const lastQuery = () => plug.queries.at(-1);

/** Runs a verb that must succeed, and returns what it printed. */
async function done(...words: string[]): Promise<string> {
  const { code, output, errors } = await plug.run(words);
  expect(errors).toBe('');
  expect(code).toBe(0);
  return output;
}

/** As `done`, with `--json`. */
async function data(...words: string[]): Promise<unknown> {
  return JSON.parse(await done(...words, '--json'));
}

describe('switching a plug from the shell', () => {
  it('switches on and off, and says what the plug then reports', async () => {
    expect(await done('on')).toMatch(/^Loom reports ON, \d+(\.\d+)? W, \d+(\.\d+)? V, \d+(\.\d+)? A$/);
    expect(plug.device.relay).toBe(true);
    expect(await done('off')).toMatch(/^Loom reports OFF, 0 W/);
    expect(plug.device.relay).toBe(false);
  });

  it('switches over', async () => {
    expect(await done('toggle')).toContain('ON');
    expect(await done('toggle')).toContain('OFF');
  });

  it('darkens the LED and leaves the relay alone', async () => {
    await done('on');
    expect(await done('led', 'off')).toContain('Loom reports ON, LED off');
    expect(plug.device.led).toBe(false);
    expect(await data('led', 'on')).toMatchObject({ state: 'ON', led: 'ON' });
  });

  it('prints the readings as JSON for scripts', async () => {
    expect(await data('off')).toMatchObject({ alias: 'Loom', state: 'OFF', led: 'ON', power: 0, current: 0 });
  });

  it('fails when the plug accepts the command but does not follow', async () => {
    plug.device.stuck = true;
    const { code, errors } = await plug.run(['on']);
    expect(errors).toBe('hs110-mqtt: the plug accepted the command but still reports OFF');
    expect(code).toBe(1);
  });

  it('fails when the plug does not say how it stands', async () => {
    plug.device.hideRelay = true;
    expect((await plug.run(['on'])).errors).toMatch(
      /^hs110-mqtt: the device at 127.0.0.1:\d+ does not report a relay; only plugs, outlets of strips, and bulbs are switched$/,
    );
    expect(JSON.stringify(plug.queries)).not.toContain('set_relay_state');
    expect((await plug.run(['toggle'])).errors).toContain('does not say whether it is on or off');
  });

  it('switches a plug without a meter', async () => {
    await plug.stop();
    plug = await ShellPlug.started({ model: 'HS100(EU)' });
    expect(await done('on')).toBe('Loom reports ON');
  });

  it('switches hardware 1, which closes after each answer', async () => {
    await plug.stop();
    plug = await ShellPlug.started({ hardware: '1.0' });
    expect(await done('on')).toContain('Loom reports ON');
  });
});

describe('reading a plug from the shell', () => {
  it('shows what it is', async () => {
    const lines = (await done('info')).split('\n');
    expect(lines).toContain('alias        Loom');
    expect(lines).toContain('model        HS110(EU)');
    expect(lines).toContain('state        OFF');
    expect(lines).toContain('rssi         -52 dBm');
    expect(await data('info')).toMatchObject({
      mac: '50:C7:BF:00:00:01',
      hardware: '2.0',
      feature: 'TIM:ENE',
    });
  });

  it.each(['1.0', '2.0'] as const)('shows the energy in the same units for hardware %s', async (hardware) => {
    await plug.stop();
    plug = await ShellPlug.started({ hardware, on: true });
    expect(await done('energy')).toMatch(
      /^power +\d+(\.\d+)? W\nvoltage +2\d\d(\.\d+)? V\ncurrent +0\.\d+ A\nenergy +0 kWh$/,
    );
    expect(await data('energy')).toMatchObject({ power: expect.any(Number), energy: expect.any(Number) });
  });

  it('says in words that there is no meter', async () => {
    await plug.stop();
    plug = await ShellPlug.started({ model: 'HS100(EU)' });
    const { code, errors } = await plug.run(['energy']);
    expect(errors).toBe(
      'hs110-mqtt: the plug answers emeter.get_realtime with err_code -1 (module not support): this plug does not have that module',
    );
    expect(code).toBe(1);
  });

  it('shows the energy by day and by month, of now or of when it is told', async () => {
    const now = new Date().toISOString();
    expect(await done('day')).toContain(now.slice(0, 10));
    expect(await done('month')).toContain(now.slice(0, 7));
    expect(await done('day', '2001', '2')).toBe('total  0 kWh\n\nno days');
    expect(lastQuery()).toEqual({ emeter: { get_daystat: { year: 2001, month: 2 } } });
    expect(await data('month', '2001')).toEqual({ months: [], total: 0 });
  });

  it('shows clock and zone, and sets them to those of this machine', async () => {
    plug.device.setClock(-7_200_000);
    expect(await data('time')).toMatchObject({ timezone_index: 39, timezone: 'Europe/London' });
    expect(await data('set-time')).toMatchObject({ timezone_index: 41, timezone: 'Europe/Berlin' });
    const { ahead } = (await data('time')) as { ahead: number };
    expect(Math.abs(ahead)).toBeLessThanOrEqual(2);
  });

  it('keeps the zone of the plug where none of its zones fits this machine', async () => {
    const shell = Object.assign(new FakeShell(), { timeZone: 'Asia/Tehran' });
    expect(await shell.run('plug', plug.host, 'set-time')).toBe(0);
    expect(shell.output).toContain('no index of the plug fits Asia/Tehran: its own was kept');
    expect(lastQuery()).toMatchObject({ time: { set_timezone: { index: 39 } } });
  });

  it('says that the clock is not set where the plug says so', async () => {
    plug.device.setClock(undefined);
    const { code, errors } = await plug.run(['schedule']);
    expect(errors).toBe(
      "hs110-mqtt: the plug answers schedule.get_rules with err_code -11 (time not sync): the plug's clock is not set: give it a time server or set its time",
    );
    expect(code).toBe(1);
  });

  it('shows the cloud, the away mode and the networks in reach', async () => {
    expect(await data('cloudinfo')).toMatchObject({ bound: false, connected: false, username: '' });
    expect(await done('antitheft')).toBe('enabled  yes\n\nno rules');
    expect(await done('wlanscan')).toBe(
      'SSID      SECURITY  RSSI\nmuseum    wpa2      –\nvisitors  open      –',
    );
  });
});

describe('the rules of a plug from the shell', () => {
  it('are added, shown and removed by number or by id', async () => {
    await done('schedule', 'add', '07:30', 'on', 'weekdays');
    await done('schedule', 'add', 'sunset', 'off', '2026-12-24');
    const text = await done('schedule', 'add', '6:05', 'off', 'Sat,sun');
    expect(
      text
        .split('\n')
        .slice(2)
        .map((line) => line.replaceAll(/ {2,}/g, '|')),
    ).toEqual([
      'NR|TIME|DAYS|ACTION|ENABLED|NAME|ID',
      '1|07:30|mon,tue,wed,thu,fri|ON|yes|hs110-mqtt on|00000000000000000000000000000001',
      '2|sunset|2026-12-24|OFF|yes|hs110-mqtt off|00000000000000000000000000000002',
      '3|06:05|sun,sat|OFF|yes|hs110-mqtt off|00000000000000000000000000000003',
    ]);
    await done('schedule', 'remove', '2');
    await done('schedule', 'remove', '00000000000000000000000000000003');
    expect(await data('schedule')).toMatchObject({
      next: { action: 'ON', time: '07:30' },
      rules: [{ nr: 1, time: '07:30' }],
    });
  });

  it('are told apart where an id is cut too short, or there is none', async () => {
    await done('schedule', 'add', '07:30', 'on');
    await done('schedule', 'add', '08:30', 'on');
    expect((await plug.run(['schedule', 'remove', '0000'])).errors).toContain(
      'the plug has more than one rule "0000"',
    );
    expect((await plug.run(['schedule', 'remove', '7'])).errors).toContain('the plug has no rule "7"');
  });

  it('are followed or not', async () => {
    expect(await data('schedule', 'disable')).toMatchObject({ enabled: false });
    expect(await data('schedule', 'enable')).toMatchObject({ enabled: true });
  });

  it('hold one countdown, which a new one replaces', async () => {
    await done('countdown', 'on', '90');
    expect(await data('countdown', 'off', '30m')).toMatchObject({
      countdowns: [{ action: 'OFF', delay: 1800 }],
    });
    expect(await done('countdown')).toContain('30 min');
    expect(await done('countdown', 'clear')).toBe('no countdowns');
  });
});

describe('changing a plug from the shell', () => {
  it('gives it a name, and shows the name it then has', async () => {
    expect(await done('alias', 'Küche ☕')).toBe('alias  Küche ☕');
    expect(await data('info')).toMatchObject({ alias: 'Küche ☕' });
  });

  it('unbinds it from the cloud, or says that it is not bound', async () => {
    plug.device.network.account = 'visitor@example.com';
    expect(await data('cloud', 'unbind', '--yes')).toMatchObject({ bound: false });
    expect((await plug.run(['cloud', 'unbind', '--yes'])).errors).toBe(
      'hs110-mqtt: the plug answers cnCloud.unbind with err_code -8 (not bind yet): the plug is not bound to a cloud account',
    );
  });

  it('turns it to another cloud server', async () => {
    expect(await done('cloud', 'server', 'local.invalid', '--yes')).toContain('server     local.invalid');
  });

  it.each([
    ['reboot', { system: { reboot: { delay: 1 } } }],
    ['reset', { system: { reset: { delay: 1 } } }],
    ['erase', { emeter: { erase_emeter_stat: {} } }],
  ])('does %s when told so twice', async (name, query) => {
    expect(await done(name, '--yes')).toMatch(/^Done: /);
    expect(lastQuery()).toEqual(query);
  });
});

describe('asking a plug anything else', () => {
  it('shows the whole answer, as it came', async () => {
    const answer = await done('send', '{"system":{"get_sysinfo":{}},"emeter":{"get_vgain_igain":{}}}');
    expect(JSON.parse(answer)).toMatchObject({ emeter: { get_vgain_igain: { vgain: 13290 } } });
    expect(answer).toContain('\n  "system": {');
    expect(await done('send', '--json', '{"time":{"get_timezone":{}}}')).toBe(
      '{"time":{"get_timezone":{"index":39,"err_code":0}}}',
    );
  });

  it('shows the answer and fails where the plug refuses, saying why', async () => {
    const { code, output, errors } = await plug.run(['send', '--json', '{"system":{"brew_tea":{}}}']);
    expect(output).toBe('{"system":{"brew_tea":{"err_code":-2,"err_msg":"member not support"}}}');
    expect(errors).toBe(
      'hs110-mqtt: the plug answers system.brew_tea with err_code -2 (member not support): this plug does not have that method',
    );
    expect(code).toBe(1);
  });

  it('asks with an object where null was written, and with the outlets of a strip', async () => {
    await done('send', '{"context":{"child_ids":["00"]},"system":{"get_sysinfo":null}}');
    expect(lastQuery()).toEqual({ context: { child_ids: ['00'] }, system: { get_sysinfo: {} } });
  });

  it.each([
    ['{system:{}}', 'it is not JSON'],
    ['NaN', 'it is not JSON'],
    ['[1]', 'it is not an object'],
    ['{}', 'it asks nothing'],
    ['{"context":{}}', 'it asks nothing'],
    ['{"system":{}}', 'system holds no method'],
    ['{"system":1}', 'system must hold an object of methods'],
    ['{"system":{"get_sysinfo":[]}}', 'the argument of system.get_sysinfo must be an object, at least {}'],
  ])('refuses %s without asking the plug', async (json, why) => {
    const { code, errors } = await plug.run(['send', json]);
    expect(errors).toContain(`a plug cannot be asked that: ${why}`);
    expect(code).toBe(2);
    expect(plug.queries).toEqual([]);
  });
});

describe('watching a plug', () => {
  it('prints a line at once and ends quietly with Ctrl-C', async () => {
    const shell = new FakeShell();
    const running = shell.run('plug', plug.host, 'watch');
    await until(() => shell.printed.length > 0, 'the first line');
    shell.interrupt();
    expect(await running).toBe(0);
    expect(shell.output).toMatch(/^\d\d:\d\d:\d\d {2}OFF +0 W +\d+(\.\d+)? V +0 A$/);
    expect(shell.errors).toBe('');
  });

  it('waits for a plug that goes away, and says so', async () => {
    const shell = new FakeShell();
    const running = shell.run('plug', plug.host, 'watch', '--json', '--timeout', '100ms');
    await until(() => shell.printed.length === 1, 'the first line');
    await plug.server.stop();
    await until(() => shell.printed.length === 2, 'the second line');
    await plug.server.start();
    await until(() => shell.printed.length === 3, 'the third line');
    shell.interrupt();
    expect(await running).toBe(0);
    const lines = shell.printed.map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ state: 'OFF', power: 0 });
    expect(lines[1]).toMatchObject({ problem: 'refused' });
    expect(lines[2]).toMatchObject({ state: 'OFF' });
  });

  it('fails if the plug was never there', async () => {
    const { code, errors } = await plug.runWith({ kind: 'close' }, ['watch']);
    expect(errors).toContain('closed the connection without a whole answer');
    expect(code).toBe(1);
  });
});

describe('the words after a plug', () => {
  it.each([
    [['nix'], 'there is no command "nix"'],
    [['reebot'], 'did you mean reboot?'],
    [['schedule', 'ad'], 'there is no command "schedule ad"; did you mean schedule add?'],
    [['cloud'], 'cloud unbind, cloud server'],
    [['info', 'please'], 'it is written `info`'],
    [['alias', 'two', 'words'], 'it is written `alias NAME` (put what holds blanks into quotes)'],
    [['alias', ' '], 'the name must not be empty'],
    [['led'], 'it is written `led on|off`'],
    [['led', 'red'], 'it must be on or off, not "red"'],
    [['day', '2026'], 'give year and month, or neither'],
    [['day', '2026', '13'], 'the month must be a whole number from 1 to 12, not "13"'],
    [['month', '26'], 'the year must be a whole number from 2000 to 2099, not "26"'],
    [
      ['countdown', 'on', 'soon'],
      'it must be a number of seconds or a duration such as 30m, at most 24h, not "soon"',
    ],
    [['countdown', 'off', '25h'], 'at most 24h'],
    [['schedule', 'add', '25:00', 'on'], 'the time must be as 07:30, or sunrise or sunset, not "25:00"'],
    [['schedule', 'add', '07:30', 'up'], 'it must be on or off, not "up"'],
    [['schedule', 'add', '07:30', 'on', 'someday'], 'the days must be daily, weekdays'],
    [['schedule', 'add', '07:30', 'on', '2026-02-30'], 'there is no 2026-02-30 in the calendar'],
    [['schedule', 'add', '07:30', 'on', '2026-13-01'], 'there is no 2026-13-01 in the calendar'],
    [['schedule', 'add', '07:30', 'on', '2027-02-29'], 'there is no 2027-02-29 in the calendar'],
    [['info', '--verify', '192.168.1.145'], '--verify is for join only: info does not take it'],
    [['on', '--security', 'wpa'], '--security is for join only: on does not take it'],
    [['join', 'museum', '--within', '5s'], '--within needs --verify'],
    [['cloud', 'server', ' '], 'the server must be a host name'],
    [['send'], 'it is written `send JSON`'],
  ])('are refused where they make no sense: %j', async (words, message) => {
    const { code, errors } = await plug.run(words);
    expect(errors).toContain(message);
    expect(code).toBe(2);
    expect(plug.queries).toEqual([]);
  });

  it('are all in the help, with examples', async () => {
    const shell = new FakeShell();
    expect(await shell.run('plug', '--help')).toBe(0);
    for (const { name } of PRESETS) expect(shell.output).toContain(`\n  ${name}`);
    for (const name of ['send JSON', 'watch', 'join SSID', 'Examples:']) expect(shell.output).toContain(name);
  });

  it('hold all presets of the old script', () => {
    const names = PRESETS.map(({ name }) => name);
    const old = 'info on off cloudinfo wlanscan time schedule countdown antitheft reboot reset energy';
    expect(names).toEqual(expect.arrayContaining(old.split(' ')));
    expect(new Set(names).size).toBe(names.length);
  });
});
