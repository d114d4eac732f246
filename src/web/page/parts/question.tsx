import { useEffect, useRef } from 'preact/hooks';
import { type Question, usePage } from '../page.ts';

/** A question before something that cannot be taken for nothing; Enter and Escape both leave it undone. */
export function QuestionDialog({ title, text, act, agreed }: Question) {
  const { words, question } = usePage();
  const box = useRef<HTMLDivElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const before = useRef(document.activeElement);
  const close = () => {
    question(null);
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  useEffect(() => cancel.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' || event.key === 'Esc') close();
    if (event.key === 'Tab') keepWithin(box.current, event);
  };
  return (
    <div class="veil">
      <div
        class="question"
        role="alertdialog"
        aria-modal="true"
        aria-labelledby="question-title"
        aria-describedby="question-text"
        ref={box}
        onKeyDown={onKeyDown}
      >
        <h2 id="question-title">{title}</h2>
        <p id="question-text">{text}</p>
        <div class="actions">
          <button type="button" class="button" ref={cancel} onClick={close}>
            {words.cancel}
          </button>
          <button
            type="button"
            class="button button-main"
            onClick={() => {
              close();
              agreed();
            }}
          >
            {act}
          </button>
        </div>
      </div>
    </div>
  );
}

/** Keeps the Tab key among the buttons of the box; browsers of 2018 know neither `<dialog>` nor `inert`. */
function keepWithin(box: HTMLElement | null, event: KeyboardEvent): void {
  const buttons = [...(box?.querySelectorAll('button') ?? [])];
  const edge = event.shiftKey ? buttons[0] : buttons[buttons.length - 1];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? buttons[buttons.length - 1] : buttons[0])?.focus();
}
