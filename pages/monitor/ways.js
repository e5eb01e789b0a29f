/** The ways to log in that a page has, and which of them the browser can go here. */
import { asItIs, cryptosign, scram, wampcra } from './proofs.js';

/** Methods by which a browser is let in without typing anything. */
const SILENT = ['cookie', 'session', 'tls', 'anonymous'];

const WRONG_PASSWORD = 'Wrong user or password.';
const NO_CRYPTO =
  'This login needs cryptography, which browsers give to pages by HTTPS and from localhost only. Open the monitor by https://.';
const NO_ED25519 = 'This browser does not know Ed25519 keys. Take a newer browser, or another way to log in.';

/**
 * By the word of the config, in the order of preference: what is sent as it is comes last. `user`: whether a name is typed: `must`,
 * `may` or not at all. `wrong` is said when the node refuses, whether the name or the secret was wrong. `proof` makes what
 * `client.js` needs.
 */
const TYPED = {
  scram: {
    title: 'Password (SCRAM)',
    ...{ user: 'must', secret: 'Password', wrong: WRONG_PASSWORD, needsCrypto: true, proof: scram },
  },
  wampcra: {
    title: 'Password (WAMP-CRA)',
    ...{ user: 'must', secret: 'Password', wrong: WRONG_PASSWORD, needsCrypto: true, proof: wampcra },
  },
  cryptosign: {
    title: 'Private key (cryptosign)',
    ...{ user: 'may', secret: 'Private key', wrong: 'The node does not know this key, or the user is another one.' },
    ...{ needsCrypto: true, needsEd25519: true, proof: cryptosign },
  },
  ticket: {
    title: 'Password, sent as it is (ticket)',
    ...{ user: 'must', secret: 'Password', wrong: WRONG_PASSWORD, proof: asItIs('ticket') },
  },
  jwt: {
    title: 'Token (JWT)',
    ...{ secret: 'Token', wrong: 'The node does not accept this token.', proof: asItIs('jwt') },
  },
  one_time: {
    title: 'One-time ticket',
    ...{ secret: 'Ticket', wrong: 'The node does not accept this ticket.', proof: asItIs('ticket') },
  },
};

/**
 * `silent` are names for HELLO, `typed` the ways with a form; `problem` says why one cannot be gone here.
 *
 * @param methods the words of the config.
 */
export async function waysOf(methods) {
  const words = Object.keys(TYPED).filter((word) => methods.includes(word));
  const hasEd25519 = !words.includes('cryptosign') || (await knowsEd25519());
  const typed = words.map((word) => {
    const way = TYPED[word];
    const problem =
      way.needsCrypto && !crypto.subtle ? NO_CRYPTO : way.needsEd25519 && !hasEd25519 ? NO_ED25519 : undefined;
    // What is sent as it is can be read by others on the way, unless there is TLS.
    const isOpen = !way.needsCrypto && !isSecureContext;
    return { ...way, word, problem, isOpen };
  });
  return { silent: SILENT.filter((method) => methods.includes(method)), typed };
}

async function knowsEd25519() {
  try {
    await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    return true;
  } catch {
    return false;
  }
}
