/** What stands in the place of a private text. */
const MASK = '[Redacted]';

/** Nothing that a plug says is nested deeper; what is deeper is left out. */
const DEEPEST = 32;

/**
 * What is private, by its key in the plug's answers, and what is shown of it instead: account,
 * place, Wi-Fi, names that people gave, and what identifies a single plug. Answers keep their shape.
 */
export const REDACTIONS: ReadonlyMap<string, (value: unknown) => unknown> = new Map([
  ['username', mask],
  ['password', mask],
  ['token', mask],
  ['owner', zeros],
  ['ssid', mask],
  ['bssid', maskMac],
  ['latitude', zeros],
  ['longitude', zeros],
  ['latitude_i', zeros],
  ['longitude_i', zeros],
  ['mac', maskMac],
  ['mic_mac', maskMac],
  ['deviceId', zeros],
  ['device_id', zeros],
  ['hwId', zeros],
  ['fwId', zeros],
  ['oemId', zeros],
  ['id', maskDeviceId],
  ['server', maskServer],
  ['fwDlPage', maskServer],
  ['icon', mask],
  ['icon_hash', mask],
  ['hash', mask],
  ['alias', (value) => (typeof value === 'string' ? 'Plug' : mask(value))],
  ['rule_list', (value) => (Array.isArray(value) ? value.map(maskRule) : value)],
  ['get_next_action', maskNextAction],
  ['next_action', maskNextAction],
]);

/** What is shown of `value` under `key`; the value itself where nothing is to be hidden. */
export function redactValue(key: string, value: unknown): unknown {
  const redaction = REDACTIONS.get(key);
  return redaction === undefined ? value : redaction(value);
}

/** A copy of JSON in which everything is redacted, at any depth. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, redact(redactValue(key, inner), depth + 1)]),
  );
}

/** An empty text stays empty: an account that was never bound is worth knowing. */
function mask(value: unknown): unknown {
  return value === '' || value === null || value === undefined ? value : MASK;
}

function zeros(value: unknown): unknown {
  if (typeof value === 'number') return 0;
  return typeof value === 'string' ? '0'.repeat(value.length) : mask(value);
}

/** The first half names the vendor and stays, in whatever way it is written. */
function maskMac(value: unknown): unknown {
  if (typeof value !== 'string') return mask(value);
  let digits = 0;
  return value.replaceAll(/[^:.-]/g, (digit) => (++digits > 6 ? '0' : digit));
}

/** The servers of the vendor are public; any other is private. */
function maskServer(value: unknown): unknown {
  const isVendors =
    typeof value === 'string' && /^(https?:\/\/)?([\w-]+\.)*(tplinkcloud|tp-link)\.com(\/|$)/i.test(value);
  return isVendors ? value : mask(value);
}

/** The id of an outlet is that of its strip and two digits of its own, which stay. */
function maskDeviceId(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[0-9A-F]{40,42}$/i.test(value)) return value;
  return '0'.repeat(40) + value.slice(40);
}

/** Rules are numbered by their position in the list. The minute of a sunrise would reveal the location of the plug. */
function maskRule(rule: unknown, index: number): unknown {
  if (typeof rule !== 'object' || rule === null) return rule;
  const hidden = new Map<string, unknown>([
    ['name', 'Rule'],
    ...('id' in rule ? [['id', numbered(rule.id, index + 1)] as const] : []),
    ...('stime_opt' in rule && followsTheSun(rule.stime_opt) ? [['smin', 0] as const] : []),
    ...('etime_opt' in rule && followsTheSun(rule.etime_opt) ? [['emin', 0] as const] : []),
  ]);
  return Object.fromEntries(Object.entries(rule).map(([key, value]) => [key, hidden.get(key) ?? value]));
}

function numbered(id: unknown, number: number): unknown {
  return typeof id === 'string' ? String(number).padStart(id.length, '0').slice(-id.length) : id;
}

function followsTheSun(option: unknown): boolean {
  return option === 1 || option === 2;
}

/** What the plug does next: the time may be that of a sunrise. */
function maskNextAction(action: unknown): unknown {
  if (typeof action !== 'object' || action === null) return action;
  const hidden = new Set(['id', 'schd_sec', 'schd_time']);
  return Object.fromEntries(
    Object.entries(action).map(([key, value]) => [key, hidden.has(key) ? zeros(value) : value]),
  );
}
