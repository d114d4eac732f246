import { flagAt, type JsonObject } from './json.ts';
import { request } from './requests.ts';

/** Asks what the plug has to do with the vendor's cloud. */
export const GET_CLOUD = request({ cnCloud: { get_info: {} } });

/** What `cnCloud.get_info` says; `undefined` where the plug did not say it. */
export interface CloudReading {
  /** Whether the plug is bound to an account. */
  readonly bound: boolean | undefined;
  /** Whether it has a connection to the cloud at the moment. */
  readonly connected: boolean | undefined;
}

/** Reads the answer of `cnCloud.get_info`. The name of the account is private and not read. */
export function readCloud(answer: JsonObject): CloudReading {
  return { bound: flagAt(answer, 'binded'), connected: flagAt(answer, 'cld_connection') };
}
