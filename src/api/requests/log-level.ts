import { type AdjustableLevel, LOG_LEVELS } from '../../runtime/log-level.ts';
import { type Handler, notUnderstood, type Permission } from './request.ts';

/** `log/level`: says how much is logged, and sets it with `level` until the bridge is started anew. */
export function logLevel(log: AdjustableLevel, permission: Permission): Handler {
  return ({ level }, asker) => {
    if (level !== undefined) {
      const wanted = LOG_LEVELS.find((one) => one === level);
      if (wanted === undefined) throw notUnderstood(`"level" must be one of ${LOG_LEVELS.join(', ')}`);
      permission.demand('log/level', asker);
      log.set(wanted);
    }
    return { level: log.level };
  };
}
