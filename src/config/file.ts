import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { yamlProblem } from './yaml-words.ts';

/** A step into a file: a key, or a position in a list. */
type Step = string | number;

/** A parsed configuration file, with the position of each value. */
export class ConfigFile {
  readonly values: JsonObject;
  /** What is wrong with the file as YAML. */
  readonly problems: readonly string[];
  readonly #name: string;
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(name: string, source: string) {
    this.#name = name;
    this.#document = parseDocument(source, { lineCounter: this.#lines, logLevel: 'error' });
    const problems = [...this.#document.errors, ...this.#document.warnings].map(
      (error) => `${this.#at(error.pos[0])}: ${yamlProblem(error, source)}`,
    );
    if (problems.length === 0) problems.push(...this.#badAliases());
    if (problems.length === 0) this.#keepAsWritten();
    const values: unknown = problems.length > 0 ? {} : this.#expand(problems);
    if (!isObject(values)) problems.push(`${name}: must hold options such as "poll:", not ${kindOf(values)}`);
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

  /** Aliases without an anchor, most likely texts that begin with `*`; they may be secrets and are not shown. */
  #badAliases(): string[] {
    const problems: string[] = [];
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) !== undefined) return;
        problems.push(`${this.#at(alias.range?.[0] ?? 0)}: what begins with * must be written in quotes`);
      },
    });
    return problems;
  }

  /** Numbers that would not be written as they are read stay texts: `0123` may be a password. */
  #keepAsWritten(): void {
    visit(this.#document, {
      Scalar: (_, scalar) => {
        if (typeof scalar.value === 'number' && scalar.source !== String(scalar.value)) {
          scalar.value = scalar.source;
        }
      },
    });
  }

  /** The values with all aliases replaced, unless there would be no end of them. */
  #expand(problems: string[]): unknown {
    try {
      const values: unknown = this.#document.toJS({ maxAliasCount: 100 }) ?? {};
      JSON.stringify(values);
      return values;
    } catch {
      problems.push(`${this.#name}: its aliases refer to themselves or repeat too much`);
      return {};
    }
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${line}:${col}`;
  }
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'a list' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}
