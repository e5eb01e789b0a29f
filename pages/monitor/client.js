/**
 * A small client of WAMP: one session over a WebSocket in JSON, which calls procedures and nothing else. It logs in by what needs no
 * typing (a cookie, a certificate), by a ticket, or by WAMP-CRA.
 */
const [HELLO, WELCOME, ABORT, CHALLENGE, AUTHENTICATE, GOODBYE, ERROR, CALL, RESULT] = [1, 2, 3, 4, 5, 6, 8, 48, 50];

/** Methods by which a browser is let in without typing anything. */
const SILENT = ['cookie', 'session', 'tls', 'anonymous'];
/** Methods by which it is let in with a name and a secret, in the order of preference. */
const TYPED = ['wampcra', 'ticket'];

/** What the router said no with; `uri` is empty where the connection was lost. */
export class WampFailure extends Error {
  constructor(uri, text) {
    super(text || uri);
    this.uri = uri;
  }
}

/** Which of the methods that the monitor takes can be used here. WAMP-CRA needs cryptography, which pages have by HTTPS and on localhost. */
export function usableMethods(methods) {
  const typed = TYPED.filter((method) => methods.includes(method) && (method !== 'wampcra' || crypto.subtle));
  return { silent: SILENT.filter((method) => methods.includes(method)), typed };
}

/** Joins a realm. `login` is undefined, or has `authid` and `secret`. `onLost` is called once when the session is over. */
export function join({ url, realm, methods, login, onLost }) {
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
      for (const call of calls.values()) call.reject(failure);
      calls.clear();
      if (isJoined) onLost(failure);
      else reject(failure);
    };

    const session = {
      call(procedure, kwargs = {}) {
        if (isOver) return Promise.reject(new WampFailure('', 'the connection was lost'));
        return new Promise((answer, refuse) => {
          calls.set(++lastId, { resolve: answer, reject: refuse });
          send(CALL, lastId, {}, procedure, [], kwargs);
        });
      },
      /** `forget`: the login that the cookie remembers is forgotten, too. */
      leave(forget) {
        if (isOver) return;
        send(GOODBYE, {}, forget ? 'wamp.close.logout' : 'wamp.close.close_realm');
      },
    };

    const on = {
      [WELCOME]: ([, details]) => {
        isJoined = true;
        resolve(Object.assign(session, { details }));
      },
      [ABORT]: ([details, reason]) => over(new WampFailure(reason, details.message)),
      [CHALLENGE]: async ([method, extra]) => {
        try {
          send(AUTHENTICATE, await signatureFor(method, extra, login), {});
        } catch {
          over(new WampFailure('', 'this browser cannot answer the challenge'));
        }
      },
      [GOODBYE]: ([details, reason]) => {
        if (socket.readyState === WebSocket.OPEN) send(GOODBYE, {}, 'wamp.close.goodbye_and_out');
        over(new WampFailure(reason, details.message));
      },
      [RESULT]: ([id, , args]) => settle(id, (call) => call.resolve(args?.[0])),
      [ERROR]: ([, id, , uri, args]) => settle(id, (call) => call.reject(new WampFailure(uri, args?.[0]))),
    };
    const settle = (id, how) => {
      const call = calls.get(id);
      calls.delete(id);
      if (call) how(call);
    };

    socket.onopen = () => {
      const authid = login === undefined ? {} : { authid: login.authid };
      const roles = { caller: { features: { caller_identification: false } } };
      send(HELLO, realm, { roles, authmethods: methods, ...authid });
    };
    socket.onmessage = ({ data }) => {
      const [type, ...fields] = JSON.parse(data);
      on[type]?.(fields);
    };
    socket.onclose = () => over(new WampFailure('', 'the connection was lost'));
  });
}

async function signatureFor(method, extra, login) {
  if (login === undefined) throw new Error('nothing was typed');
  if (method === 'ticket') return login.secret;
  const text = new TextEncoder();
  const secret = extra.salt === undefined ? text.encode(login.secret) : await derived(login.secret, extra);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign']);
  return base64(await crypto.subtle.sign('HMAC', key, text.encode(extra.challenge)));
}

/** The secret of a salted user: the derived key as Base64, which is what the other side keeps. */
async function derived(password, { salt, keylen = 32, iterations = 1000 }) {
  const text = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', text.encode(password), 'PBKDF2', false, ['deriveBits']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: text.encode(salt), iterations };
  return text.encode(base64(await crypto.subtle.deriveBits(how, key, keylen * 8)));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
