import './entries.css';
import './tokens.css';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { listTokens, type TokenList, type TokenRecord } from './token.js';
import { TokenEntry } from './token-entry.js';
import { TokenForm } from './token-form.js';
import { TokenShown } from './token-shown.js';

type Made = TokenRecord & { token: string };

/** Who may come in, and with what rights. */
export function TokensPage() {
  const [list, setList] = useState<TokenList | undefined>();
  const [fault, setFault] = useState('');
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<Made | undefined>();
  const load = useCallback(async () => {
    try {
      setList(await listTokens());
      setFault('');
    } catch (error) {
      setFault(sentenceOf(error));
    }
  }, []);
  useEffect(() => {
    void load();
  }, [load]);
  const show = (token: Made) => {
    setMaking(false);
    setMade(token);
    void load();
  };
  return (
    <>
      <div class="page-head">
        <h1>Tokens</h1>
        {list?.writable && !isMaking && (
          <button type="button" class="primary" onClick={() => setMaking(true)}>
            New token
          </button>
        )}
      </div>
      {fault !== '' && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {list && <Notes list={list} />}
      {made && <TokenShown made={made} onClose={() => setMade(undefined)} />}
      {isMaking && <TokenForm onMade={show} onClose={() => setMaking(false)} />}
      {!list && fault === '' && <p class="empty">Loading …</p>}
      {list?.tokens.length === 0 && <p class="card empty">No tokens yet.</p>}
      <ul class="entries">
        {list?.tokens.map((token) => (
          <TokenEntry key={token.id} token={token} canRevoke={list.writable} onChange={load} />
        ))}
      </ul>
    </>
  );
}

/** What can't be done here, and how it is done instead. */
function Notes({ list: { plain, writable } }: { list: TokenList }) {
  return (
    <>
      {!writable && (
        <p class="token-note">
          The service can't write its file of tokens, so they are made and revoked on its host:{' '}
          <code>scriptd token create</code> and <code>scriptd token revoke</code>.
        </p>
      )}
      {plain > 0 && (
        <p class="token-note">
          {plain === 1 ? '1 token stands' : `${plain} tokens stand`} in the file in plain text, with
          every right, and can't be told apart here. <code>scriptd token migrate</code> on the host
          of the service puts a digest in {plain === 1 ? 'its' : 'their'} place.
        </p>
      )}
    </>
  );
}
