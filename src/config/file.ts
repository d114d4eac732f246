import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { isObject, type JsonObject } from '../protocol/json.ts';

/** A step into a file: a key, or a position in a list. */
type Step = string | number;

/** A configuration file that has been read, and that knows where in it each value stands. */
export class ConfigFile {
  readonly values: JsonObject;
  /** What is wrong with the file as YAML. */
  readonly problems: readonly string[];
  readonly #name: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(name: string, source: string) {
    this.#name = name;
    this.#document = parseDocument(source, { lineCounter: this.#lines });
    const problems = this.#document.errors.map(
      ({ message, pos }) => `${this.#at(pos[0])}: ${message.split('\n')[0]}`,
    );
    const values: unknown = problems.length > 0 ? {} : (this.#document.toJS({ maxAliasCount: 100 }) ?? {});
    if (!isObject(values))
      problems.push(`${name}: must hold options such as "poll:", not ${JSON.stringify(values).slice(0, 40)}`);
    this.values = isObject(values) ? values : {};
    this.problems = problems;
  }

  /** Where the value at `path` begins, or its key, as `file:line:column`. */
  locate(path: readonly Step[]): string {
    const parent =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === last,
      );
      if (pair !== undefined && isScalar(pair.key) && pair.key.range) return this.#at(pair.key.range[0]);
    }
    const node: unknown = this.#document.getIn(path, true);
    const range = isObject(node) && Array.isArray(node.range) ? node.range[0] : undefined;
    return typeof range === 'number' ? this.#at(range) : this.#name;
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${line}:${col}`;
  }
}
