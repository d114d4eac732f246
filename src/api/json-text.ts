import { CommandError } from '../errors.ts';

/** Levels of objects and lists within each other that a client may send. */
const MAX_DEPTH = 16;

/**
 * Reads JSON that a client sent; its length has been checked. Throws CommandError if it is not JSON or nested too
 * deep. The depth is counted in the text: whatever walks the value later (JSON.stringify among others) recurses once
 * per level, and would end the program.
 */
export function parseJson(text: string): unknown {
  if (isDeeper(text, MAX_DEPTH)) throw refusal(`it is nested too deep (at most ${MAX_DEPTH} levels)`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal('it is not JSON', cause);
  }
}

/** Whether objects and lists are nested in the text more than `depth` levels; brackets in strings do not count. */
function isDeeper(text: string, depth: number): boolean {
  let level = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') {
      if (++level > depth) return true;
    } else if (char === '}' || char === ']') level--;
  }
  return false;
}

function refusal(message: string, cause?: unknown): CommandError {
  return new CommandError('not-understood', message, { cause });
}
