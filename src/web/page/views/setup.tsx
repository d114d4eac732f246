import { useEffect, useState } from 'preact/hooks';
import { useAsked, useDoing } from '../asked.ts';
import { ask } from '../http.ts';
import { pathIn } from '../live/tree.ts';
import { usePage, useSite } from '../page.ts';
import { Form } from '../parts/form.tsx';
import type { Found } from '../wire.ts';
import { Accesses } from './accesses.tsx';
import { Users } from './users.tsx';

/** What an admin sets up: plugs that were found, users, tablets on the wall, tokens. */
export function SetupView() {
  const { words } = usePage();
  return (
    <div class="view">
      <h1>{words.setup}</h1>
      <FoundPlugs />
      <Users />
      <Accesses kind="kiosks" />
      <Accesses kind="tokens" />
    </div>
  );
}

/** MACs that the bridge is to leave alone, and a way to add one. */
function useIgnored(): readonly [ignored: readonly string[], ignore: (mac: string) => void] {
  const [ignored, setIgnored] = useState<readonly string[]>([]);
  useEffect(() => {
    ask<Options>('POST', 'api/requests/config/get').then(
      ({ data }) => setIgnored(data.options['discovery.ignore']?.value ?? []),
      () => undefined,
    );
  }, []);
  const ignore = (mac: string) => {
    const next = [...ignored, mac];
    setIgnored(next);
    ask('POST', 'api/requests/config/set', { options: { 'discovery.ignore': next } }).catch(() =>
      setIgnored(ignored),
    );
  };
  return [ignored, ignore];
}

/** What `config/get` answers. */
interface Options {
  readonly data: { readonly options: { readonly [name: string]: { readonly value: readonly string[] } } };
}

function FoundPlugs() {
  const { words } = usePage();
  const { value, error, again } = useAsked<{ readonly found: readonly Found[] }>('api/found');
  const [ignored, ignore] = useIgnored();
  const plugs = useSite((live) => live.plugs);
  if (error?.status === 404) return null;
  const own = [...plugs.values()].map(({ mac }) => mac);
  const found = (value?.found ?? []).filter(({ mac }) => own.indexOf(mac) + ignored.indexOf(mac) === -2);
  return (
    <section class="panel">
      <h2>{words.foundPlugs}</h2>
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      {value !== null && found.length === 0 && <p class="empty">{words.noneFound}</p>}
      <ul class="found">
        {found.map((plug) => (
          <FoundPlug key={plug.mac} plug={plug} ignore={() => ignore(plug.mac)} taken={again} />
        ))}
      </ul>
      <div class="actions">
        <button type="button" class="button" onClick={again} aria-busy={value === null && error === null}>
          {value === null && error === null ? words.looking : words.look}
        </button>
      </div>
    </section>
  );
}

interface FoundPlugProps {
  readonly plug: Found;
  readonly ignore: () => void;
  readonly taken: () => void;
}

function FoundPlug({ plug, ignore, taken }: FoundPlugProps) {
  const { words } = usePage();
  const blinking = useDoing();
  const adding = useDoing();
  const { mac, address, alias, model } = plug;
  const add = async ({ name = '', place = '' }) => {
    await ask('POST', 'api/requests/plug/add', { path: pathIn(place, name), mac, name });
    taken();
  };
  return (
    <li>
      <p>
        <strong>{alias ?? mac}</strong>{' '}
        <span class="soft">{[model, address, mac].filter((text) => text !== null).join(' · ')}</span>
      </p>
      <Form
        act={words.takeIn}
        doing={adding}
        submit={add}
        fields={[
          { name: 'name', label: words.newName, value: alias ?? '' },
          { name: 'place', label: words.newPlace, hint: words.placeHint, required: false },
        ]}
      >
        <div class="actions">
          <button
            type="button"
            class="button"
            aria-busy={blinking.busy}
            onClick={() => blinking.run(() => ask('POST', 'api/requests/discover/blink', { mac }))}
          >
            {words.blink}
          </button>
          <button type="button" class="button" onClick={ignore}>
            {words.ignore}
          </button>
        </div>
      </Form>
      {blinking.error !== null && <p class="error">{words.failed(blinking.error)}</p>}
    </li>
  );
}
