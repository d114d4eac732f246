import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Step } from './written.ts';

/** A piece of text in the place of what stands there. */
export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Puts a value at `path`, in the place of what is there; `undefined` where that is not foreseen. */
export function spliceIn(
  document: Document,
  text: string,
  path: readonly Step[],
  value: unknown,
): Splice | undefined {
  const { contents } = document;
  if (contents === null) return atEnd(text, blockOf(nested(path, value)));
  let node: unknown = contents;
  for (const [index, step] of path.entries()) {
    const rest = path.slice(index + 1);
    if (isSeq(node) && step === node.items.length) return addItem(node, text, nested(rest, value));
    if (isSeq(node) && typeof step === 'number') node = node.items[step];
    else if (isMap(node)) {
      const pair = pairOf(node, step);
      if (pair === undefined) return addPair(node, text, { [step]: nested(rest, value) });
      if (rest.length > 0 && isEmpty(pair.value)) return fill(node, pair, text, nested(rest, value));
      if (rest.length === 0) return replaceValue(node, pair, text, value);
      node = pair.value;
    } else return undefined;
  }
  return isNode(node) ? replaceNode(node, value) : undefined;
}

/** Takes out what is at `path`; `undefined` where that is not foreseen. */
export function spliceOut(document: Document, text: string, path: readonly Step[]): Splice | undefined {
  const last = path.at(-1);
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isSeq(parent) && typeof last === 'number') return removeItem(parent, text, last);
  if (!isMap(parent) || last === undefined) return undefined;
  const pair = pairOf(parent, last);
  return pair === undefined ? undefined : removePair(parent, text, parent.items.indexOf(pair));
}

/** Gives the group or option at `path` another name; `undefined` where that is not foreseen. */
export function spliceName(document: Document, path: readonly Step[], name: string): Splice | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = isMap(parent) ? pairOf(parent, path.at(-1) ?? '')?.key : undefined;
  return isNode(key) ? replaceNode(key, name) : undefined;
}

function addItem(list: YAMLSeq, text: string, value: unknown): Splice | undefined {
  const [first] = list.items;
  const last = list.items.at(-1);
  const range = list.range;
  if (!range) return undefined;
  if (list.flow) return intoFlow(text, range[1], list.items.length > 0, flowOf(value));
  if (!isNode(first) || !isNode(last)) return undefined;
  const dash = text.lastIndexOf('-', startOf(first) - 1);
  const indent = ' '.repeat(columnOf(text, dash));
  return after(text, endOf(last), indented(blockOf([value]), indent));
}

function addPair(map: YAMLMap, text: string, pair: object): Splice | undefined {
  const [first] = map.items;
  const last = map.items.at(-1);
  if (!map.range) return undefined;
  if (map.flow || first === undefined || last === undefined)
    return intoFlow(text, map.range[1], map.items.length > 0, flowOf(pair).slice(1, -1).trim());
  if (!isNode(first.key)) return undefined;
  const indent = ' '.repeat(columnOf(text, startOf(first.key)));
  return after(text, endOfPair(last), indented(blockOf(pair), indent));
}

/** Fills a group of which only the name is written. */
function fill(map: YAMLMap, pair: Pair, text: string, value: unknown): Splice | undefined {
  if (!isNode(pair.key)) return undefined;
  if (map.flow || isCollection(pair.value)) return replaceValue(map, pair, text, value);
  const indent = ' '.repeat(columnOf(text, startOf(pair.key)) + 2);
  return after(text, endOfPair(pair), indented(blockOf(value), indent));
}

function replaceValue(map: YAMLMap, pair: Pair, text: string, value: unknown): Splice | undefined {
  const { key, value: old } = pair;
  if (!isNode(key)) return undefined;
  if (old === null || (isScalar(old) && old.value === null && old.source === '')) {
    if (!map.flow && typeof value === 'object') return fill(map, pair, text, value);
    const colon = text.indexOf(':', key.range?.[1] ?? 0) + 1;
    return { from: colon, to: colon, text: ` ${flowOf(value)}` };
  }
  return isNode(old) ? replaceNode(old, value) : undefined;
}

function replaceNode(old: Node, value: unknown): Splice | undefined {
  // What others refer to, or what refers to others, is not one value.
  if (isAlias(old) || (isScalar(old) && old.anchor !== undefined) || !old.range) return undefined;
  if (isCollection(old) && !old.flow) return undefined;
  return { from: old.range[0], to: old.range[1], text: flowOf(value) };
}

function removeItem(list: YAMLSeq, text: string, index: number): Splice | undefined {
  const item = list.items[index];
  if (!isNode(item)) return undefined;
  if (list.flow) return outOfFlow(list.items.map(spanOf), index);
  const from = lineStart(text, text.lastIndexOf('-', startOf(item) - 1));
  return { from, to: nextLine(text, endOf(item)), text: '' };
}

function removePair(map: YAMLMap, text: string, index: number): Splice | undefined {
  const pair = map.items[index];
  if (pair === undefined || !isNode(pair.key)) return undefined;
  if (map.flow) return outOfFlow(map.items.map(spanOf), index);
  const start = startOf(pair.key);
  const from = lineStart(text, start);
  if (text.slice(from, start).trim() === '') return { from, to: nextLine(text, endOfPair(pair)), text: '' };
  // The first of an entry in a list stands behind the dash.
  const next = map.items[index + 1];
  return isNode(next?.key) ? { from: start, to: startOf(next.key), text: '' } : undefined;
}

/** Before the bracket that closes a list or group at `end`. */
function intoFlow(text: string, end: number, hasOthers: boolean, inserted: string): Splice {
  const bracket = end - 1;
  const at = text.slice(0, bracket).trimEnd().length;
  const isPadded = text[bracket] === '}' && !hasOthers;
  const added = hasOthers ? `, ${inserted}` : isPadded ? ` ${inserted} ` : inserted;
  return { from: at, to: hasOthers ? at : bracket, text: added };
}

function outOfFlow(spans: readonly (readonly [number, number])[], index: number): Splice | undefined {
  const span = spans[index];
  const [before, next] = [spans[index - 1], spans[index + 1]];
  if (span === undefined) return undefined;
  if (next !== undefined) return { from: span[0], to: next[0], text: '' };
  return { from: before?.[1] ?? span[0], to: span[1], text: '' };
}

/** From its first character to behind its last. */
function spanOf(item: unknown): readonly [number, number] {
  if (isNode(item)) return [startOf(item), endOf(item)];
  if (!isPair(item)) return [0, 0];
  const { key, value } = item;
  return [isNode(key) ? startOf(key) : 0, isNode(value) ? endOf(value) : isNode(key) ? endOf(key) : 0];
}

/** Below the line on which what ends at `end` stands. */
function after(text: string, end: number, inserted: string): Splice {
  const at = nextLine(text, end);
  const isOpen = at > 0 && text[at - 1] !== '\n';
  return { from: at, to: at, text: isOpen ? `\n${inserted}` : inserted };
}

function atEnd(text: string, inserted: string): Splice {
  const isOpen = text !== '' && !text.endsWith('\n');
  return { from: text.length, to: text.length, text: isOpen ? `\n${inserted}` : inserted };
}

function pairOf(map: YAMLMap, key: Step): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}

/** Whether nothing is written after the name of a group. */
function isEmpty(value: unknown): boolean {
  return value === null || (isScalar(value) && value.value === null) || isEmptyCollection(value);
}

function isEmptyCollection(value: unknown): boolean {
  return isCollection(value) && value.items.length === 0;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value) || isAlias(value);
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/** Where the last value within a node ends, before comments. */
function endOf(node: Node): number {
  if (!isCollection(node) || node.flow) return node.range?.[1] ?? 0;
  const last = node.items.at(-1);
  if (isNode(last)) return endOf(last);
  return isPair(last) ? endOfPair(last) : startOf(node);
}

function endOfPair({ key, value }: Pair): number {
  if (isNode(value) && !(isScalar(value) && value.source === '')) return endOf(value);
  return isNode(key) ? (key.range?.[1] ?? 0) : 0;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the line after that of `offset` begins; a text in several lines ends with its last one. */
function nextLine(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** In lines of its own. */
function blockOf(value: unknown): string {
  return new Document(value).toString({ lineWidth: 0 });
}

/** In one line, so that it may stand anywhere. */
function flowOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowOf).join(', ')}]`;
  const document = new Document([value], { aliasDuplicateObjects: false });
  for (const node of nodesOf(document.contents)) if (isCollection(node)) node.flow = true;
  const inList = document.toString({ lineWidth: 0 }).trim();
  const text = inList.slice(1, -1).trim();
  return text.includes('\n') ? JSON.stringify(value) : text;
}

function* nodesOf(node: unknown): Iterable<unknown> {
  yield node;
  if (isMap(node)) for (const { value } of node.items) yield* nodesOf(value);
  if (isSeq(node)) for (const item of node.items) yield* nodesOf(item);
}

function indented(text: string, indent: string): string {
  return text.replaceAll(/^(?=.)/gm, indent);
}

/** The value within groups of these names. */
function nested(path: readonly Step[], value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, step) => (typeof step === 'number' ? [inner] : { [step]: inner }),
    value,
  );
}
