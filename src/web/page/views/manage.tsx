import { useDoing } from '../asked.ts';
import { ask } from '../http.ts';
import { joined } from '../live/tree.ts';
import { usePage } from '../page.ts';
import { Form } from '../parts/form.tsx';
import { TwoButtons } from '../parts/switch.tsx';
import { hashOf } from '../route.ts';
import type { Plug } from '../wire.ts';

/** What an admin does to a plug: its name, its place, its light, a restart. */
export function Manage({ plug }: { readonly plug: Plug }) {
  const { words } = usePage();
  return (
    <section class="panel">
      <h2>{words.manage}</h2>
      <Name key={plug.name} plug={plug} />
      <PlaceForm key={plug.place} plug={plug} />
      <Light plug={plug} />
      <Restart plug={plug} />
    </section>
  );
}

function Name({ plug }: { readonly plug: Plug }) {
  const { words } = usePage();
  const doing = useDoing();
  return (
    <Form
      act={words.rename}
      doing={doing}
      done={words.saved}
      submit={({ name }) => ask('POST', 'api/requests/plug/rename', { plug: plug.path, name })}
      fields={[{ name: 'name', label: words.newName, value: plug.name }]}
    />
  );
}

function PlaceForm({ plug }: { readonly plug: Plug }) {
  const { words } = usePage();
  const doing = useDoing();
  const own = plug.path.split('/').pop() ?? plug.path;
  return (
    <Form
      act={words.move}
      doing={doing}
      done={words.saved}
      submit={async ({ place = '' }) => {
        const path = joined(place, own);
        await ask('POST', 'api/requests/plug/move', { plug: plug.path, to: path });
        location.hash = hashOf({ view: 'plug', path });
      }}
      fields={[
        { name: 'place', label: words.newPlace, value: plug.place, hint: words.placeHint, required: false },
      ]}
    />
  );
}

function Light({ plug }: { readonly plug: Plug }) {
  const { words } = usePage();
  const doing = useDoing();
  const set = (led: 'ON' | 'OFF') => doing.run(() => ask('POST', 'api/commands', { target: plug.path, led }));
  if (plug.led === null) return null;
  return (
    <div class="setting">
      <span id="led">{words.led}</span>
      <fieldset class="switch" aria-labelledby="led" aria-busy={doing.busy}>
        <TwoButtons>
          {(['OFF', 'ON'] as const).map((led) => (
            <button
              key={led}
              type="button"
              class={`switch-${led.toLowerCase()}`}
              aria-pressed={plug.led === led}
              onClick={() => set(led)}
            >
              {led === 'ON' ? words.on : words.off}
            </button>
          ))}
        </TwoButtons>
      </fieldset>
      {doing.error !== null && <p class="error">{words.failed(doing.error)}</p>}
    </div>
  );
}

function Restart({ plug }: { readonly plug: Plug }) {
  const { words, question } = usePage();
  const doing = useDoing();
  const restart = () =>
    doing.run(() => ask('POST', 'api/requests/plug/command', { plug: plug.path, command: 'reboot' }));
  return (
    <div class="setting">
      <button
        type="button"
        class="button"
        aria-busy={doing.busy}
        onClick={() =>
          question({
            title: words.restart,
            text: words.askRestart(plug.name),
            act: words.restart,
            agreed: restart,
          })
        }
      >
        {words.restart}
      </button>
      <p role="status">{doing.error !== null ? words.failed(doing.error) : doing.done ? words.saved : ''}</p>
    </div>
  );
}
