import './form.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Scope } from '../api/session.js';
import { Field } from './field.js';
import { type FormFault, focusFault, formFaultOf } from './form-fault.js';
import { serviceNowMs } from './now.js';
import { makeToken, type TokenRecord } from './token.js';
import { draftFields, emptyDraft, lives, type TokenDraft, wishOf } from './token-draft.js';

export interface TokenFormProps {
  onMade: (made: TokenRecord & { token: string }) => void;
  onClose: () => void;
}

/** What a new token is to be. What the service refuses stands at the field that it is about. */
export function TokenForm({ onMade, onClose }: TokenFormProps) {
  const [draft, setDraft] = useState(emptyDraft);
  const [fault, setFault] = useState<FormFault | undefined>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => focusFault(form.current), [fault]);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const change = (changes: Partial<TokenDraft>) => setDraft({ ...draft, ...changes });
  const faultOf = (field: string) => (fault?.field === field ? fault.message : '');

  const make = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      onMade(await makeToken(wishOf(draft, serviceNowMs())));
    } catch (error) {
      setFault(formFaultOf(error, draftFields, { TOKEN_EXISTS: 'name' }));
      setBusy(false);
    }
  };

  return (
    <form class="card padded form making" ref={form} onSubmit={make} noValidate>
      <h2>New token</h2>
      <div class="form-fields">
        <Field label="Name" fault={faultOf('name')} hint="Who or what uses it, e.g. ci.">
          {(ties) => (
            <input
              {...ties}
              autocomplete="off"
              value={draft.name}
              onInput={(event) => change({ name: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field
          label="Group"
          fault={faultOf('group')}
          hint="The only group that it may submit into and see. Empty: all."
        >
          {(ties) => (
            <input
              {...ties}
              autocomplete="off"
              value={draft.group}
              onInput={(event) => change({ group: event.currentTarget.value })}
            />
          )}
        </Field>
        <Scopes draft={draft} change={change} fault={faultOf('scopes')} />
        <End draft={draft} change={change} fault={faultOf('expiresAt')} />
        <Rate draft={draft} change={change} faultOf={faultOf} />
      </div>
      {fault && fault.field === undefined && (
        <p class="fault" role="alert" tabIndex={-1}>
          {fault.message}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          Make it
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </form>
  );
}

interface PartProps {
  draft: TokenDraft;
  change: (changes: Partial<TokenDraft>) => void;
}

const scopeTexts: readonly { scope: Scope; text: string }[] = [
  { scope: 'submit', text: 'submit: run scripts, cancel and retry' },
  { scope: 'read', text: 'read: look at tasks, queues and schedules' },
  { scope: 'admin', text: 'admin: everything, and to steer the service' },
];

function Scopes({ draft, change, fault }: PartProps & { fault: string }) {
  return (
    <fieldset class="whole">
      <legend>Scopes</legend>
      <div class="choices">
        {scopeTexts.map(({ scope, text }) => (
          <label key={scope} class="check">
            <input
              type="checkbox"
              aria-invalid={fault === '' ? undefined : 'true'}
              checked={draft.scopes.includes(scope)}
              onChange={({ currentTarget: { checked } }) => {
                const others = draft.scopes.filter((one) => one !== scope);
                change({ scopes: checked ? [...others, scope] : others });
              }}
            />
            {text}
          </label>
        ))}
      </div>
      {fault !== '' && <p class="fault">{fault}</p>}
    </fieldset>
  );
}

function End({ draft, change, fault }: PartProps & { fault: string }) {
  const isAtTime = draft.life === 'at';
  return (
    <>
      <Field label="Ends" fault={isAtTime ? '' : fault}>
        {(ties) => (
          <select
            {...ties}
            value={draft.life}
            onChange={(event) => change({ life: event.currentTarget.value })}
          >
            {lives.map(({ life, label }) => (
              <option key={life} value={life}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      {isAtTime && (
        <Field label="At" fault={fault} hint="By the clock of this computer.">
          {(ties) => (
            <input
              {...ties}
              type="datetime-local"
              value={draft.expiresAt}
              onInput={(event) => change({ expiresAt: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}

function Rate({ draft, change, faultOf }: PartProps & { faultOf: (field: string) => string }) {
  return (
    <>
      <Field
        label="Requests a second"
        fault={faultOf('rate.perSecond') || faultOf('rate')}
        hint="Empty: without bound."
      >
        {(ties) => (
          <input
            {...ties}
            inputMode="decimal"
            value={draft.perSecond}
            onInput={(event) => change({ perSecond: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Of them at once" fault={faultOf('rate.burst')} hint="Empty: those of a second.">
        {(ties) => (
          <input
            {...ties}
            inputMode="numeric"
            value={draft.burst}
            onInput={(event) => change({ burst: event.currentTarget.value })}
          />
        )}
      </Field>
    </>
  );
}
