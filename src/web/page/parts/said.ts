import type { Page } from '../page.ts';
import type { Plug } from '../wire.ts';

/** Where a lamp stands, in pieces that are not broken: that it is on, since when, and who did it. */
export function standing({ words, format }: Page, plug: Plug): readonly string[] {
  if (plug.state === null) return [silence({ words, format }, plug)];
  const state = plug.state === 'ON' ? words.on : words.off;
  const since = plug.onSince === null ? '' : ` ${words.since(format.moment(Date.parse(plug.onSince)))}`;
  const who = doer({ words }, plug);
  return who === null ? [state + since] : [state + since, who];
}

/** Who switched it last: a colleague by name, a schedule, a rule, or somebody at the plug. */
export function doer(
  { words }: Pick<Page, 'words'>,
  { user, changedBy }: Pick<Plug, 'user' | 'changedBy'>,
): string | null {
  if (user !== null && user !== '') return words.byUser(user);
  if (changedBy === null) return null;
  const by: { readonly [origin: string]: string } = words.by;
  return by[changedBy] ?? changedBy;
}

/** That a plug does not answer, and since when. */
export function silence({ words, format }: Pick<Page, 'words' | 'format'>, plug: Plug): string {
  if (plug.availability === 'unknown') return words.notHeardYet;
  if (plug.lastSeen === null) return words.noAnswer;
  return words.noAnswerSince(format.moment(Date.parse(plug.lastSeen)));
}

/** Why a plug did not do as it was told: in the reader's language where the reason is a known one, else as the bridge said it. */
export function whyNot({ words }: Pick<Page, 'words'>, plug: Plug | undefined, reason: string): string {
  const code =
    plug?.availability === 'offline' && plug.problem !== null ? plug.problem : reason.split(':')[0];
  return words.reasons[code ?? ''] ?? reason;
}
