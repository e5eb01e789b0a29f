// Logging in: one short connection that answers WAMP-CRA's challenge. The node attaches the login to this browser's
// cookie before it says WELCOME; from then on the cookie is enough, and nobody here needs the password any more. It is
// never sent: what goes over the wire is a signature of the challenge, made with a key that is derived from it.

/** Resolves when the browser is logged in; rejects with an Error whose message can be shown. */
export function logIn({ autobahn, url, realm, name, password }) {
  const connection = new autobahn.Connection({
    url,
    realm,
    authid: name,
    authmethods: ['wampcra'],
    max_retries: 0,
    retry_if_unreachable: false,
    onchallenge: (_session, _method, extra) => signatureOf(autobahn.auth_cra, password, extra),
  });
  return new Promise((resolve, reject) => {
    let isIn = false;
    connection.onopen = () => {
      isIn = true;
      connection.close();
    };
    connection.onclose = (_reason, details) => {
      if (isIn) resolve();
      else reject(new Error(problemOf(details)));
      return true; // no more attempts
    };
    connection.open();
  });
}

function signatureOf(cra, password, { challenge, salt, iterations, keylen }) {
  return cra.sign(salt ? cra.derive_key(password, salt, iterations, keylen) : password, challenge);
}

function problemOf({ reason, message }) {
  if (!reason) return 'The node cannot be reached. Please try again in a moment.';
  // What the node says to a wrong name is what it says to a wrong password.
  if (reason === 'wamp.error.not_authorized' && !message?.includes('too many')) return 'Wrong name or password.';
  return `The node refused: ${message || reason}`;
}
