/** The values of a plug that have a topic of their own, and the key of each in the plug's JSON. */
export const FLAT_VALUES = [
  'state',
  'power',
  'voltage',
  'current',
  'energy',
  'energy_boot',
  'energy_today',
  'energy_yesterday',
  'energy_month',
  'energy_last_month',
  'lamp_check',
  'led',
  'brightness',
  'color_temp',
  'motion',
  'ambient_light',
  'rssi',
  'on_since',
  'cloud',
] as const;

/** The values of a place that have a topic of their own. */
export const PLACE_VALUES = ['state', 'power', 'energy'] as const;

export type FlatValue = (typeof FLAT_VALUES)[number];

const RESERVED = new Set<string>([...FLAT_VALUES, 'set', 'get', 'result', 'availability']);
const SEGMENT = /^[a-z0-9_-]+$/;

/** What a topic that clients write to asks for. */
export type Target =
  /** The path is `undefined` if a level of it is empty: it names nothing then. */
  | { readonly verb: 'set' | 'get'; readonly path: string | undefined }
  | { readonly verb: 'request'; readonly name: string };

/** Every topic there is below the base topic, both ways. A path of `''` is the whole site. */
export class Topics {
  readonly base: string;
  readonly bridgeState: string;
  readonly bridgeInfo: string;
  readonly bridgePlugs: string;
  readonly bridgeHealth: string;

  constructor(base: string) {
    this.base = base;
    this.bridgeState = `${base}/bridge/state`;
    this.bridgeInfo = `${base}/bridge/info`;
    this.bridgePlugs = `${base}/bridge/plugs`;
    this.bridgeHealth = `${base}/bridge/health`;
  }

  /** The topic of a plug or place itself: its JSON. */
  of(path: string): string {
    return path === '' ? this.base : `${this.base}/${path}`;
  }

  /** A topic below a plug or place, such as `state` or `result`. */
  below(path: string, name: FlatValue | 'availability' | 'set' | 'get' | 'result'): string {
    return `${this.of(path)}/${name}`;
  }

  /** What is known of a plug and rarely changes. */
  details(path: string): string {
    return `${this.bridgePlugs}/${path}`;
  }

  /** Whether anything is on in a place, in one word. */
  summary(place: string): string {
    return place === '' ? `${this.base}/bridge/places` : `${this.base}/bridge/places/${place}`;
  }

  request(name: string): string {
    return `${this.base}/bridge/request/${name}`;
  }

  response(name: string): string {
    return `${this.base}/bridge/response/${name}`;
  }

  /** Where `verb` is awaited when the deepest plug has `depth` levels; no filter matches what the bridge publishes. */
  filters(verb: 'set' | 'get', depth: number): string[] {
    return Array.from({ length: depth + 1 }, (_, levels) => `${this.base}${'/+'.repeat(levels)}/${verb}`);
  }

  /** What is asked by a message on `topic`; `undefined` if it is none of ours. */
  parse(topic: string): Target | undefined {
    if (!topic.startsWith(`${this.base}/`)) return undefined;
    const rest = topic.slice(this.base.length + 1);
    const request = 'bridge/request/';
    if (rest.startsWith(request)) return { verb: 'request', name: rest.slice(request.length) };
    // A request may have any name, and its response with it: the bridge does not listen to itself.
    if (rest.startsWith('bridge/response/')) return undefined;
    const slash = rest.lastIndexOf('/');
    const verb = rest.slice(slash + 1);
    if (verb !== 'set' && verb !== 'get') return undefined;
    if (slash < 0) return { verb, path: '' };
    const path = rest.slice(0, slash);
    return { verb, path: path.split('/').includes('') ? undefined : path };
  }
}

/** What is wrong with `path` as the path of a plug or place; `undefined` if nothing is. */
export function pathProblem(path: string): string | undefined {
  const segments = path.split('/');
  if (segments[0] === 'bridge') return '"bridge" is reserved for the bridge itself';
  for (const segment of segments) {
    if (segment === '') return 'a path has no empty levels and neither begins nor ends with "/"';
    if (!SEGMENT.test(segment)) {
      return `"${segment}" may hold only a-z, 0-9, - and _ (for example "${slug(segment)}")`;
    }
    if (RESERVED.has(segment)) return `"${segment}" is reserved for a plug's own topics`;
  }
  return undefined;
}

/** What is wrong with `topic` as base topic; `undefined` if nothing is. */
export function baseTopicProblem(topic: string): string | undefined {
  if (topic === '' || topic.startsWith('/') || topic.endsWith('/')) return 'neither begins nor ends with "/"';
  if (/[+#\0]/.test(topic)) return 'may not hold + or #';
  if (topic.startsWith('$')) return 'may not begin with $';
  return undefined;
}

/** Makes a path segment of a name that a person wrote: `Große Halle 1` becomes `grosse-halle-1`. */
export function slug(name: string): string {
  const plain = name
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' || RESERVED.has(plain) || plain === 'bridge'
    ? `plug-${plain}`.replace(/-$/, '')
    : plain;
}
