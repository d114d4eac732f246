import { useAsked, useDoing } from '../asked.ts';
import { ask } from '../http.ts';
import { usePage } from '../page.ts';
import { Form } from '../parts/form.tsx';
import { placesIn, Rights } from '../parts/rights.tsx';
import type { User } from '../wire.ts';

const ROLES = ['viewer', 'staff', 'admin'] as const;

/** Who may log in, and what for. */
export function Users() {
  const { words, question } = usePage();
  const { value, error, again } = useAsked<{ readonly users: readonly User[] }>('api/users');
  const doing = useDoing();
  const removing = useDoing();
  if (error?.status === 404 || error?.status === 403) return null;
  const add = async ({ name = '', password = '', role = '', places = '' }) => {
    await ask('POST', 'api/users', { name, password, role, places: placesIn(places) });
    again();
  };
  const remove = (name: string) =>
    question({
      title: words.askRemove(name),
      text: '',
      act: words.remove,
      agreed: () => removing.run(() => ask('DELETE', `api/users/${encodeURIComponent(name)}`).then(again)),
    });
  return (
    <section class="panel">
      <h2>{words.users}</h2>
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      <ul class="list">
        {(value?.users ?? []).map((user) => (
          <li key={user.name}>
            <Rights {...user} />
            <button
              type="button"
              class="button"
              aria-label={words.askRemove(user.name)}
              onClick={() => remove(user.name)}
            >
              {words.remove}
            </button>
          </li>
        ))}
      </ul>
      {removing.error !== null && <p class="error">{words.failed(removing.error)}</p>}
      <details>
        <summary>{words.addUser}</summary>
        <Form
          key={value?.users.length}
          act={words.add}
          doing={doing}
          done={words.saved}
          submit={add}
          fields={[
            { name: 'name', label: words.userName },
            { name: 'password', label: words.password, secret: true, autocomplete: 'new-password' },
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
