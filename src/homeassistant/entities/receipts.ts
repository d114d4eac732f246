import type { Outcome } from '../../bridge/command.ts';
import type { Context, Entity, Options, Subject } from '../entity.ts';
import { whileBridgeRuns } from '../entity.ts';

const OUTCOMES = {
  confirmed: true,
  partial: true,
  failed: true,
  superseded: true,
  expired: true,
  refused: true,
} satisfies Record<Outcome, true>;

/** The receipts of a plug or place as events: the type is the outcome, the whole receipt its attributes. */
export function receipts<S extends Subject & { readonly path: string }>(options: Options = {}): Entity<S> {
  return {
    key: 'receipt',
    platform: 'event',
    name: 'Receipt',
    options: { icon: 'mdi:receipt-text-check', event_types: Object.keys(OUTCOMES), ...options },
    wiring: ({ path }: S, { topics }: Context) => ({
      state_topic: topics.below(path, 'result'),
      value_template: '{{ dict(value_json, event_type=value_json.outcome) | to_json }}',
      ...whileBridgeRuns(topics),
    }),
  };
}
