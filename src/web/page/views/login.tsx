import { useDoing } from '../asked.ts';
import { ask, HttpError } from '../http.ts';
import { usePage } from '../page.ts';
import { Form } from '../parts/form.tsx';

/** All there is before somebody has logged in. */
export function LoginView() {
  const { session } = usePage();
  return (
    <main class="login">
      <h1>{session.site.name}</h1>
      <LoginForm />
    </main>
  );
}

/** Asks for name and password; both may be pasted, and a password manager knows them. */
export function LoginForm() {
  const { words, renew } = usePage();
  const doing = useDoing();
  const explained = (error: HttpError) => {
    if (error.retryAfter !== null) return new Error(words.tooManyTries(String(error.retryAfter)));
    return error.status === 401 ? new Error(words.wrongPassword) : error;
  };
  const logIn = async (values: object) => {
    try {
      await ask('POST', 'api/login', values);
    } catch (cause) {
      throw cause instanceof HttpError ? explained(cause) : cause;
    }
    renew();
  };
  return (
    <Form
      act={words.login}
      doing={doing}
      submit={logIn}
      fields={[
        { name: 'name', label: words.userName, autocomplete: 'username' },
        { name: 'password', label: words.password, secret: true, autocomplete: 'current-password' },
      ]}
    />
  );
}
