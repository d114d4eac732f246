import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Doing } from '../asked.ts';
import { usePage } from '../page.ts';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Not shown while it is typed. */
  readonly secret?: boolean;
  readonly autocomplete?: string;
  readonly value?: string;
  readonly required?: boolean;
  /** The values to choose from, with their words. */
  readonly options?: readonly (readonly [value: string, word: string])[];
}

interface FormProps {
  readonly fields: readonly Field[];
  /** The word on its button. */
  readonly act: string;
  readonly doing: Doing;
  /** Said when it is done. */
  readonly done?: string;
  readonly submit: (values: { readonly [name: string]: string }) => Promise<unknown>;
  readonly children?: ComponentChildren;
}

/** A form of a few fields, each with its label above it. */
export function Form({ fields, act, doing, done, submit, children }: FormProps) {
  const { words } = usePage();
  const onSubmit = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const values: { [name: string]: string } = {};
    new FormData(form).forEach((value, name) => {
      values[name] = String(value);
    });
    doing.run(() => submit(values));
  };
  return (
    <form class="form" onSubmit={onSubmit}>
      {fields.map((field) => (
        <FieldInput key={field.name} field={field} />
      ))}
      {children}
      <div class="actions">
        <button type="submit" class="button button-main" aria-busy={doing.busy} aria-disabled={doing.busy}>
          {act}
        </button>
      </div>
      <p role="alert" class="error">
        {doing.error === null ? '' : words.failed(doing.error)}
      </p>
      <p role="status">{doing.done ? (done ?? '') : ''}</p>
    </form>
  );
}

function FieldInput({ field }: { readonly field: Field }) {
  const { name, label, hint, secret = false, autocomplete = 'off', required = true, options } = field;
  const id = useId();
  const [value, setValue] = useState(field.value ?? '');
  const common = { id, name, value, 'aria-describedby': hint === undefined ? undefined : `${id}-hint` };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {options === undefined ? (
        <input
          {...common}
          {...(secret ? { type: 'password' } : { type: 'text' })}
          required={required}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          onInput={({ currentTarget }) => setValue(currentTarget.value)}
        />
      ) : (
        <select {...common} onChange={({ currentTarget }) => setValue(currentTarget.value)}>
          {options.map(([option, word]) => (
            <option key={option} value={option}>
              {word}
            </option>
          ))}
        </select>
      )}
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
