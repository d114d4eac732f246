import { isIP } from 'node:net';
import { arch, platform, release } from 'node:os';
import { explainConfig } from '../../config/explain.ts';
import { isLeaf, type Schema } from '../../config/option.ts';
import { type Config, PLUG_SCHEMA, SCHEMA } from '../../config/schema.ts';
import type { Sources } from '../../config/written.ts';
import { messageOf } from '../../errors.ts';
import { printableJson } from '../../printable.ts';
import { redact } from '../../redaction.ts';
import type { Shell } from '../shell.ts';
import type { SiteState } from '../site-state.ts';
import { tarGz } from './archive.ts';
import type { Finding } from './finding.ts';
import type { Examined } from './plugs.ts';

/** All that a bug report needs to know. */
export interface Evidence {
  readonly findings: readonly Finding[];
  readonly sources: Sources;
  /** `undefined` if the configuration is not valid. */
  readonly config: Config | undefined;
  readonly told: SiteState | undefined;
  readonly examined: readonly Examined[];
}

const READ_ME = `What is in here was written by \`hs110-mqtt doctor --bundle\`: findings, the configuration, what the bridge
tells, and what each plug says it is. Passwords, tokens, user names, names of hosts, aliases and the second half of each MAC are
masked. Paths of plugs, private addresses, models and readings are not, nor what is wrong in a configuration that is not
valid. Read it before you give it away.
`;

/** The files of an archive that may be attached to an issue. */
export function bundle(evidence: Evidence, shell: Shell): Buffer {
  const { findings, sources, config, told, examined } = evidence;
  const mask = masker(config);
  const json = (value: unknown) => `${mask(printableJson(redact(value), 2))}\n`;
  const system = {
    version: shell.version,
    node: shell.nodeVersion,
    system: `${platform()} ${release()} ${arch()}`,
  };
  const files = new Map([
    ['README.txt', READ_ME],
    ['system.json', json(system)],
    ['findings.json', json(findings)],
    ['configuration.json', json(explained(sources))],
    ...(told === undefined
      ? []
      : ([
          ['bridge.json', json({ state: told.bridgeState ?? null, info: told.info, health: told.health })],
          ['plugs.json', json(told.plugs().map((plug) => ({ ...told.entry(plug.path), ...plug })))],
        ] as const)),
    ['sysinfo.json', json(examined)],
  ]);
  return tarGz(files, shell.clock.date());
}

function explained(sources: Sources): unknown {
  try {
    return explainConfig(sources);
  } catch (error) {
    return { invalid: messageOf(error).split('\n') };
  }
}

/** Masks what is private in a text, whatever it stands in. */
function masker(config: Config | undefined): (text: string) => string {
  const hosts = (config?.mqtt.url ?? []).map((url) => new URL(url).hostname);
  const plugs = config?.plugs ?? [];
  const masked: readonly (string | undefined)[] = [
    ...(config === undefined ? [] : privateIn(SCHEMA, config)),
    ...plugs.flatMap((plug) => privateIn(PLUG_SCHEMA, plug)),
    ...hosts.filter((host) => host !== 'localhost' && !isPrivate(host)),
    ...plugs.flatMap(({ alias, name }) => [alias, name]),
  ];
  const texts = masked.filter((text) => text !== undefined).filter((text) => text.length > 2);
  return (text) =>
    texts
      .reduce((left, one) => left.replaceAll(one, '[Redacted]'), text)
      .replaceAll(/\b((?:[0-9A-F]{2}:){3})(?:[0-9A-F]{2}:){2}[0-9A-F]{2}\b/gi, '$100:00:00');
}

/** The values of options that are secret, or names with which somebody logs in. */
function privateIn(schema: Schema, values: object): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const node = Object.hasOwn(schema, key) ? schema[key] : undefined;
    if (node === undefined) return [];
    if (!isLeaf(node)) return privateIn(node, value);
    return (node.secret || NAMES.has(key)) && typeof value === 'string' ? [value] : [];
  });
}

const NAMES = new Set(['username', 'clientId']);

/** Whether an address says nothing about where in the world it is. */
function isPrivate(host: string): boolean {
  return isIP(host) === 4 && /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\./.test(host);
}
