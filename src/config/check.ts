import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { placesOf } from '../bridge/places.ts';
import { messageOf } from '../errors.ts';
import { pathProblem } from '../mqtt/topics.ts';
import { Networks } from '../plug/networks.ts';
import { nearest } from './nearest.ts';
import { type Config, MOST_OUTLETS, type PlugConfig } from './schema.ts';

/** Where in the file a value stands. */
type Locate = (path: readonly (string | number)[]) => string;

/** What is wrong with the embedded broker: nothing is open to the network without a password by accident. */
export function brokerProblems({ mqtt, broker }: Config, place: (name: string) => string): string[] {
  const { username, password, users, listen, tls, webSocket } = broker;
  const at = (option: string) => `${place(`broker.${option}`)}: broker.${option}`;
  const needs = (option: string, other: string) => `${at(option)} needs broker.${other} as well`;
  const problems: string[] = [];
  if (username !== undefined && password === undefined) problems.push(needs('username', 'password'));
  if (password !== undefined && username === undefined) problems.push(needs('password', 'username'));
  for (const file of ['cert', 'key'] as const) {
    if (tls.listen !== undefined && tls[file] === undefined)
      problems.push(needs('tls.listen', `tls.${file}`));
    if (webSocket.secure && tls[file] === undefined) problems.push(needs('webSocket.secure', `tls.${file}`));
  }
  const hasUser = username !== undefined && password !== undefined;
  const isOpen = !hasUser && users === undefined && !broker.allowAnonymous;
  if (mqtt.url !== undefined || !isOpen) return problems;
  const cure = 'set broker.users or broker.username and broker.password, or broker.allowAnonymous: true';
  if (!isLoopback(listen.host)) problems.push(`${at('listen')} opens the broker to the network: ${cure}`);
  // A certificate of the client is as good as a password.
  if (tls.listen !== undefined && tls.clientCa === undefined && !isLoopback(tls.listen.host))
    problems.push(`${at('tls.listen')} opens the broker to the network: ${cure}`);
  if (webSocket.listen !== undefined)
    problems.push(`${at('webSocket.listen')} opens the broker to every page in a browser: ${cure}`);
  return problems;
}

/** A shorter token can be guessed by trying. */
const SHORTEST_TOKEN = 16;

/** What is wrong with where figures are served. */
export function metricsProblems({ metrics }: Config, place: (name: string) => string): string[] {
  const { listen, token } = metrics;
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    return [`${place('metrics.token')}: metrics.token must have at least ${SHORTEST_TOKEN} characters`];
  if (listen === undefined || token !== undefined || isLoopback(listen.host)) return [];
  return [`${place('metrics.listen')}: metrics.listen opens the figures to the network: set metrics.token`];
}

/** Protocols of brokers that are spoken to in the clear. */
const IN_THE_CLEAR = ['mqtt:', 'tcp:', 'ws:'];

/** What is wrong with addresses of brokers: certificates are given, yet nothing would be encrypted. */
export function plainProblems({ mqtt }: Config, place: (name: string) => string): string[] {
  const option = TLS_FILES.find((file) => mqtt[file.option] !== undefined)?.option;
  if (option === undefined) return [];
  return (mqtt.url ?? []).flatMap((url) => {
    const { protocol, host } = new URL(url);
    if (!IN_THE_CLEAR.includes(protocol)) return [];
    const secure = protocol === 'ws:' ? 'wss:' : 'mqtts:';
    const problem = `mqtt.url ${protocol}//${host} sends everything in the clear, the password too, although mqtt.${option} is set: write ${secure}//, or leave mqtt.${option} out`;
    return [`${place('mqtt.url')}: ${problem}`];
  });
}

/** What a file in PEM form begins with that holds such a thing. */
const PEM = {
  certificate: /^-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/m,
  'private key': /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/m,
};

/** The files of TLS. */
const TLS_FILES = [
  { option: 'ca', holds: 'certificate' },
  { option: 'cert', holds: 'certificate' },
  { option: 'key', holds: 'private key' },
] as const;

interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What is wrong with certificates and keys: files that are not there or hold something else. */
export function tlsProblems(
  { mqtt, broker, web }: Config,
  place: (name: string) => string,
  readFile: (path: string) => string,
): string[] {
  const { clientCa: ca, cert, key } = broker.tls;
  const names = { ca: 'broker.tls.clientCa', cert: 'broker.tls.cert', key: 'broker.tls.key' };
  const pageNames = { ca: 'web.tls.ca', cert: 'web.tls.cert', key: 'web.tls.key' };
  return [
    ...pemProblems(mqtt, { ca: 'mqtt.ca', cert: 'mqtt.cert', key: 'mqtt.key' }, place, readFile),
    ...pemProblems({ ca, cert, key }, names, place, readFile),
    ...pemProblems({ ca: undefined, ...web.tls }, pageNames, place, readFile),
  ];
}

function pemProblems(
  files: TlsFiles,
  names: { readonly [Option in keyof TlsFiles]: string },
  place: (name: string) => string,
  readFile: (path: string) => string,
): string[] {
  const at = (option: keyof TlsFiles) => `${place(names[option])}: ${names[option]}`;
  const pem: { ca?: string; cert?: string; key?: string } = {};
  const problems = TLS_FILES.flatMap(({ option, holds }) => {
    const path = files[option];
    if (path === undefined) return [];
    try {
      pem[option] = readFile(path);
    } catch (error) {
      return [`${at(option)} names a file that cannot be read: ${messageOf(error)}`];
    }
    return PEM[holds].test(pem[option]) ? [] : [`${at(option)}: ${path} holds no ${holds} in PEM form`];
  });
  if (files.cert !== undefined && files.key === undefined)
    problems.push(`${at('cert')} needs ${names.key} as well`);
  if (files.key !== undefined && files.cert === undefined)
    problems.push(`${at('key')} needs ${names.cert} as well`);
  return problems.length > 0 ? problems : pairProblems(pem, names.cert, at);
}

function pairProblems(
  { cert, key }: { cert?: string; key?: string },
  certName: string,
  at: (option: keyof TlsFiles) => string,
): string[] {
  if (cert === undefined || key === undefined) return [];
  try {
    const isPair = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
    return isPair ? [] : [`${at('key')} is not the key of the certificate ${certName}`];
  } catch (error) {
    return [`${at('key')} or ${certName} cannot be used: ${messageOf(error)}`];
  }
}

/** A password alone logs in nowhere; a name alone may get its password from elsewhere. */
export function accountProblems(
  { kasa, plugs }: Config,
  place: (name: string) => string,
  locate: Locate,
): string[] {
  const all = [
    { account: kasa, name: 'kasa', at: place('kasa.password') },
    ...plugs.map((plug, index) => ({
      account: plug.kasa,
      name: `plugs[${index}].kasa`,
      at: locate(['plugs', index, 'kasa']),
    })),
  ];
  return all
    .filter(({ account }) => account.password !== undefined && account.username === undefined)
    .map(({ name, at }) => `${at}: ${name}.password needs ${name}.username`);
}

/** As long as what the page takes for a new password. */
const SHORTEST_PASSWORD = 8;

/** What is wrong with the page; whether there are users is known only once the store is open. */
export function webProblems({ web }: Config, place: (name: string) => string): string[] {
  const { password } = web.admin;
  if (password === undefined || password.length >= SHORTEST_PASSWORD) return [];
  const least = `must have at least ${SHORTEST_PASSWORD} characters`;
  return [`${place('web.admin.password')}: web.admin.password ${least}`];
}

/** What is wrong with the plugs among themselves: a path is a plug or a place, an address and a MAC are one plug's. */
export function plugProblems(plugs: readonly PlugConfig[], locate: Locate): string[] {
  const problems: string[] = [];
  const owners = {
    path: new Map<string, number>(),
    host: new Map<string, number>(),
    mac: new Map<string, number>(),
    alias: new Map<string, number>(),
  };
  plugs.forEach((plug, index) => {
    const at = (key: string) => `${locate(['plugs', index, key])}: plugs[${index}].${key}`;
    const unfit = pathProblem(plug.path);
    if (unfit !== undefined) problems.push(`${at('path')} "${plug.path}": ${unfit}`);
    if (plug.host === undefined && plug.mac === undefined && plug.alias === undefined)
      problems.push(`${at('path')} ${plug.path} needs "host:", "mac:" or "alias:"`);
    const host = plug.host && `${plug.host.host}:${plug.host.port}`;
    const claim = (key: keyof typeof owners, value: string | undefined) => {
      if (value === undefined) return;
      const twin = owners[key].get(value);
      if (twin !== undefined) problems.push(`${at(key)} ${value} is taken by plugs[${twin}]`);
      owners[key].set(value, index);
    };
    // What is no path at all is in no place either.
    if (unfit === undefined) claim('path', plug.path);
    claim('host', host);
    claim('mac', plug.mac);
    claim('alias', plug.alias);
  });
  return [...problems, ...doubleProblems(owners.path, locate)];
}

/** Plugs at addresses that `discovery.networks` leaves out: they would never be connected to. */
export function networkProblems({ plugs, discovery }: Config, locate: Locate): string[] {
  const networks = new Networks(discovery.networks);
  return plugs.flatMap(({ path, host }, index) =>
    host === undefined || networks.includes(host.host)
      ? []
      : [
          `${locate(['plugs', index, 'host'])}: plugs[${index}].host ${host.host} (${path}) is in none of discovery.networks`,
        ],
  );
}

/** Paths that are a plug, and by another plug below them a place. */
function doubleProblems(paths: ReadonlyMap<string, number>, locate: Locate): string[] {
  return [...paths].flatMap(([path, index]) =>
    placesOf(path).flatMap((place) => {
      const plug = paths.get(place);
      if (plug === undefined) return [];
      const at = `${locate(['plugs', plug, 'path'])}: plugs[${plug}].path ${place}`;
      return [`${at} is a plug, yet plugs[${index}] (${path}) makes it a place`];
    }),
  );
}

/** Options for places without a plug: most likely misspelt. */
export function placeProblems({ plugs, places }: Config, locate: Locate): string[] {
  if (plugs.length === 0) return [];
  const fit = plugs.filter(({ path }) => pathProblem(path) === undefined);
  const outlets = fit.flatMap(({ path, outlets = [] }) => outlets.map((name) => `${path}/${name}`));
  const named = new Map(fit.map(({ path, outlets = [] }) => [path, outlets.length]));
  const known = new Set([...outlets, ...[...named.keys(), ...outlets].flatMap(placesOf)]);
  const unknown = Object.keys(places).filter((path) => !known.has(path) && !isNumberedOutlet(path, named));
  return unknown.map((path) => {
    const near = nearest(path, known);
    const hint = near ? `; did you mean ${near}?` : '';
    return `${locate(['places', path])}: places.${path}: there is no plug in ${path}${hint}`;
  });
}

/** Whether it may be an outlet without a name, of a plug that is a strip then; `named` of each have names. */
function isNumberedOutlet(path: string, named: ReadonlyMap<string, number>): boolean {
  const [, strip = '', number = ''] = /^(.+)\/([1-9])$/.exec(path) ?? [];
  return Number(number) > (named.get(strip) ?? MOST_OUTLETS) && Number(number) <= MOST_OUTLETS;
}

/** Whether an address is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
