import t from 'tap';
import { type Action, Handshake, type HandshakeOptions } from '../../src/wire/handshake.js';
import { type Message, protocolVersion } from '../../src/wire/messages.js';

const token = Buffer.from('a token of the installation');
const controller = { role: 'controller', id: 'controller', instance: 'c1' } as const;
const worker = { role: 'worker', id: 'python-1', instance: 'w1' } as const;

function initiator(more: Partial<HandshakeOptions> = {}) {
  return new Handshake('initiator', { local: controller, token, channel: 'receiver', ...more });
}
function acceptor(more: Partial<HandshakeOptions> = {}) {
  return new Handshake('acceptor', {
    local: worker,
    token,
    serves: ['receiver', 'emitter'],
    ...more,
  });
}

/** The message that the only or first action sends. */
function sent(actions: Action[]): Message {
  const [first] = actions;
  if (first?.type !== 'send') throw new Error(`nothing was sent: ${JSON.stringify(actions)}`);
  return first.message;
}
const refusal = (actions: Action[]) => (actions[0]?.type === 'refuse' ? actions[0].code : actions);

/** Runs both sides to the end and returns what each did last. */
function converse(a: Handshake, b: Handshake) {
  const hello = sent(a.begin());
  const answer = sent(b.step(hello));
  const third = a.step(answer);
  return { hello, answer, third, last: third[0]?.type === 'send' ? b.step(sent(third)) : [] };
}

t.test('both sides open, and know who is there', async (t) => {
  const a = initiator();
  const b = acceptor();
  const { third, last } = converse(a, b);
  t.match(third[1], { type: 'opened', peer: { ...worker, channel: 'receiver' } });
  t.match(last, [{ type: 'opened', peer: { ...controller, channel: 'receiver' } }]);
  t.same([a.state, b.state], ['open', 'open']);
});

t.test('the token itself is never sent', async (t) => {
  const { hello, answer, third } = converse(initiator(), acceptor());
  for (const message of [hello, answer, third]) {
    const bytes = JSON.stringify(message, (_, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    );
    t.notMatch(bytes, token.toString());
  }
});

t.test('an acceptor with another token is refused before anything is proven to it', async (t) => {
  const { third } = converse(initiator(), acceptor({ token: Buffer.from('another token') }));
  t.equal(refusal(third), 'BAD_PROOF');
});

t.test('an initiator with another token is refused', async (t) => {
  const a = initiator({ token: Buffer.from('another token') });
  const b = acceptor();
  const answer = sent(b.step(sent(a.begin())));
  t.equal(refusal(a.step(answer)), 'BAD_PROOF');
  t.equal(refusal(b.step({ kind: 'proof', proof: Buffer.alloc(32) })), 'BAD_PROOF');
  t.equal(b.state, 'refused');
});

t.test('a proof cannot be sent back, nor used in another conversation', async (t) => {
  const reflected = acceptor();
  const hello = sent(initiator().begin());
  const answer = sent(reflected.step(hello));
  if (answer.kind !== 'hello' || !answer.proof) throw new Error('no proof in the answer');
  t.equal(refusal(reflected.step({ kind: 'proof', proof: answer.proof })), 'BAD_PROOF');

  const a = initiator();
  const first = converse(a, acceptor());
  const replayed = acceptor();
  replayed.step(first.hello);
  t.equal(refusal(replayed.step(sent(first.third))), 'BAD_PROOF');
});

t.test('someone in the middle cannot change who is who', async (t) => {
  const a = initiator();
  const b = acceptor();
  const hello = sent(a.begin());
  const answer = sent(b.step(hello.kind === 'hello' ? { ...hello, id: 'mallory' } : hello));
  t.equal(refusal(a.step(answer)), 'BAD_PROOF');
});

t.test('another protocol version is refused, and says what to do', async (t) => {
  const hello = sent(initiator().begin());
  const [action] = acceptor().step({ ...hello, protocol: protocolVersion + 1 } as Message);
  t.match(action, { type: 'refuse', code: 'PROTOCOL_VERSION', reason: /update the older/ });
});

t.test('a peer of the wrong role or channel is refused', async (t) => {
  const http = { role: 'http', id: 'h', instance: 'h1' } as const;
  const cases: Partial<HandshakeOptions>[] = [
    { local: http },
    { local: worker },
    { channel: 'client' },
  ];
  for (const more of cases) {
    t.equal(refusal(acceptor().step(sent(initiator(more).begin()))), 'WRONG_PEER');
  }
});

t.test('every message out of its state is refused', async (t) => {
  const ping: Message = { kind: 'ping', sequence: 1 };
  const proof: Message = { kind: 'proof', proof: Buffer.alloc(32) };
  const hello = sent(initiator().begin());
  t.equal(refusal(acceptor().step(ping)), 'OUT_OF_STATE');
  t.equal(refusal(acceptor().step(proof)), 'OUT_OF_STATE');
  const waiting = acceptor();
  waiting.step(hello);
  t.equal(refusal(waiting.step(hello)), 'OUT_OF_STATE');
  const a = initiator();
  const b = acceptor();
  converse(a, b);
  t.equal(refusal(b.step(hello)), 'OUT_OF_STATE');
});

t.test('what may not be sent on a channel is refused', async (t) => {
  const key = { taskId: '01890a5d-ac96-774b-bcce-b302099a8057', attempt: 1 };
  const open = () => {
    const pair = { a: initiator(), b: acceptor() };
    converse(pair.a, pair.b);
    return pair;
  };
  t.match(open().b.step({ kind: 'cancel', ...key, cause: 'caller' }), [{ type: 'deliver' }]);
  t.equal(refusal(open().a.step({ kind: 'cancel', ...key, cause: 'caller' })), 'OUT_OF_STATE');
  t.equal(refusal(open().b.step({ kind: 'started', ...key })), 'OUT_OF_STATE');
  t.equal(refusal(open().b.step({ kind: 'acknowledge', results: [] })), 'OUT_OF_STATE');
});

t.test('after a refusal nothing is answered any more', async (t) => {
  const b = acceptor();
  b.step({ kind: 'ping', sequence: 1 });
  t.same(b.step(sent(initiator().begin())), []);
});
