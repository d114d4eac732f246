import { kept } from './kept.ts';

/** The colours of the page: as the device has them, or as the reader chose. */
export type Theme = 'auto' | 'light' | 'dark';

export function chosenTheme(): Theme {
  const theme = kept('theme');
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

/** Shows the theme, and keeps it for the next time. */
export function chooseTheme(theme: Theme): void {
  kept('theme', theme);
  showTheme(theme);
}

export function showTheme(theme: Theme): void {
  document.documentElement.setAttribute('data-theme', theme);
}
