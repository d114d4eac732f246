import { useState } from 'preact/hooks';
import { useDoing } from '../asked.ts';
import { ask } from '../http.ts';
import { usePage } from '../page.ts';
import { Form } from '../parts/form.tsx';
import { hashOf } from '../route.ts';
import { LANGUAGES } from '../text/languages.ts';
import { chooseTheme, chosenTheme, type Theme } from '../theme.ts';
import { LoginForm } from './login.tsx';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

/** One's own: language, colours, password, and the way out. */
export function AccountView() {
  const { words, session, language, chooseLanguage, renew } = usePage();
  const [theme, setTheme] = useState(chosenTheme);
  const { user, authentication } = session;
  const logOut = () => {
    const leave = () => {
      location.hash = hashOf({ view: 'site' });
      renew();
    };
    ask('POST', 'api/logout').then(leave, leave);
  };
  return (
    <div class="view">
      <h1>{user === null ? words.account : user.name}</h1>
      {user !== null && <p>{words.roles[user.role]}</p>}
      {authentication === 'open' && <p>{words.openAccess}</p>}
      {user === null && authentication === 'users' && (
        <section class="panel">
          <LoginForm />
        </section>
      )}
      <section class="panel">
        <Choice
          label={words.language}
          value={language}
          options={[...LANGUAGES].map(([key, { name }]) => [key, name] as const)}
          choose={chooseLanguage}
        />
        <Choice
          label={words.theme}
          value={theme}
          options={THEMES.map((name) => [name, words.themes[name]] as const)}
          choose={(name) => {
            const next = THEMES.filter((one) => one === name)[0] ?? 'auto';
            chooseTheme(next);
            setTheme(next);
          }}
        />
      </section>
      {user !== null && authentication === 'users' && (
        <>
          <section class="panel">
            <h2>{words.changePassword}</h2>
            <PasswordForm />
          </section>
          <button type="button" class="button" onClick={logOut}>
            {words.logout}
          </button>
        </>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, word: string])[];
  readonly choose: (value: string) => void;
}

function Choice({ label, value, options, choose }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {options.map(([option, word]) => (
          <option key={option} value={option}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

function PasswordForm() {
  const { words } = usePage();
  const doing = useDoing();
  return (
    <Form
      act={words.changePassword}
      doing={doing}
      done={words.passwordChanged}
      submit={(values) => ask('POST', 'api/password', values)}
      fields={[
        { name: 'old', label: words.oldPassword, secret: true, autocomplete: 'current-password' },
        { name: 'new', label: words.newPassword, secret: true, autocomplete: 'new-password' },
      ]}
    />
  );
}
