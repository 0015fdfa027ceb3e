import {
  type Channel,
  type Message,
  type MessageOf,
  mayConverse,
  mayReceive,
  protocolVersion,
  type Role,
} from './messages.js';
import { newNonce, proofHolds, prove, type Side, type WireToken } from './token.js';

/** Who a part says it is, in its `hello`. */
export interface Identity {
  role: Role;
  /** Name, unique among parts of its role, e.g. `python-1`. */
  id: string;
  /** Tells one process of that name from the next. */
  instance: string;
}

/** Who is at the far end, known once the handshake is done. */
export interface Peer extends Identity {
  channel: Channel;
}

/**
 * `helloAwaited` → (acceptor: `proofAwaited` →) `open`. The initiator speaks first, and is open once
 * the acceptor's proof held and its own is sent.
 */
export type HandshakeState = 'helloAwaited' | 'proofAwaited' | 'open' | 'refused';
type HandshakeEvent = 'hello' | 'proof' | 'other';

/** What the connection has to do about a message that came in. */
export type Action =
  | { type: 'send'; message: Message }
  | { type: 'opened'; peer: Peer }
  | { type: 'deliver'; message: Message }
  | { type: 'refuse'; code: string; reason: string };

type Step = (handshake: Handshake, message: Message) => Action[];

/** Every state answers every event. */
const steps = {
  helloAwaited: { hello: onHello, proof: outOfState, other: outOfState },
  proofAwaited: { hello: outOfState, proof: onProof, other: outOfState },
  open: { hello: outOfState, proof: outOfState, other: onMessage },
  refused: { hello: ignore, proof: ignore, other: ignore },
} satisfies Record<HandshakeState, Record<HandshakeEvent, Step>>;

export interface HandshakeOptions {
  local: Identity;
  token: WireToken;
  /** What this connection is for; an acceptor learns it from the initiator's hello. */
  channel?: Channel;
  /** Channels that an acceptor serves here. */
  serves?: readonly Channel[];
}

/** The opening of one connection, by messages alone: does no I/O. docs/PROTOCOL.md draws it. */
export class Handshake {
  state: HandshakeState = 'helloAwaited';
  readonly side: Side;
  readonly options: HandshakeOptions;
  readonly nonce = newNonce();
  channel: Channel | undefined;
  peer: Peer | undefined;
  expectedProof: Buffer | undefined;
  /** What the peer's certificate says that it is; undefined where there is none. */
  certifiedRoles: readonly string[] | undefined;

  constructor(side: Side, options: HandshakeOptions) {
    this.side = side;
    this.options = options;
    this.channel = options.channel;
  }

  /** What the initiator says first; the acceptor says nothing until it has heard that. */
  begin(): Action[] {
    return this.side === 'initiator' ? [{ type: 'send', message: hello(this) }] : [];
  }

  /** Takes one message that came in. */
  step(message: Message): Action[] {
    const event = message.kind === 'hello' || message.kind === 'proof' ? message.kind : 'other';
    const actions = steps[this.state][event](this, message);
    this.state = stateAfter(this.state, this.side, actions);
    return actions;
  }
}

/** The one place where the state changes. */
function stateAfter(state: HandshakeState, side: Side, actions: Action[]): HandshakeState {
  for (const action of actions) {
    if (action.type === 'refuse') return 'refused';
    if (action.type === 'opened') return 'open';
  }
  const answered = state === 'helloAwaited' && side === 'acceptor' && actions.length > 0;
  return answered ? 'proofAwaited' : state;
}

function hello(handshake: Handshake, proof?: Buffer): MessageOf<'hello'> {
  const { role, id, instance } = handshake.options.local;
  const channel = handshake.channel ?? 'client';
  const { nonce } = handshake;
  const common = {
    kind: 'hello',
    protocol: protocolVersion,
    role,
    channel,
    id,
    instance,
    nonce,
  } as const;
  return proof ? { ...common, proof } : common;
}

function onHello(handshake: Handshake, message: Message): Action[] {
  const theirs = message as MessageOf<'hello'>;
  const { local, token, serves } = handshake.options;
  if (theirs.protocol !== protocolVersion) {
    const versions = `it speaks protocol ${theirs.protocol}, this part ${protocolVersion}`;
    return refuse('PROTOCOL_VERSION', `${versions}: update the older of the two`);
  }
  const served = serves ? serves.includes(theirs.channel) : theirs.channel === handshake.channel;
  if (!served || !mayConverse(local.role, theirs.channel, theirs.role)) {
    return refuse(
      'WRONG_PEER',
      `a ${theirs.role} on a ${theirs.channel} channel does not belong here`,
    );
  }
  const { certifiedRoles } = handshake;
  if (certifiedRoles && !certifiedRoles.includes(theirs.role)) {
    const named = certifiedRoles.length > 0 ? certifiedRoles.join(', ') : 'none';
    return refuse('WRONG_PEER', `a ${theirs.role} came with a certificate for: ${named}`);
  }
  handshake.channel = theirs.channel;
  const { role, id, instance, channel } = theirs;
  handshake.peer = { role, id, instance, channel };
  return handshake.side === 'acceptor'
    ? answerHello(handshake, theirs, token)
    : checkAcceptor(handshake, theirs, token);
}

/** Acceptor: proves first, since the initiator's nonce is known; then waits for its proof. */
function answerHello(handshake: Handshake, theirs: MessageOf<'hello'>, token: WireToken): Action[] {
  const facts = {
    initiatorNonce: theirs.nonce,
    acceptorNonce: handshake.nonce,
    conversation: conversation(theirs, handshake.options.local),
  };
  handshake.expectedProof = prove(token, 'initiator', facts);
  return [{ type: 'send', message: hello(handshake, prove(token, 'acceptor', facts)) }];
}

/** Initiator: the acceptor's proof must hold; then it proves in turn and is open. */
function checkAcceptor(
  handshake: Handshake,
  theirs: MessageOf<'hello'>,
  token: WireToken,
): Action[] {
  const facts = {
    initiatorNonce: handshake.nonce,
    acceptorNonce: theirs.nonce,
    conversation: conversation({ ...handshake.options.local, channel: theirs.channel }, theirs),
  };
  if (!proofHolds(prove(token, 'acceptor', facts), theirs.proof)) return badProof();
  return [
    { type: 'send', message: { kind: 'proof', proof: prove(token, 'initiator', facts) } },
    { type: 'opened', peer: handshake.peer as Peer },
  ];
}

function onProof(handshake: Handshake, message: Message): Action[] {
  const { proof } = message as MessageOf<'proof'>;
  if (!handshake.expectedProof || !proofHolds(handshake.expectedProof, proof)) return badProof();
  return [{ type: 'opened', peer: handshake.peer as Peer }];
}

function onMessage(handshake: Handshake, message: Message): Action[] {
  const { local } = handshake.options;
  if (handshake.channel && mayReceive(local.role, handshake.channel, message.kind)) {
    return [{ type: 'deliver', message }];
  }
  return refuse(
    'OUT_OF_STATE',
    `a ${message.kind} may not be sent on a ${handshake.channel} channel`,
  );
}

function outOfState(handshake: Handshake, message: Message): Action[] {
  return refuse('OUT_OF_STATE', `a ${message.kind} came in state ${handshake.state}`);
}

function ignore(): Action[] {
  return [];
}

function badProof(): Action[] {
  return refuse('BAD_PROOF', 'it does not have the same wire token');
}

function refuse(code: string, reason: string): Action[] {
  return [{ type: 'refuse', code, reason }];
}

function conversation(initiator: Identity & { channel: Channel }, acceptor: Identity): string {
  const parts = [initiator.channel, ...identity(initiator), ...identity(acceptor)];
  return JSON.stringify(parts);
}

function identity({ role, id, instance }: Identity): string[] {
  return [role, id, instance];
}
