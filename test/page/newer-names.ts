import { parse } from 'acorn';

/** Methods that Safari 12 or Chrome 63 does not have. */
const NEWER_METHODS = new Set([
  ...['at', 'flat', 'flatMap', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'toSpliced'],
  ...['fromEntries', 'hasOwn', 'groupBy', 'replaceAll', 'matchAll', 'trimStart', 'trimEnd'],
  ...['allSettled', 'any', 'withResolvers', 'replaceChildren', 'showModal', 'checkVisibility'],
  ...['randomUUID', 'requestSubmit', 'toggleAttribute', 'getAnimations', 'formatRange', 'supportedValuesOf'],
]);

/** Properties that one of them does not have. */
const NEWER_PROPERTIES = new Set(['inert', 'adoptedStyleSheets', 'userAgentData', 'locks', 'wakeLock']);

/** Globals that one of them does not have. */
const NEWER_GLOBALS = new Set([
  ...['globalThis', 'queueMicrotask', 'structuredClone', 'AbortController', 'AbortSignal', 'WeakRef'],
  ...[
    'ResizeObserver',
    'IntersectionObserver',
    'BigInt',
    'AggregateError',
    'BroadcastChannel',
    'reportError',
  ],
  ...['requestIdleCallback', 'cancelIdleCallback', 'CompressionStream', 'URLPattern', 'SharedArrayBuffer'],
]);

/** Parts of `Intl`, and options of it, that came later. */
const NEWER_INTL = new Set([
  'RelativeTimeFormat',
  'PluralRules',
  'ListFormat',
  'DisplayNames',
  'Segmenter',
  'Locale',
]);
const NEWER_OPTIONS = new Set(['dateStyle', 'timeStyle', 'hourCycle', 'notation', 'dayPeriod']);

/**
 * What may be there all the same, and why: the script does without where the browser has none of it.
 * uPlot asks for `queueMicrotask` by `typeof` before it uses it.
 */
const WITH_ANOTHER_WAY = new Set(['queueMicrotask']);

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Names in a script of things that a browser of 2018 does not know. */
export function newerNames(script: string): string[] {
  const found = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!isNode(value)) return;
    look(value, found);
    for (const key of Object.keys(value)) walk(value[key]);
  };
  walk(parse(script, { ecmaVersion: 'latest', sourceType: 'module' }));
  return [...found].filter((name) => !WITH_ANOTHER_WAY.has(name)).sort();
}

function look(node: Node, found: Set<string>): void {
  const { type, callee, property, key } = node;
  if (type === 'CallExpression' && isNode(callee)) report(nameOf(callee.property), [NEWER_METHODS], found);
  if (type === 'MemberExpression' && node.computed === false)
    report(nameOf(property), [NEWER_PROPERTIES, NEWER_GLOBALS, NEWER_INTL], found);
  if (type === 'Identifier') report(nameOf(node), [NEWER_GLOBALS], found);
  if (type === 'Property') report(nameOf(key), [NEWER_OPTIONS], found);
}

function report(name: string, lists: readonly ReadonlySet<string>[], found: Set<string>): void {
  if (lists.some((list) => list.has(name))) found.add(name);
}

function nameOf(node: unknown): string {
  return isNode(node) ? String(node.name) : '';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
