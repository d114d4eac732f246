import { useState } from 'preact/hooks';
import { usePage } from '../page.ts';

interface BrightnessProps {
  readonly name: string;
  /** Percent, as the lamp said it. */
  readonly value: number | null;
  readonly set: (brightness: number) => void;
}

/** How bright a lamp is; it is told when the slider is let go, and shown again as it says. */
export function Brightness({ name, value, set }: BrightnessProps) {
  const { words } = usePage();
  const [dragged, drag] = useState<number | null>(null);
  const shown = dragged ?? value;
  const choose = (event: { readonly currentTarget: HTMLInputElement }) => Number(event.currentTarget.value);
  return (
    <label class="brightness">
      <span>{words.brightness}</span>
      <input
        type="range"
        min={1}
        max={100}
        value={shown ?? 100}
        aria-label={`${words.brightness}: ${name}`}
        onInput={(event) => drag(choose(event))}
        onChange={(event) => {
          set(choose(event));
          drag(null);
        }}
      />
      <output>{shown === null ? '–' : `${shown} %`}</output>
    </label>
  );
}
