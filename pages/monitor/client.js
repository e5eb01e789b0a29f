/**
 * A small client of WAMP: one session over a WebSocket in JSON, which calls procedures and nothing else.
 */
import { Failure } from './failure.js';

const [HELLO, WELCOME, ABORT, CHALLENGE, AUTHENTICATE, GOODBYE, ERROR, CALL, RESULT] = [1, 2, 3, 4, 5, 6, 8, 48, 50];

/** A node that does not answer for so long is not reached any more, though the browser may not know it yet. */
const ANSWER_MS = 20_000;
/** Close code: try again later. */
const LATER = 1013;

/** Joins a realm. `proof` is one of `proofs.js`, or names methods that need no answer. `onLost` is called once when the session is over. */
export function join({ url, realm, proof, onLost }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['wamp.2.json']);
    const calls = new Map();
    let lastId = 0;
    let isJoined = false;
    let isOver = false;
    const send = (...message) => socket.send(JSON.stringify(message));

    const over = (failure) => {
      if (isOver) return;
      isOver = true;
      socket.close();
      for (const id of calls.keys()) settle(id, (call) => call.reject(failure));
      if (isJoined) onLost(failure);
      else reject(failure);
    };

    const session = {
      call(procedure, kwargs = {}) {
        if (isOver) return Promise.reject(lost());
        return new Promise((answer, refuse) => {
          const timer = setTimeout(() => over(lost()), ANSWER_MS);
          calls.set(++lastId, { resolve: answer, reject: refuse, timer });
          send(CALL, lastId, {}, procedure, [], kwargs);
        });
      },
      /** `forget`: the login that the cookie remembers is forgotten, too. */
      leave(forget) {
        if (!isOver) send(GOODBYE, {}, forget ? 'wamp.close.logout' : 'wamp.close.close_realm');
      },
    };

    const on = {
      [WELCOME]: ([, details]) => {
        if (proof.isProven?.(details) === false) {
          return over(new Failure('The node does not know the password: this may be another node than it says.'));
        }
        isJoined = true;
        resolve(Object.assign(session, { details }));
      },
      [ABORT]: ([details, uri]) => over(new Failure(details.message || uri, { uri })),
      [CHALLENGE]: async ([, extra]) => {
        try {
          const [signature, more = {}] = await proof.answer(extra);
          if (!isOver) send(AUTHENTICATE, signature, more);
        } catch (failure) {
          over(failure instanceof Failure ? failure : new Failure('This browser cannot answer the node.'));
        }
      },
      [GOODBYE]: ([details, uri]) => {
        if (socket.readyState === WebSocket.OPEN) send(GOODBYE, {}, 'wamp.close.goodbye_and_out');
        over(new Failure(details.message || uri, { uri }));
      },
      [RESULT]: ([id, , args]) => settle(id, (call) => call.resolve(args?.[0])),
      [ERROR]: ([, id, , uri, args]) => settle(id, (call) => call.reject(new Failure(args?.[0] || uri, { uri }))),
    };
    const settle = (id, how) => {
      const call = calls.get(id);
      calls.delete(id);
      clearTimeout(call?.timer);
      if (call) how(call);
    };

    socket.onopen = () => {
      const { authmethods, authid, authextra } = proof;
      const roles = { caller: { features: { caller_identification: false } } };
      send(HELLO, realm, { roles, authmethods, authid, authextra });
    };
    socket.onmessage = ({ data }) => {
      const [type, ...fields] = JSON.parse(data);
      on[type]?.(fields);
    };
    socket.onclose = ({ code, reason }) => over(lost(code === LATER && reason));
  });
}

function lost(reason) {
  const text = reason ? `The node asks to come again later: ${reason}.` : 'The node cannot be reached.';
  return new Failure(text, { isLost: true });
}
