import type { Scope } from '../api/session.js';
import type { TokenWish } from './token.js';

/** A token as it stands in a form: what is typed is text. */
export interface TokenDraft {
  name: string;
  scopes: Scope[];
  group: string;
  /** Days, one of `lives`; `at`: when `expiresAt` says. */
  life: string;
  /** As `datetime-local` has it: by the clock of this computer. */
  expiresAt: string;
  perSecond: string;
  burst: string;
}

export const emptyDraft: TokenDraft = {
  name: '',
  scopes: ['submit', 'read'],
  group: '',
  life: '90',
  expiresAt: '',
  perSecond: '',
  burst: '',
};

export const lives: readonly { life: string; label: string }[] = [
  { life: '7', label: 'in 7 days' },
  { life: '30', label: 'in 30 days' },
  { life: '90', label: 'in 90 days' },
  { life: '365', label: 'in a year' },
  { life: '', label: 'never' },
  { life: 'at', label: 'at a time …' },
];

/** What the service calls the fields of the form. */
export const draftFields: readonly string[] = [
  'name',
  'scopes',
  'group',
  'expiresAt',
  'rate',
  'rate.perSecond',
  'rate.burst',
];

const dayMs = 24 * 3_600_000;

/** @param nowMs milliseconds since 1970 */
export function wishOf(draft: TokenDraft, nowMs: number): TokenWish {
  const { name, scopes, group, perSecond, burst } = draft;
  const expiresAt = endOf(draft, nowMs);
  return {
    name,
    scopes,
    ...(group !== '' && { group }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...((perSecond !== '' || burst !== '') && {
      rate: { perSecond: numberOf(perSecond), burst: numberOf(burst || burstOf(perSecond)) },
    }),
  };
}

function endOf({ life, expiresAt }: TokenDraft, nowMs: number): string | undefined {
  if (life === '') return undefined;
  if (life !== 'at') return new Date(nowMs + Number(life) * dayMs).toISOString();
  const at = new Date(expiresAt);
  // What is not filled in, or no time, is for the service to refuse.
  return Number.isNaN(at.getTime()) ? expiresAt : at.toISOString();
}

/** As many at once as come in a second. */
function burstOf(perSecond: string): string {
  const value = Math.ceil(Number(perSecond));
  return Number.isNaN(value) ? '' : String(Math.max(value, 1));
}

function numberOf(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}
