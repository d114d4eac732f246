import type { BridgeView } from '../bridge/view.ts';
import { FLAT_VALUES, type Topics } from './topics.ts';

/** Last levels of topics at which only the bridge speaks, whatever plug or place they are of. */
const SPOKEN = new Set<string>([...FLAT_VALUES, 'availability', 'result']);

/** Whether a topic is one at which only the bridge speaks: states, availability, receipts, and `bridge/…` but requests. */
export function isOwnTopic(
  topic: string,
  topics: Topics,
  bridge: Pick<BridgeView, 'plug' | 'place'>,
): boolean {
  if (topic === topics.base) return true;
  if (!topic.startsWith(`${topics.base}/`)) return false;
  const path = topic.slice(topics.base.length + 1);
  if (path.startsWith('bridge/')) return !topic.startsWith(topics.request(''));
  const last = path.slice(path.lastIndexOf('/') + 1);
  if (last === 'set' || last === 'get') return false;
  return SPOKEN.has(last) || bridge.plug(path) !== undefined || bridge.place(path) !== undefined;
}
