import { Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { scopes } from '../scopes.js';
import { closed, described } from './described.js';
import { type Header, json, type Operation } from './operation.js';
import { problemsOf } from './problems.js';
import { Time } from './texts.js';

/** Browsers that are signed in. */

const { query, json: ofJson } = problemsOf;
const tag = 'Tokens';

const members = {
  tokens: Type.Boolean(),
  name: Type.Optional(Type.String()),
  scopes: Type.Array(OneOf(scopes)),
  group: Type.Optional(Type.String()),
  expiresAt: Type.Optional(Time()),
  version: Type.String(),
};
const texts = {
  tokens: 'Whether the service asks for tokens. Without, everybody may do everything.',
  name: 'Of the token.',
  scopes: 'What it may do, with all that `admin` stands for.',
  group: 'The only group that it may submit into, see and end.',
  expiresAt: 'From then on it is not valid.',
  version: 'Of scriptd.',
} as const;

const example = {
  tokens: true,
  name: 'ops',
  scopes: ['submit', 'read', 'admin'],
  version: '0.1.0',
};

export const getSession: Operation = {
  id: 'getSession',
  tag,
  summary: 'Who is asking, and what they may do',
  answers: {
    200: {
      description: 'Of the token, or of the session, that was shown.',
      content: json(described(Type.Object(members, closed), texts), example),
    },
  },
  problems: query,
};

const setCookie: Header = {
  description: 'The other half, for this port of this host only; no script of a page can read it.',
  schema: Type.String({ pattern: '^scriptd-session-\\d+=' }),
};

export const signIn: Operation = {
  id: 'signIn',
  tag,
  summary: 'Sign a browser in',
  description:
    'The token goes into a cookie, sealed with a key that only the answer has. Requests with the header `Scriptd-Session: KEY` ' +
    'and that cookie are then as with `Authorization: Bearer TOKEN`. Nothing of it is kept here, and a half alone is of no use. ' +
    'It ends with the token, and after 30 days.',
  body: {
    description: 'How long.',
    required: false,
    content: json(
      described(Type.Object({ remember: Type.Optional(Type.Boolean()) }, closed), {
        remember: 'The browser keeps the cookie when it is closed. Default false.',
      }),
      { remember: true },
    ),
  },
  answers: {
    200: {
      description: 'Who is signed in, with the key.',
      headers: { 'Set-Cookie': setCookie },
      content: json(
        described(
          Type.Object({ key: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }), ...members }, closed),
          { key: 'For the header `Scriptd-Session`.', ...texts },
        ),
        { key: 'W1RXmVyq0dZ8m0sHcRkT1uO3yQ2x5bJvF4nLaE7gKpI', ...example },
      ),
    },
  },
  problems: [...query, ...ofJson, 'NO_TOKENS'],
};

export const signOut: Operation = {
  id: 'signOut',
  tag,
  summary: 'Sign a browser out',
  description: 'The browser forgets the cookie. A body is not looked at.',
  answers: { 204: { description: 'It is forgotten.' } },
  problems: [...query, 'BODY_TOO_LARGE'],
};
