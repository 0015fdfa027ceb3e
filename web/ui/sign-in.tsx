import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { signIn } from '../api/session.js';

export function SignIn({ fault }: { fault?: string | undefined }) {
  const [token, setToken] = useState('');
  const [remember, setRemember] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | undefined>();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      await signIn(token.trim(), remember);
    } catch (error) {
      setFailure(sentenceOf(error));
    }
    setBusy(false);
  };
  const shown = failure ?? fault;
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <h1>scriptd</h1>
        <p>This service asks for a token.</p>
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={remember}
            onChange={(event) => setRemember(event.currentTarget.checked)}
          />
          Remember me on this computer for 30 days
        </label>
        {shown && (
          <p class="fault" role="alert">
            {shown}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
        <p class="hint">
          Whoever runs this service makes tokens: <code>scriptd token create --name you</code>
        </p>
      </form>
    </main>
  );
}
