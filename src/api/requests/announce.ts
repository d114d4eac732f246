import type { Handler } from './request.ts';

/** `homeassistant/announce`: announces everything to Home Assistant again, also what was deleted there. */
export function announce(announceAll: () => number): Handler {
  return () => ({ announced: announceAll() });
}
