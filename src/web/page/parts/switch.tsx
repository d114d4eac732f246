import type { ComponentChildren } from 'preact';
import { usePage } from '../page.ts';

interface SwitchProps {
  readonly name: string;
  /** What the plug said, or all plugs of the place; `null` where they did not, or not the same. */
  readonly state: 'ON' | 'OFF' | null;
  /** What is wanted of it by a command under way. */
  readonly wanted: 'ON' | 'OFF' | null;
  readonly press: (wanted: 'ON' | 'OFF') => void;
}

/**
 * Two buttons, each of which does what it says. The one that is the case is marked; no other way shows a state that
 * is not known or is mixed, and none can send the opposite of what was meant because the page was a moment behind.
 */
export function Switch({ name, state, wanted, press }: SwitchProps) {
  const { words } = usePage();
  const button = (value: 'ON' | 'OFF', word: string) => (
    <button
      type="button"
      class={`switch-${value.toLowerCase()}${wanted === value ? ' is-wanted' : ''}`}
      aria-pressed={state === value}
      onClick={() => press(value)}
    >
      {word}
    </button>
  );
  return (
    <fieldset class="switch" aria-label={words.switchOf(name)} aria-busy={wanted !== null}>
      <TwoButtons>
        {button('OFF', words.off)}
        {button('ON', words.on)}
      </TwoButtons>
    </fieldset>
  );
}

/** Side by side; Chrome 63 does not lay out a fieldset itself that way. */
export function TwoButtons({ children }: { readonly children: ComponentChildren }) {
  return <div class="two-buttons">{children}</div>;
}
