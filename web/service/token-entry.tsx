import { useState } from 'preact/hooks';
import { Confirm } from '../ui/confirm.js';
import { attempt } from '../ui/notices.js';
import { VisibleText } from '../verdict/visible-text.js';
import { useNow } from './now.js';
import { revokeToken, type TokenRecord } from './token.js';
import { Ago, Ahead } from './when.js';

export interface TokenEntryProps {
  token: TokenRecord;
  canRevoke: boolean;
  /** It is gone: the list is to be asked for again. */
  onChange: () => Promise<void>;
}

/** One token of the list. */
export function TokenEntry({ token, canRevoke, onChange }: TokenEntryProps) {
  const { id, name, scopes, group, rate, createdAt, expiresAt, current } = token;
  return (
    <li class="card padded entry">
      <div>
        <h2>{name}</h2>
        <code class="dim">{id}</code>
      </div>
      <dl class="entry-facts">
        <div>
          <dt>Scopes</dt>
          <dd>
            {scopes.map((scope) => (
              <span key={scope} class="tag">
                {scope}
              </span>
            ))}
          </dd>
        </div>
        <div>
          <dt>Group</dt>
          <dd>{group === undefined ? 'all' : <VisibleText text={group} />}</dd>
        </div>
        <div>
          <dt>Rate</dt>
          <dd>{rate ? `${rate.perSecond}/s, ${rate.burst} at once` : 'without bound'}</dd>
        </div>
        <div>
          <dt>Made</dt>
          <dd>
            <Ago at={createdAt} />
          </dd>
        </div>
        <div>
          <dt>Ends</dt>
          <dd>{expiresAt === undefined ? 'never' : <End at={expiresAt} />}</dd>
        </div>
      </dl>
      <div class="buttons">
        {current ? (
          <span class="badge good">yours, in use here</span>
        ) : (
          canRevoke && <Revoke token={token} onChange={onChange} />
        )}
      </div>
    </li>
  );
}

function End({ at }: { at: string }) {
  const isPast = Date.parse(at) <= useNow();
  return (
    <>
      {isPast && <span class="badge bad">expired</span>} <Ahead at={at} />
      <div class="hint">
        {new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}
      </div>
    </>
  );
}

function Revoke({ token: { id, name }, onChange }: Omit<TokenEntryProps, 'canRevoke'>) {
  const [asked, setAsked] = useState(false);
  const revoke = async () => {
    setAsked(false);
    await attempt(() => revokeToken(id), `${name} is revoked.`);
    await onChange();
  };
  return (
    <>
      <button type="button" class="small" onClick={() => setAsked(true)}>
        Revoke <span class="only-read">{name}</span>
      </button>
      {asked && (
        <Confirm
          title={`Revoke ${name}?`}
          action="Revoke"
          danger
          onConfirm={() => void revoke()}
          onClose={() => setAsked(false)}
        >
          <p>
            Whoever shows it is refused from now on, and what it has open ends. It can't be brought
            back. Tasks that were submitted with it go on.
          </p>
        </Confirm>
      )}
    </>
  );
}
