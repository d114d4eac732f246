/** Why a plug does not answer as it should; published with the plug's state and in receipts. */
export type Reason =
  | 'timeout'
  | 'refused'
  | 'unreachable'
  | 'unknown-host'
  | 'closed'
  | 'reset'
  | 'bad-answer'
  | 'plug-error'
  | 'wrong-plug'
  | 'not-found'
  | 'login-refused'
  | 'newer-firmware'
  | 'unsupported'
  | 'no-sockets'
  | 'flapping'
  | 'duplicate'
  | 'internal'
  | 'stopping';

/** Root of every error this program throws on purpose: a sentence for a person, a stable `code` for a program. */
export class BridgeError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The plug did not do what was asked: try again later (see `reason`), except for `plug-error`, its own refusal. */
export class PlugError extends BridgeError {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(reason, message, options);
    this.reason = reason;
  }
}

/** The plug answered the question with an `err_code` of its own, at module or at method level. */
export class PlugRefusal extends PlugError {
  readonly errCode: number;

  constructor(question: string, errCode: number, errMsg: string) {
    const said = errMsg === '' ? '' : ` (${errMsg})`;
    super('plug-error', `the plug answers ${question} with err_code ${errCode}${said}: ${explain(errCode)}`);
    this.errCode = errCode;
  }
}

/** A command that cannot be understood or is not allowed: the sender's mistake, never retried. */
export class CommandError extends BridgeError {}

/** Bytes or JSON that no plug would send. */
export class ProtocolError extends PlugError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad-answer', message, options);
  }
}

/** All that is wrong with a configuration, one sentence a problem, each with its place. */
export class ConfigError extends BridgeError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('bad-configuration', problems.join('\n'));
    this.problems = problems;
  }
}

/** Meanings of the firmware's `err_code`, gathered from dumps of real plugs. */
const ERR_CODES: ReadonlyMap<number, string> = new Map([
  [-1, 'this plug does not have that module'],
  [-2, 'this plug does not have that method'],
  [-3, 'an argument is missing or wrong'],
  [-5, 'nothing has been downloaded yet'],
  [-7, 'nothing is going on that could be reported'],
  [-8, 'the plug is not bound to a cloud account'],
  [-10, 'its table is full: delete the old rule first'],
  [-11, "the plug's clock is not set: give it a time server or set its time"],
  [-14, 'it has no entry of that id'],
  [-21, 'it cannot reach the cloud server'],
  [-2000, 'this device does not have that method'],
  [-2001, 'this device does not have that module'],
  [-4002, 'the device is not bound to a cloud account'],
  [-10000, 'an argument is wrong'],
  [-10002, 'an argument is missing'],
]);

/** Says in words what an `err_code` of the firmware means and, where known, what to do. */
export function explain(errCode: number): string {
  return ERR_CODES.get(errCode) ?? 'an undocumented code';
}

/** The sentence of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
