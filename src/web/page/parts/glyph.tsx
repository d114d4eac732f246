/** The state of a lamp or place as a shape: filled is on, hollow is off, half is both, dashed is not known. */
export type Shape = 'on' | 'off' | 'mixed' | 'unknown';

export function Glyph({ shape }: { readonly shape: Shape }) {
  return (
    <svg class={`glyph glyph-${shape}`} viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="9" />
      {shape === 'mixed' && <path d="M12 3a9 9 0 0 0 0 18z" />}
      {shape === 'unknown' && <path d="M9.6 9.6a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.3 1-1.3 1.9M12 16.4v.2" />}
    </svg>
  );
}

const ICONS = {
  site: 'M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5',
  problems: 'M12 4 21 20H3zM12 10v4.5M12 17v.2',
  journal: 'M5 6h14M5 12h14M5 18h9',
  energy: 'M5 20v-7M12 20V4M19 20v-10',
  setup: 'M4 8h9m5 0h2M4 16h2m5 0h9M15.5 5.5v5M8.5 13.5v5',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0',
  back: 'M15 5l-7 7 7 7',
  open: 'M6 9.5l6 6 6-6',
  further: 'M9.5 6l6 6-6 6',
  locked: 'M7 11h10v9H7zM9 11V8a3 3 0 0 1 6 0v3',
  done: 'M5 12.5l4.5 4.5L19 7.5',
} as const;

export type IconName = keyof typeof ICONS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
