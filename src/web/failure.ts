import type { Failure } from './schemas.ts';

/** An error as it is answered. */
export function failure(code: string, message: string): Failure {
  return { error: { code, message } };
}
