import type { JsonObject } from '../../protocol/json.ts';

/** A plug or a place by its path; the place `''` is the whole site. */
export interface Subject {
  readonly kind: 'plug' | 'place';
  readonly path: string;
}

/** New hardware for a plug: where it is, which one it is, or both. */
export interface Hardware {
  readonly host: string | undefined;
  readonly mac: string | undefined;
}

/**
 * Changes the configuration of a bridge that runs. Each method resolves with what is told of the change, once it is kept
 * and in force; it rejects with a BridgeError and changes nothing if the change would be wrong. Changes follow one
 * another. `mayUnlock` says whether a plug that is locked may be free of that afterwards, or gone.
 */
export interface Editor {
  /** Adds a plug with those options, as they would be written in the file. */
  add(entry: JsonObject): Promise<JsonObject>;
  remove(path: string, mayUnlock: boolean): Promise<JsonObject>;
  move(subject: Subject, to: string, mayUnlock: boolean): Promise<JsonObject>;
  /** Calls a plug or place so; with `isAlias` the plug has been told that name as its own. */
  rename(subject: Subject, name: string | null, isAlias: boolean): Promise<JsonObject>;
  replace(path: string, hardware: Hardware): Promise<JsonObject>;
  /** Sets options by their names, of the program if there is no subject; `null` takes one back to its default. */
  set(subject: Subject | undefined, options: JsonObject, mayUnlock: boolean): Promise<JsonObject>;
  /** Options in force, each with its value and where it comes from; secrets are masked. */
  get(subject: Subject | undefined): JsonObject;
  /** What is kept beside the file, as YAML to paste into it. */
  export(): JsonObject;
}
