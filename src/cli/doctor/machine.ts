import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from '../../config/schema.ts';
import type { Shell } from '../shell.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** Open files that the bridge needs beside one for each plug. */
const OTHER_FILES = 100;

/** With more plugs their answers to a search need a larger buffer than Linux gives by default. */
const MANY = 100;
const ENOUGH_RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Looks at what the system allows; what it does not tell is left out. */
export function examineMachine(
  shell: Shell,
  config: Config | undefined,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): Finding[] {
  const plugs = config?.plugs.length ?? 0;
  return [
    ...openFiles(shell, plugs),
    ...receiveBuffer(shell, plugs),
    ...container(shell, interfaces),
    ...timeZone(shell, config),
  ];
}

function openFiles(shell: Shell, plugs: number): Finding[] {
  const [, soft] = /^Max open files +(\d+)/m.exec(contentOf(shell, '/proc/self/limits')) ?? [];
  if (soft === undefined) return [];
  const needed = plugs + OTHER_FILES;
  if (Number(soft) >= needed)
    return [ok('machine', `${soft} files may be open, one for each plug among them`)];
  const cure = `allow ${needed}: LimitNOFILE= in the unit of systemd, --ulimit nofile= in Docker, ulimit -n at a shell`;
  return [problem('machine', `only ${soft} files may be open, and ${plugs} plugs need one each`, cure)];
}

function receiveBuffer(shell: Shell, plugs: number): Finding[] {
  const bytes = Number(contentOf(shell, '/proc/sys/net/core/rmem_max'));
  if (!(bytes > 0) || plugs < MANY || bytes >= ENOUGH_RECEIVE_BUFFER) return [];
  const cure = `sysctl -w net.core.rmem_max=${ENOUGH_RECEIVE_BUFFER}, for good in /etc/sysctl.d/`;
  return [note('machine', `a search may lose answers: net.core.rmem_max is ${bytes}`, cure)];
}

/** A container with a network of its own hears no plug: broadcasts do not leave it. */
function container(shell: Shell, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): Finding[] {
  if (!shell.fileExists('/.dockerenv') && !shell.fileExists('/run/.containerenv')) return [];
  const addresses = Object.values(interfaces)
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  const isOwn = addresses.every(({ address }) => /^(172\.(1[6-9]|2\d|3[01])|10\.(88|89))\./.test(address));
  if (!isOwn) return [ok('machine', 'a container with the network of its host')];
  const cure = 'use --network host (network_mode: host), or name each plug by host';
  return [note('machine', 'a container with a network of its own: a search does not leave it', cure)];
}

function timeZone({ timeZone: zone }: Shell, config: Config | undefined): Finding[] {
  const site = config?.clock.timeZone;
  if (site !== undefined) return [ok('machine', `the time zone of the site is ${site}`)];
  if (zone !== 'UTC' && zone !== 'Etc/UTC') return [ok('machine', `the time zone is ${zone}`)];
  return [
    note('machine', 'the time zone is UTC', 'if that is not the time at the site, set TZ or clock.timeZone'),
  ];
}

function contentOf(shell: Shell, path: string): string {
  try {
    return shell.readFile(path);
  } catch {
    return '';
  }
}
