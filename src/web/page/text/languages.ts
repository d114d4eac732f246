import { de } from './de.ts';
import { en, type Words } from './en.ts';
import { nl } from './nl.ts';

export const LANGUAGES: ReadonlyMap<string, { readonly name: string; readonly words: Words }> = new Map([
  ['en', { name: 'English', words: en }],
  ['de', { name: 'Deutsch', words: de }],
  ['nl', { name: 'Nederlands', words: nl }],
]);

/** The first of the wanted languages that the page has, as `de` for `de-AT`; English if it has none. */
export function languageOf(wanted: readonly (string | null | undefined)[]): string {
  for (const tag of wanted) {
    const language = (tag ?? '').slice(0, 2).toLowerCase();
    if (LANGUAGES.has(language)) return language;
  }
  return 'en';
}

/** The texts of a language that {@link languageOf} gave. */
export function wordsOf(language: string): Words {
  return LANGUAGES.get(language)?.words ?? en;
}
