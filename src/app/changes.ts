import type { PlugConfig } from '../config/schema.ts';

/** A plug of the bridge that runs, as it is configured, with the MAC that it has shown if it has. */
export interface KnownPlug extends PlugConfig {
  readonly knownMac: string | undefined;
}

/** What becomes of the plugs of a bridge with another configuration. */
export interface PlugChanges {
  /** Paths of plugs that are no more. */
  readonly removed: readonly string[];
  /** Plugs that stay, by the path that they had. */
  readonly kept: ReadonlyMap<string, PlugConfig>;
  /** Other hardware at the same path. */
  readonly replaced: readonly PlugConfig[];
  readonly added: readonly PlugConfig[];
}

/** Finds out which plug is which: by its MAC, else by its address, else by its name in the Kasa app, never by its path. */
export function plugChanges(before: readonly KnownPlug[], after: readonly PlugConfig[]): PlugChanges {
  const byMac = new Map(
    before.flatMap((plug) => (plug.knownMac === undefined ? [] : [[plug.knownMac, plug]])),
  );
  const byHost = new Map(
    before.flatMap((plug) => (plug.host === undefined ? [] : [[keyOf(plug.host), plug]])),
  );
  const byAlias = new Map(before.flatMap((plug) => (plug.alias === undefined ? [] : [[plug.alias, plug]])));
  const sameAs = ({ mac, host, alias }: PlugConfig): KnownPlug | undefined => {
    const known = mac === undefined ? undefined : byMac.get(mac);
    if (known !== undefined) return known;
    const there = (host && byHost.get(keyOf(host))) ?? (alias === undefined ? undefined : byAlias.get(alias));
    const isOther = mac !== undefined && there?.knownMac !== undefined && there.knownMac !== mac;
    return isOther ? undefined : there;
  };
  const kept = new Map<string, PlugConfig>();
  const others: PlugConfig[] = [];
  for (const plug of after) {
    const old = sameAs(plug);
    if (old === undefined || kept.has(old.path)) others.push(plug);
    else kept.set(old.path, plug);
  }
  const gone = new Set(before.map(({ path }) => path).filter((path) => !kept.has(path)));
  const replaced = others.filter(({ path }) => gone.has(path));
  for (const { path } of replaced) gone.delete(path);
  return { removed: [...gone], kept, replaced, added: others.filter((plug) => !replaced.includes(plug)) };
}

function keyOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`;
}
