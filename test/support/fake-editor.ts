import type { Editor } from '../../src/api/requests/editor.ts';
import type { JsonObject } from '../../src/protocol/json.ts';

/** Notes what is to be changed, and changes nothing. */
export class FakeEditor implements Editor {
  /** Methods and what they were called with, oldest first. */
  readonly calls: unknown[][] = [];

  add(...given: unknown[]) {
    return this.#note('add', given);
  }

  remove(...given: unknown[]) {
    return this.#note('remove', given);
  }

  move(...given: unknown[]) {
    return this.#note('move', given);
  }

  rename(...given: unknown[]) {
    return this.#note('rename', given);
  }

  replace(...given: unknown[]) {
    return this.#note('replace', given);
  }

  set(...given: unknown[]) {
    return this.#note('set', given);
  }

  get(subject: unknown): JsonObject {
    this.calls.push(['get', subject]);
    return { options: {} };
  }

  export(): JsonObject {
    return { yaml: '' };
  }

  async #note(method: string, given: unknown[]): Promise<JsonObject> {
    this.calls.push([method, ...given]);
    return { kept: 'memory', yaml: '' };
  }
}
