/** The web application: a login form, a logout, and sessions. It knows nothing of WAMP. */
import path from 'node:path';
import { createRequire } from 'node:module';
import express from 'express';
import session from 'express-session';
import { createStore, SESSION_SECONDS } from './store.js';
import { userOf } from './users.js';

const require = createRequire(import.meta.url);
const app = express();

app.use(express.static(path.join(import.meta.dirname, 'public')));
app.use(express.static(path.dirname(require.resolve('autobahn-browser/autobahn.min.js'))));
app.use(
  session({
    secret: process.env.SESSION_SECRET,
    store: await createStore(process.env.SESSION_STORE),
    resave: false,
    saveUninitialized: false, // those who only look have no session
    rolling: true, // each answer renews the cookie, as each request renews the session
    cookie: { maxAge: SESSION_SECONDS * 1000, sameSite: 'lax' }, // with TLS: secure: true
  }),
);

app.post('/login', fromOurPages, express.urlencoded(), async (request, response) => {
  const { name, password } = request.body ?? {};
  const user = await userOf(name, password);
  if (user === undefined) return response.redirect(303, '/?wrong');
  // Another session id, so that nobody can plant one before the login.
  await called((done) => request.session.regenerate(done));
  request.session.user = user;
  await called((done) => request.session.save(done));
  response.redirect(303, '/');
});

app.post('/logout', fromOurPages, async (request, response) => {
  await called((done) => request.session.destroy(done));
  response.clearCookie('connect.sid').sendStatus(204);
});

/** Who is logged in. The page asks it now and then: the node never renews a session, only requests do. */
app.get('/me', (request, response) => {
  response.set('Cache-Control', 'no-store').json(request.session.user ?? null);
});

/** No other page may log anybody in or out. */
function fromOurPages(request, response, next) {
  const site = request.get('Sec-Fetch-Site') ?? 'same-origin';
  if (site === 'same-origin') next();
  else response.sendStatus(403);
}

function called(run) {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())));
}

app.listen(3000, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log('open http://127.0.0.1:3000');
});
