import { Type } from 'typebox';
import { TokenRecord } from '../token-record.js';
import { closed, described } from './described.js';
import { json, type Operation, type Parameter } from './operation.js';
import { problemsOf } from './problems.js';
import { Reference } from './reference.js';
import { Time } from './texts.js';

/** The tokens of the service. */

const { query, json: ofJson } = problemsOf;
const tag = 'Tokens';

const { id, name, scopes, group } = TokenRecord.properties;
const rate = Type.Optional(
  described(Type.Object({ ...TokenRecord.properties.rate.properties }, closed), {
    perSecond: 'In the long run.',
    burst: 'At once, after a rest.',
  }),
);
const expiresAt = Type.Optional(Time());
const texts = {
  name: 'Whose it is, or what for. No two are the same.',
  scopes: 'What it may do; `admin` stands for the others too.',
  group: 'The only group that it may submit into, see and end; not with `admin`.',
  rate: 'Requests that it may make. Default: as many as it likes.',
  expiresAt: 'From then on it is not valid. Default: never.',
} as const;
const members = { id, name, scopes, group, rate, createdAt: Time(), expiresAt };
const memberTexts = {
  ...texts,
  id: 'For logs and for revoking it; no secret.',
  createdAt: 'When it was made.',
} as const;

export const TokenBody = described(
  Type.Object({ name, scopes, group, rate, expiresAt }, closed),
  texts,
);

export const TokenInfo = described(
  Type.Object({ ...members, current: Type.Optional(Type.Literal(true)) }, closed),
  { ...memberTexts, current: 'It is that of the request.' },
);

const NewToken = described(Type.Object({ ...members, token: Type.String() }, closed), {
  ...memberTexts,
  token: 'The token itself. It is shown only now.',
});

const body = { name: 'ci', scopes: ['submit', 'read'], group: 'ci' };
const token = { id: 'evcjDtgv', ...body, createdAt: '2026-11-27T03:04:56.271Z' };
const ofFile = ['NO_TOKENS', 'TOKENS_UNREADABLE', 'TOKENS_INVALID'] as const;
const ofChange = [...ofFile, 'TOKENS_UNWRITABLE', 'TOKENS_BUSY'] as const;

export const listTokens: Operation = {
  id: 'listTokens',
  tag,
  summary: 'The tokens of the service, without the tokens themselves',
  answers: {
    200: {
      description: 'What the file of tokens has.',
      content: json(
        described(
          Type.Object(
            {
              tokens: Type.Array(Reference('TokenInfo')),
              plain: Type.Integer({ minimum: 0 }),
              writable: Type.Boolean(),
            },
            closed,
          ),
          {
            tokens: 'In the order of the file.',
            plain: 'How many stand in plain text, with every right.',
            writable: 'Whether they can be made and revoked here.',
          },
        ),
        { tokens: [token], plain: 0, writable: true },
      ),
    },
  },
  problems: [...query, ...ofFile],
};

export const createToken: Operation = {
  id: 'createToken',
  tag,
  summary: 'Make a token',
  description: 'Only its digest is kept. It holds here at once, at other daemons within seconds.',
  body: { description: 'What it is for.', content: json(Reference('TokenBody'), body) },
  answers: {
    201: {
      description: 'The new token.',
      content: json(NewToken, {
        ...token,
        token: 'scriptd_6nKTvw1wzB6JCen5IhHnqVggBQHWF5jDkHf8VcUbtvi1dj9Wa',
      }),
    },
  },
  problems: [...query, ...ofJson, 'TOKEN_EXISTS', ...ofChange],
};

const tokenIdInPath: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Of the token.',
  schema: id,
  example: token.id,
};

export const revokeToken: Operation = {
  id: 'revokeToken',
  tag,
  summary: 'Revoke a token',
  description:
    'It is refused here at once, and at other daemons within seconds. A body is not looked at.',
  parameters: [tokenIdInPath],
  answers: { 204: { description: 'It is revoked.' } },
  problems: [...query, 'UNKNOWN_TOKEN', 'OWN_TOKEN', 'BODY_TOO_LARGE', ...ofChange],
};
