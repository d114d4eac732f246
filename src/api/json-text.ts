import { CommandError } from '../errors.ts';
import { nestsDeeper } from '../protocol/json.ts';

/** Levels of objects and lists within each other that a client may send. */
const MAX_DEPTH = 16;

/**
 * Reads JSON that a client sent; its length has been checked. Throws CommandError if it is not JSON or nested too
 * deep: whatever walks the value later (JSON.stringify among others) recurses once per level, and would end the program.
 */
export function parseJson(text: string): unknown {
  const value = parsed(text);
  if (nestsDeeper(value, MAX_DEPTH)) throw refusal(`it is nested too deep (at most ${MAX_DEPTH} levels)`);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal('it is not JSON', cause);
  }
}

function refusal(message: string, cause?: unknown): CommandError {
  return new CommandError('not-understood', message, { cause });
}
