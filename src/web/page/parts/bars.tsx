import { usePage } from '../page.ts';

export interface Bar {
  readonly label: string;
  /** `null` is not known, and drawn as nothing but its dash. */
  readonly value: number | null;
}

const HEIGHT = 100;

/** kWh as bars, each with its figure: it can be read without seeing how tall they are. */
export function Bars({ title, bars }: { readonly title: string; readonly bars: readonly Bar[] }) {
  const { format } = usePage();
  const most = Math.max(...bars.map(({ value }) => value ?? 0), 0.001);
  return (
    <ol class="bars" aria-label={title}>
      {bars.map(({ label, value }) => (
        <li key={label}>
          <span class="bar-value">{value === null ? '–' : format.number(value, value < 9.95 ? 1 : 0)}</span>
          <svg class="bar" viewBox={`0 0 10 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <rect
              x="0"
              width="10"
              y={HEIGHT - ((value ?? 0) / most) * HEIGHT}
              height={((value ?? 0) / most) * HEIGHT}
            />
          </svg>
          <span class="bar-label">{label}</span>
        </li>
      ))}
    </ol>
  );
}
