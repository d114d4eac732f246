import { useState } from 'preact/hooks';
import { useAsked, useDoing } from '../asked.ts';
import { ask } from '../http.ts';
import { usePage } from '../page.ts';
import { Form } from '../parts/form.tsx';
import { QrCode } from '../parts/qr.tsx';
import { placesIn, Rights } from '../parts/rights.tsx';
import type { Access } from '../wire.ts';

const ROLES = ['viewer', 'staff'] as const;

/** Tablets on the wall, or tokens of programs: each may be revoked, and its secret is shown once. */
export function Accesses({ kind }: { readonly kind: 'kiosks' | 'tokens' }) {
  const { words, question } = usePage();
  const { value, error, again } = useAsked<{ readonly [kind: string]: readonly Access[] }>(`api/${kind}`);
  const [token, setToken] = useState<string | null>(null);
  const adding = useDoing();
  const removing = useDoing();
  if (error?.status === 404 || error?.status === 403) return null;
  const kiosk = kind === 'kiosks';
  const add = async ({ name = '', role = '', places = '' }) => {
    const answer = await ask<{ readonly token: string }>('POST', `api/${kind}`, {
      name,
      role,
      places: placesIn(places),
    });
    setToken(answer.token);
    again();
  };
  const remove = ({ id, name }: Access) =>
    question({
      title: words.askRemove(name),
      text: '',
      act: words.remove,
      agreed: () => removing.run(() => ask('DELETE', `api/${kind}/${encodeURIComponent(id)}`).then(again)),
    });
  return (
    <section class="panel">
      <h2>{kiosk ? words.kiosks : words.tokens}</h2>
      {kiosk && <p class="soft">{words.kiosksHelp}</p>}
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      <ul class="list">
        {(value?.[kind] ?? []).map((access) => (
          <li key={access.id}>
            <Rights {...access} />
            <button
              type="button"
              class="button"
              aria-label={words.askRemove(access.name)}
              onClick={() => remove(access)}
            >
              {words.remove}
            </button>
          </li>
        ))}
      </ul>
      {removing.error !== null && <p class="error">{words.failed(removing.error)}</p>}
      {token !== null && <Secret token={token} kiosk={kiosk} />}
      <details>
        <summary>{kiosk ? words.addKiosk : words.addToken}</summary>
        <Form
          act={words.add}
          doing={adding}
          submit={add}
          fields={[
            { name: 'name', label: words.newName },
            {
              name: 'role',
              label: words.role,
              value: 'staff',
              options: ROLES.map((role) => [role, words.roles[role] ?? role] as const),
            },
            { name: 'places', label: words.places, hint: words.placesHint, required: false },
          ]}
        />
      </details>
    </section>
  );
}

function Secret({ token, kiosk }: { readonly token: string; readonly kiosk: boolean }) {
  const { words } = usePage();
  if (!kiosk) {
    return (
      <div class="secret" role="status">
        <p>{words.tokenReady}</p>
        <code>{token}</code>
      </div>
    );
  }
  // What stands behind # is sent to no server, and so is in no log.
  const address = `${location.href.split('#')[0]}#/kiosk/${token}`;
  return (
    <div class="secret" role="status">
      <p>{words.kioskReady}</p>
      <QrCode text={address} label={words.kioskReady} />
      <code>{address}</code>
    </div>
  );
}
