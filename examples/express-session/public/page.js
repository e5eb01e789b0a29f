/** A page whose WAMP session has the user of the web application. */
const [who, login, say, logout, told, said] = ['who', 'login', 'say', 'logout', 'told', 'said'].map((id) =>
  document.getElementById(id),
);

const connection = new autobahn.Connection({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.hostname}:8080/`,
  realm: 'realm1',
  authmethods: ['session', 'anonymous'], // the session of the web application, or a visitor
  max_retries: -1, // tries for ever to come back
  max_retry_delay: 10,
});

connection.onopen = async (session, { authmethod, authid, authrole, authextra }) => {
  const isUser = authmethod === 'session';
  who.textContent = isUser ? `Logged in as ${authextra.name} (user ${authid}, role ${authrole})` : 'Not logged in';
  login.hidden = isUser;
  say.hidden = !isUser;
  await session.subscribe('com.example.said', ([text]) => {
    said.append(Object.assign(document.createElement('li'), { textContent: String(text) }));
  });
};

connection.onclose = (_why, { reason, message }) => {
  who.textContent = 'Not connected';
  told.textContent = reason ? `${reason}: ${message}` : '';
  // autobahn-js comes back after a lost connection, and never after a GOODBYE or an ABORT: the session of the web application
  // has ended, or its store does not answer.
  if (reason) setTimeout(() => connection.open(), reason.startsWith('wamp.error.') ? 5000 : 100);
  return false;
};

say.onsubmit = async (event) => {
  event.preventDefault();
  const text = new FormData(say).get('text');
  say.reset();
  try {
    await connection.session?.publish('com.example.said', [text], {}, { acknowledge: true, exclude_me: false });
  } catch ({ error, args }) {
    told.textContent = `${error}: ${args[0]}`;
  }
};

// The answer is not waited for: the router ends the session of this page, and of all others that share the login.
logout.onclick = () => fetch('/logout', { method: 'POST' });

// The router never renews the session of the web application: requests do. This one counts as long as the page is looked at.
setInterval(() => document.hidden || fetch('/me'), 60_000);

if (location.search === '?wrong') told.textContent = 'Wrong name or password';
connection.open();
