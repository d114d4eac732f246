import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { configOf, type Given, problemsOf } from '../support/config-sources.ts';
import { thrownBy } from '../support/thrown.ts';

const PLUG = 'plugs:\n  - path: shed3\n    host: 192.168.1.145\n';

describe('a configuration', () => {
  it('is complete without any source', () => {
    const config = configOf({});
    expect(config).toMatchObject({
      mqtt: {
        baseTopic: 'museum',
        version: 'auto',
        keepalive: 30_000,
        rejectUnauthorized: true,
        output: 'both',
      },
      broker: { listen: { host: '127.0.0.1', port: 1883 }, allowAnonymous: false },
      poll: { interval: 5000, timeout: 5000, offlineAfter: 3, backoffMax: 30_000, statistics: 300_000 },
      command: { ttl: 60_000, concurrency: 64 },
      homeassistant: { discovery: 'device', prefix: 'homeassistant' },
      log: { level: 'info', format: 'auto' },
      plugs: [],
    });
    expect(config.mqtt.url).toBeUndefined();
    expect(config.mqtt.password).toBeUndefined();
  });

  it.each(['', '\n', '# nothing yet\n', 'mqtt:\npoll:\nplugs:\n', '---\n'])(
    'may be the empty file %j',
    (file) => {
      expect(configOf({ file })).toEqual(configOf({}));
    },
  );

  it.each([
    ['the default', {}, 5000],
    ['the file', { file: 'poll:\n  interval: 1s\n' }, 1000],
    ['the environment', { file: 'poll:\n  interval: 1s\n', env: { HS110_MQTT_POLL_INTERVAL: '2s' } }, 2000],
    [
      'the flag',
      {
        file: 'poll:\n  interval: 1s\n',
        env: { HS110_MQTT_POLL_INTERVAL: '2s' },
        flags: { 'poll.interval': '3s' },
      },
      3000,
    ],
  ] as [string, Given, number][])(
    'takes each option from the last source that has it: %s',
    (_, given, interval) => {
      expect(configOf(given).poll).toMatchObject({ interval, offlineAfter: 3 });
    },
  );

  it.each(['007', '1e3', '0x10', '1.50', 'true', 'yes', 'null', '-x', '"q"', 'a=b', '~'])(
    'keeps the text %s as it was written, whatever its source',
    (text) => {
      expect(configOf({ env: { HS110_MQTT_MQTT_USERNAME: text } }).mqtt.username).toBe(text);
      expect(configOf({ flags: { 'mqtt.username': text } }).mqtt.username).toBe(text);
      expect(configOf({ file: `mqtt: {username: '${text}'}` }).mqtt.username).toBe(text);
    },
  );

  it.each(['0123', '1e3', '1.50', '0o17', '42', '12345678901234567890'])(
    'takes the unquoted number %s in the file for the text it is',
    (text) => {
      expect(configOf({ file: `mqtt:\n  password: ${text}\n` }).mqtt.password).toBe(text);
    },
  );

  it('takes several brokers from a list or from commas', () => {
    const url = ['mqtt://a.example', 'mqtts://b.example:8884'];
    expect(configOf({ file: `mqtt:\n  url: [${url}]\n` }).mqtt.url).toEqual(url);
    expect(configOf({ env: { HS110_MQTT_MQTT_URL: url.join(', ') } }).mqtt.url).toEqual(url);
  });

  it('cannot be changed once it is read', () => {
    const config = configOf({ file: PLUG });
    for (const part of [config, config.mqtt, config.plugs, config.plugs[0], config.plugs[0]?.host]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('the networks of plugs', () => {
  it.each(['192.168.1.0/24', '[192.168.1.0/24, "fd00::/8"]'])('are read: %s', (networks) => {
    const [first] = configOf({ file: `discovery: {networks: ${networks}}\n` }).discovery.networks ?? [];
    expect(first).toEqual({ address: '192.168.1.0', prefix: 24 });
  });

  it.each(['192.168.1.0', '192.168.1.0/33', 'lan/24', '1.2.3/8'])('are refused: %s', (networks) => {
    expect(problemsOf({ file: `discovery: {networks: ${networks}}\n` })).toEqual([
      expect.stringContaining('discovery.networks must be a network such as 192.168.1.0/24'),
    ]);
  });

  it('hold every address that is configured', () => {
    const file = `discovery: {networks: 10.0.0.0/8}\n${PLUG}`;
    expect(problemsOf({ file })).toEqual([
      'site.yaml:4:5: plugs[0].host 192.168.1.145 (shed3) is in none of discovery.networks',
    ]);
    expect(configOf({ file: file.replace('192.168.1.145', 'lamp.local') }).plugs).toHaveLength(1);
  });
});

describe('secrets', () => {
  it.each(['hunter2', 'hunter2\n', 'hunter2\r\n'])('come from the file that a variable names: %j', (text) => {
    const env = { HS110_MQTT_MQTT_PASSWORD_FILE: '/run/secrets/mqtt' };
    expect(configOf({ env, secrets: { '/run/secrets/mqtt': text } }).mqtt.password).toBe('hunter2');
  });

  it('keep what blanks they hold', () => {
    const env = { HS110_MQTT_BROKER_USERNAME: 'ann', HS110_MQTT_BROKER_PASSWORD_FILE: 'f' };
    expect(configOf({ env, secrets: { f: ' a\nb \n' } }).broker.password).toBe(' a\nb ');
  });

  it('in a file that cannot be read are one problem, with the name of the variable', () => {
    expect(problemsOf({ env: { HS110_MQTT_MQTT_PASSWORD_FILE: '/nowhere' } })).toEqual([
      'environment: HS110_MQTT_MQTT_PASSWORD_FILE names a file that cannot be read: no such file: /nowhere',
    ]);
  });

  it('come as credentials of systemd, which go before the file and behind variables', () => {
    const given = {
      file: 'mqtt:\n  password: from-the-file\n',
      env: { CREDENTIALS_DIRECTORY: '/run/credentials/hs110-mqtt.service' },
      secrets: { '/run/credentials/hs110-mqtt.service/mqtt.password': 'hunter2\n' },
    };
    expect(configOf(given).mqtt.password).toBe('hunter2');
    expect(configOf(given).broker.password).toBeUndefined();
    const env = { ...given.env, HS110_MQTT_MQTT_PASSWORD: 'from-the-variable' };
    expect(configOf({ ...given, env }).mqtt.password).toBe('from-the-variable');
  });

  it('alone may be named by file', () => {
    expect(problemsOf({ env: { HS110_MQTT_MQTT_USERNAME_FILE: 'f' }, secrets: { f: 'me' } })).toEqual([
      expect.stringContaining('HS110_MQTT_MQTT_USERNAME_FILE is no option'),
    ]);
  });

  it.each<[string, Given]>([
    ['a list', { file: 'mqtt:\n  password: [hunter2]\n' }],
    ['a map', { file: 'mqtt:\n  password: {hunter2: x}\n' }],
    ['text behind a quote', { file: 'mqtt:\n  password: "x" hunter2\n' }],
    ['a map by mistake', { file: 'mqtt:\n  password: hunter2: x\n' }],
    ['an alias by mistake', { file: 'mqtt:\n  password: *hunter2\n' }],
    ['a tag by mistake', { file: 'mqtt:\n  password: !hunter2 x\n' }],
    ['a reserved character', { file: 'mqtt:\n  password: @hunter2\n' }],
    ['a block by mistake', { file: 'mqtt:\n  password: |hunter2\n' }],
    ['a quote that does not end', { file: 'mqtt:\n  password: "hunter2\n' }],
    ['a whole file that is one text', { file: 'hunter2\n' }],
    ['a part of a bad address', { file: 'mqtt:\n  url: "mqtt//me:hunter2@host"\n' }],
    ['a part of a bad address in a list', { file: 'mqtt:\n  url: ["nope://me:a:hunter2@host"]\n' }],
    ['a part of a bad address on the command line', { flags: { 'mqtt.url': 'http://me:hunter2@host' } }],
  ])('are never shown in a problem: %s', (_, given) => {
    const problems = problemsOf(given);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('a problem', () => {
  it.each([
    [
      'an option that is not there',
      'poll:\n  timout: 3s\n',
      'site.yaml:2:3: there is no option timout in poll; did you mean timeout?',
    ],
    [
      'a group that is not there',
      'mqqt:\n  url: x\n',
      'site.yaml:1:1: there is no option mqqt; did you mean mqtt?',
    ],
    [
      'an option of a plug that is not there',
      `${PLUG}    hots: x\n`,
      'site.yaml:4:5: there is no option hots in plugs[0]; did you mean host?',
    ],
    [
      'an option near no other',
      'log:\n  xylophone: 1\n',
      'site.yaml:2:3: there is no option xylophone in log; there are level, format',
    ],
    [
      'a name that every object has',
      'log:\n  constructor: 1\n',
      'site.yaml:2:3: there is no option constructor in log; there are level, format',
    ],
    [
      'a value in place of a group',
      'poll: 5s\n',
      'site.yaml:1:1: poll must hold options such as "interval:"',
    ],
    [
      'a duration without a unit',
      'poll:\n  interval: 5\n',
      'site.yaml:2:3: poll.interval must be a duration with its unit, such as 200ms, 5s, 30m or 8h; it is 5',
    ],
    [
      'a duration out of bounds',
      'poll:\n  interval: 10ms\n',
      'site.yaml:2:3: poll.interval must be from 100 ms to 86400000 ms; it is "10ms"',
    ],
    [
      'a count with letters behind it',
      'poll:\n  offlineAfter: 10foo\n',
      'site.yaml:2:3: poll.offlineAfter must be a whole number from 1 to 100; it is "10foo"',
    ],
    [
      'a yes that is no true',
      'mqtt:\n  rejectUnauthorized: yes\n',
      'site.yaml:2:3: mqtt.rejectUnauthorized must be true or false; it is "yes"',
    ],
    [
      'a word that is none of those allowed',
      'log:\n  level: loud\n',
      'site.yaml:2:3: log.level must be one of trace, debug, info, warn, error, silent; it is "loud"',
    ],
    [
      'a base topic with a wildcard',
      'mqtt:\n  baseTopic: a/#\n',
      'site.yaml:2:3: mqtt.baseTopic a base topic may not hold + or #; it is "a/#"',
    ],
    [
      'a broker by another protocol',
      'mqtt:\n  url: http://a\n',
      'site.yaml:2:3: mqtt.url must be the address of a broker',
    ],
    [
      'options in place of a value',
      'log:\n  level: {of: {the: log}}\n',
      'site.yaml:2:3: log.level must be one of trace, debug, info, warn, error, silent; it holds options',
    ],
    ['plugs that are no list', 'plugs:\n  shed: 1\n', 'site.yaml:1:1: plugs must be a list'],
    ['a plug that is no map', 'plugs:\n  - shed\n', 'site.yaml:2:5: plugs[0] must hold "path:" and "host:"'],
    ['a plug without a path', 'plugs:\n  - host: a\n', 'site.yaml:2:5: plugs[0].path is missing'],
    [
      'an address with blanks',
      'plugs:\n  - {path: a, host: "b c"}\n',
      'site.yaml:2:15: plugs[0].host must be an address such as',
    ],
    [
      'a port that is none',
      'plugs:\n  - {path: a, host: "b:70000"}\n',
      'site.yaml:2:15: plugs[0].host must be an address such as',
    ],
    [
      'a MAC that is too short',
      'plugs:\n  - {path: a, mac: "50:C7"}\n',
      'site.yaml:2:15: plugs[0].mac must be a MAC such as',
    ],
    [
      'a MAC that is an IP address',
      'plugs:\n  - {path: a, mac: 192.168.178.101}\n',
      'site.yaml:2:15: plugs[0].mac holds the address of a plug, which belongs into "host:"; it is "192.168.178.101"',
    ],
    [
      'a command that there is not',
      'allow: [alias, rebot]\n',
      'site.yaml:1:1: allow names "rebot", which is neither a command nor a request (did you mean reboot?)',
    ],
    [
      "an option of a plug's polling",
      `${PLUG}    poll: {interval: 1}\n`,
      'site.yaml:4:12: plugs[0].poll.interval must be a duration',
    ],
  ])('names the place in the file and what is expected: %s', (_, file, problem) => {
    expect(
      problemsOf({ file }).some((one) => one.startsWith(problem)),
      problemsOf({ file }).join('\n'),
    ).toBe(true);
  });

  it.each<[string, Given, string]>([
    [
      'a variable',
      { env: { HS110_MQTT_POLL_INTERVAL: '5' } },
      'environment: HS110_MQTT_POLL_INTERVAL: poll.interval must be',
    ],
    ['a flag', { flags: { 'poll.interval': 'soon' } }, '--poll-interval: poll.interval must be'],
    [
      'a variable that is not there',
      { env: { HS110_MQTT_POLL_INTERVALL: '5s' } },
      'environment: HS110_MQTT_POLL_INTERVALL is no option; did you mean HS110_MQTT_POLL_INTERVAL?',
    ],
    [
      'the source in force, not the one it overrides',
      { file: 'poll:\n  interval: 1s\n', flags: { 'poll.interval': '1' } },
      '--poll-interval: poll.interval must be',
    ],
  ])('outside the file names its source: %s', (_, given, problem) => {
    expect(problemsOf(given)).toEqual([expect.stringContaining(problem)]);
  });

  it('does not arise from variables of others, nor from the one that names the file', () => {
    expect(() =>
      configOf({ env: { PATH: '/bin', HS110: 'x', HS110_MQTT_CONFIG: 'site.yaml' } }),
    ).not.toThrow();
  });

  it('is a place without a plug, but no outlet of what may be a strip', () => {
    const file = (place: string) =>
      `plugs:\n  - {path: bench, host: a, outlets: [lamp]}\n  - {path: hall/fan, host: b}\nplaces:\n  ${place}: {locked: true}\n`;
    for (const place of ['bench', 'bench/lamp', 'bench/6', 'hall', 'hall/fan/8'])
      expect(() => configOf({ file: file(place) }), place).not.toThrow();
    for (const place of ['bench/lamb', 'bench/1', 'bench/9', 'bench/2/2', 'hall/1', 'hall/fan'])
      expect(problemsOf({ file: file(place) })[0], place).toContain(`there is no plug in ${place}`);
  });

  it('is one, where a needed option holds options', () => {
    expect(problemsOf({ file: 'plugs:\n  - {path: {a: b}, host: c}\n' })).toEqual([
      'site.yaml:2:6: plugs[0].path must be a text; it holds options',
    ]);
  });

  it('does not hide another: all are reported at once, each with its place', () => {
    const file =
      'poll:\n  interval: 5\n  timout: 3s\nplugs:\n  - path: a\n    hots: b\n  - 5\nlog:\n  level: loud\n';
    const given = { file, env: { HS110_MQTT_POLL_TIMEOUT: 'x' }, flags: { 'command.ttl': 'y' } };
    const places = problemsOf(given).map((problem) => problem.split(': ')[0]);
    expect(places).toEqual(
      expect.arrayContaining([
        'site.yaml:2:3',
        'site.yaml:3:3',
        'site.yaml:6:5',
        'site.yaml:7:5',
        'site.yaml:9:3',
        'environment',
        '--command-ttl',
      ]),
    );
    const error = thrownBy(() => configOf(given));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'bad-configuration', message: problemsOf(given).join('\n') });
  });
});

describe('the path of a plug', () => {
  it.each([
    ['shed3', 'shed3', undefined],
    ['east-wing/lamp-1', 'east-wing/lamp-1', undefined],
    ['a_b', 'a_b', undefined],
    ['Shed 3', 'shed-3', 'Shed 3'],
    ['East Wing/Café Größe', 'east-wing/cafe-grosse', 'Café Größe'],
    ['East Wing/lamp-1', 'east-wing/lamp-1', undefined],
    ['Set', 'plug-set', 'Set'],
    ['漢', 'plug', '漢'],
    ['007', '007', undefined],
  ])('%s is made fit for topics, and its name kept if that differs', (written, path, name) => {
    const [plug] = configOf({ file: `plugs:\n  - path: ${written}\n    host: a\n` }).plugs;
    expect(plug).toMatchObject({ path });
    expect(plug?.name).toBe(name);
  });

  it('does not override a name that was given', () => {
    const [plug] = configOf({ file: 'plugs:\n  - {path: Shed 3, name: Mine, host: a}\n' }).plugs;
    expect(plug).toMatchObject({ path: 'shed-3', name: 'Mine' });
  });

  it.each([
    ['a, a', 'site.yaml:3:6: plugs[1].path a is taken by plugs[0]'],
    ['Shed 3, shed-3', 'site.yaml:3:6: plugs[1].path shed-3 is taken by plugs[0]'],
    ['x, x/y', 'site.yaml:2:6: plugs[0].path x is a plug, yet plugs[1] (x/y) makes it a place'],
    ['x/y/z, x', 'site.yaml:3:6: plugs[1].path x is a plug, yet plugs[0] (x/y/z) makes it a place'],
    ['bridge', 'site.yaml:2:6: plugs[0].path "bridge": "bridge" is reserved for the bridge itself'],
    ['bridge/lamp', 'site.yaml:2:6: plugs[0].path "bridge/lamp": "bridge" is reserved'],
    ['a/set', `site.yaml:2:6: plugs[0].path "a/set": "set" is reserved for a plug's own topics`],
    ['state/a', `site.yaml:2:6: plugs[0].path "state/a": "state" is reserved for a plug's own topics`],
    ['a//b', 'site.yaml:2:6: plugs[0].path "a//b": a path has no empty levels'],
    ['/a', 'site.yaml:2:6: plugs[0].path "/a": a path has no empty levels'],
  ])('collides with nothing: %s', (paths, problem) => {
    const plugs = paths.split(', ').map((path, index) => `  - {path: ${path}, host: h${index}}\n`);
    expect(problemsOf({ file: `plugs:\n${plugs.join('')}` })).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [
      '{path: a, host: 10.0.0.1}',
      '{path: b, host: "10.0.0.1:9999"}',
      'plugs[1].host 10.0.0.1:9999 is taken by plugs[0]',
    ],
    [
      '{path: a, mac: 501122334455}',
      '{path: b, mac: "50:11:22:33:44:55"}',
      'plugs[1].mac 50:11:22:33:44:55 is taken by plugs[0]',
    ],
    [
      '{path: a, mac: 50c7bf000001}',
      '{path: b, mac: "50:C7:BF:00:00:01"}',
      'plugs[1].mac 50:C7:BF:00:00:01 is taken by plugs[0]',
    ],
  ])('shares neither address nor MAC with another: %s', (first, second, problem) => {
    expect(problemsOf({ file: `plugs:\n  - ${first}\n  - ${second}\n` })).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it('may lead to the same host as another, at another port', () => {
    const { plugs } = configOf({
      file: 'plugs:\n  - {path: a, host: "h:1"}\n  - {path: b/c, host: "h:2"}\n',
    });
    expect(plugs.map(({ host }) => host)).toEqual([
      { host: 'h', port: 1 },
      { host: 'h', port: 2 },
    ]);
  });
});

describe('the embedded broker', () => {
  const open = 'broker:\n  listen: 0.0.0.0:1883\n';

  it.each([
    ['on all addresses', open],
    ['on a name that only looks like loopback', 'broker:\n  listen: 127.example.org\n'],
    ['on all addresses of IPv6', 'broker:\n  listen: "[::]:1883"\n'],
  ])('is not opened to the network without a password: %s', (_, file) => {
    expect(problemsOf({ file })).toEqual([
      expect.stringMatching(/^site\.yaml:2:3: broker\.listen opens the broker to the network/),
    ]);
  });

  it.each([
    ['username', 'password'],
    ['password', 'username'],
  ])('takes no %s without the %s: it would let anyone in', (given, other) => {
    expect(problemsOf({ file: `broker:\n  ${given}: x\n` })).toEqual([
      `site.yaml:2:3: broker.${given} needs broker.${other} as well`,
    ]);
  });

  it('is opened neither to pages in a browser, nor by TLS alone', () => {
    const webSocket = 'broker: {webSocket: {listen: "127.0.0.1:9001"}}\n';
    expect(problemsOf({ file: webSocket })).toEqual([
      expect.stringContaining('broker.webSocket.listen opens the broker to every page in a browser'),
    ]);
    const tls = 'broker: {tls: {listen: "0.0.0.0:8883"}, webSocket: {secure: true}}\n';
    expect(problemsOf({ file: tls })).toEqual([
      expect.stringContaining('broker.tls.listen needs broker.tls.cert as well'),
      expect.stringContaining('broker.webSocket.secure needs broker.tls.cert as well'),
      expect.stringContaining('broker.tls.listen needs broker.tls.key as well'),
      expect.stringContaining('broker.webSocket.secure needs broker.tls.key as well'),
      expect.stringContaining('broker.tls.listen opens the broker to the network'),
    ]);
  });

  const HASH = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  const users = (text: string) => `broker:\n  users:\n    - {${text}}\n`;

  it('takes users with hashes and topic filters, from the file or as JSON from a variable', () => {
    const file = users(
      `name: ann, password: "${HASH}", publish: museum/+/set, subscribe: [museum/#], rate: 10`,
    );
    const ann = { name: 'ann', password: HASH, publish: ['museum/+/set'], subscribe: ['museum/#'], rate: 10 };
    expect(configOf({ file }).broker.users).toEqual([ann]);
    const env = { HS110_MQTT_BROKER_USERS: JSON.stringify([ann]) };
    expect(configOf({ env }).broker.users).toEqual([ann]);
  });

  it.each([
    [
      'no hash',
      'name: ann, password: hunter2',
      ': user 1 (ann): password must be a hash that hs110-mqtt hash',
    ],
    ['no name', `password: "${HASH}"`, ': user 1 has no name'],
    ['an unknown key', `name: ann, password: "${HASH}", topics: a`, ': user 1 has no option topics'],
    [
      'a bad filter',
      `name: ann, password: "${HASH}", publish: a#`,
      ': user 1 : publish a# is no topic filter',
    ],
    ['a bad rate', `name: ann, password: "${HASH}", rate: 0`, ': user 1 : rate must be a whole number'],
  ])('takes no user with %s, and never shows what was written', (_, user, problem) => {
    const problems = problemsOf({ file: users(user) });
    expect(problems).toEqual([expect.stringContaining(`site.yaml:2:3: broker.users ${problem}`)]);
    expect(problems.join()).not.toMatch(/hunter2|scrypt\$ln/);
  });

  it.each([
    ['with name and password', `${open}  username: me\n  password: x\n`],
    ['when that is wanted', `${open}  allowAnonymous: true\n`],
    ['when another broker is used', `${open}mqtt:\n  url: mqtt://a\n`],
    ['on the loopback address', 'broker:\n  listen: 127.0.0.2:0\n'],
    ['on the loopback address of IPv6', 'broker:\n  listen: "[::1]:1884"\n'],
    ['on localhost', 'broker:\n  listen: localhost\n'],
  ])('is allowed %s', (_, file) => {
    expect(() => configOf({ file })).not.toThrow();
  });
});

describe('an option that was called otherwise', () => {
  it.each([
    ['the file', { file: 'clock:\n  keep: true\n' }, 'site.yaml:2:3: clock.keep'],
    [
      'the environment',
      { env: { HS110_MQTT_CLOCK_KEEP: 'true' } },
      'environment: HS110_MQTT_CLOCK_KEEP: clock.keep',
    ],
    ['the flags', { flags: { 'clock.keep': 'true' } }, '--clock-keep: clock.keep'],
  ])('still works in %s, with a warning', (_, given: Given, was) => {
    const { clock, warnings } = configOf(given);
    expect(clock.sync).toBe(true);
    expect(warnings).toEqual([`${was} is now called clock.sync`]);
  });

  it('is not given by both names in one place', () => {
    expect(problemsOf({ file: 'clock:\n  sync: true\n  keep: false\n' })).toEqual([
      'site.yaml:3:3: this option was given before (site.yaml:2:3): give it once',
    ]);
  });

  it('is overridden as by its own name', () => {
    const env = { HS110_MQTT_CLOCK_SYNC: 'false' };
    expect(configOf({ file: 'clock:\n  keep: true\n', env }).clock.sync).toBe(false);
  });

  it('says by its old name what is wrong with it', () => {
    expect(problemsOf({ env: { HS110_MQTT_CLOCK_KEEP: 'yes' } })).toEqual([
      'environment: HS110_MQTT_CLOCK_KEEP: clock.sync must be true or false; it is "yes"',
    ]);
  });
});

describe('what survives a restart', () => {
  it('is kept in a folder, without a warning', () => {
    expect(configOf({})).toMatchObject({ dataDir: './hs110-mqtt-data', stateFile: undefined, warnings: [] });
    expect(configOf({ file: 'dataDir: off\n' })).toMatchObject({ dataDir: 'off', warnings: [] });
  });

  it('is taken over from the state file of an earlier version, with a warning', () => {
    const { dataDir, stateFile, warnings } = configOf({ file: 'stateFile: ./state.json\n' });
    expect({ dataDir, stateFile }).toEqual({ dataDir: './hs110-mqtt-data', stateFile: './state.json' });
    expect(warnings).toEqual([expect.stringMatching(/^site\.yaml:1:1: stateFile is no longer written/)]);
  });

  it('is kept in memory where the state file was off, unless a folder is named', () => {
    expect(configOf({ file: 'stateFile: off\n' })).toMatchObject({ dataDir: 'off', stateFile: undefined });
    const both = configOf({ file: 'stateFile: off\n', flags: { dataDir: '/var/lib/hs110-mqtt' } });
    expect(both).toMatchObject({ dataDir: '/var/lib/hs110-mqtt', stateFile: undefined });
  });
});

describe('the time zone of the site', () => {
  it('is read as the platform writes it', () => {
    expect(configOf({ file: 'clock:\n  timeZone: europe/berlin\n' }).clock.timeZone).toBe('Europe/Berlin');
    expect(configOf({}).clock.timeZone).toBeUndefined();
  });

  it.each(['Europe/Berlln', '+02:00', 'CET+1', '42'])('is not %s', (zone) => {
    expect(problemsOf({ file: `clock:\n  timeZone: ${zone}\n` })).toEqual([
      expect.stringMatching(
        /^site\.yaml:2:3: clock\.timeZone must be a time zone such as Europe\/Berlin; it is/,
      ),
    ]);
  });
});

describe('the topic below which responses are served', () => {
  it('is open unless it is set, and holds no wildcard', () => {
    expect(configOf({}).mqtt.responsePrefix).toBeUndefined();
    expect(configOf({ file: 'mqtt:\n  responsePrefix: clients\n' }).mqtt.responsePrefix).toBe('clients');
    expect(problemsOf({ file: 'mqtt:\n  responsePrefix: clients/#\n' })).toHaveLength(1);
  });
});

describe('a secret', () => {
  it('is not given by a variable and by a file at the same time', () => {
    const env = { HS110_MQTT_MQTT_PASSWORD: 'one', HS110_MQTT_MQTT_PASSWORD_FILE: '/run/secret' };
    expect(problemsOf({ env, secrets: { '/run/secret': 'two' } })).toEqual([
      'environment: HS110_MQTT_MQTT_PASSWORD_FILE: this option was given before (environment: HS110_MQTT_MQTT_PASSWORD): give it once',
    ]);
  });

  it('may be given by one of them while the other is empty', () => {
    const env = { HS110_MQTT_MQTT_PASSWORD: '', HS110_MQTT_MQTT_PASSWORD_FILE: '/run/secret' };
    expect(configOf({ env, secrets: { '/run/secret': 'two' } }).mqtt.password).toBe('two');
  });
});

describe('the account that newer firmware wants', () => {
  it('may be split between the file and the environment, or a file that it names', () => {
    const given = {
      file: 'kasa: {username: staff@museum.example}\n',
      env: { HS110_MQTT_KASA_PASSWORD_FILE: '/run/secret' },
      secrets: { '/run/secret': 'hunter2\n' },
    };
    expect(configOf(given).kasa).toEqual({ username: 'staff@museum.example', password: 'hunter2' });
  });

  it.each(['', 'plugs[0].'])('has no password without a name: %skasa', (at) => {
    const kasa = 'kasa: {password: hunter2}';
    const file = at === '' ? `${kasa}\n` : `plugs: [{path: lamp, host: h, ${kasa}}]\n`;
    const [problem, ...more] = problemsOf({ file });
    expect(problem).toContain(`${at}kasa.password needs ${at}kasa.username`);
    expect(problem).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});

describe('the MAC of a plug', () => {
  it.each([
    '500712345678',
    '"500712345678"',
    '50:07:12:34:56:78',
    '"50:07:12:34:56:78"',
    '50-07-12-34-56-78',
  ])('is read as it is written: %s', (mac) => {
    expect(configOf({ file: `plugs:\n  - path: a\n    mac: ${mac}\n` }).plugs[0]?.mac).toBe(
      '50:07:12:34:56:78',
    );
  });

  it.each([
    ['001122334455', '00:11:22:33:44:55'],
    ['10:20:30:40:50:59', '10:20:30:40:50:59'],
    ['123456789e10', '12:34:56:78:9E:10'],
    ['5E0712345678', '5E:07:12:34:56:78'],
  ])('is no number and no time: %s', (written, mac) => {
    expect(configOf({ file: `plugs:\n  - path: a\n    mac: ${written}\n` }).plugs[0]?.mac).toBe(mac);
  });
});

describe('what clients of MQTT may do', () => {
  it('is named as the commands of `plug` are', () => {
    expect(configOf({ file: 'allow: [reboot, schedule add, raw]\n' }).allow).toEqual([
      'reboot',
      'schedule add',
      'raw',
    ]);
    expect(configOf({ env: { HS110_MQTT_ALLOW: 'alias, cloud unbind' } }).allow).toEqual([
      'alias',
      'cloud unbind',
    ]);
  });
});

describe('the files of TLS', () => {
  const made = execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', '-', '-subj', '/CN=bridge', '-days', '2'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const begins = made.indexOf('-----BEGIN CERTIFICATE-----');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secrets = {
    'cert.pem': made.slice(begins),
    'key.pem': made.slice(0, begins),
    'other.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'note.txt': 'hello',
  };
  const problems = (mqtt: string) => problemsOf({ file: `mqtt: {${mqtt}}\n`, secrets });

  it('are right where the key is that of the certificate', () => {
    expect(configOf({ file: 'mqtt: {ca: cert.pem, cert: cert.pem, key: key.pem}\n', secrets }).mqtt.key).toBe(
      'key.pem',
    );
  });

  it.each([
    ['are not there', 'ca: no.pem', 'mqtt.ca names a file that cannot be read: no such file: no.pem'],
    ['hold something else', 'ca: note.txt', 'mqtt.ca: note.txt holds no certificate in PEM form'],
    [
      'hold a key in place of a certificate',
      'cert: key.pem, key: key.pem',
      'mqtt.cert: key.pem holds no certificate',
    ],
    [
      'would encrypt nothing',
      'url: [mqtts://a.example, mqtt://b.example], ca: cert.pem',
      'mqtt.url mqtt://b.example sends everything in the clear, the password too, although mqtt.ca is set: write mqtts://',
    ],
    ['lack the key', 'cert: cert.pem', 'mqtt.cert needs mqtt.key as well'],
    ['lack the certificate', 'key: key.pem', 'mqtt.key needs mqtt.cert as well'],
    [
      'do not belong together',
      'cert: cert.pem, key: other.pem',
      'mqtt.key is not the key of the certificate mqtt.cert',
    ],
  ])('are named where they %s', (_, mqtt, problem) => {
    expect(problems(mqtt)).toEqual([expect.stringContaining(problem)]);
    expect(problems(mqtt)[0]).toMatch(/^site\.yaml:1:\d+: /);
  });
});
