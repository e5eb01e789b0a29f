/**
 * The form of the page `monitor` in Chromium: each way to log in, what is said to those who are refused, and what is said where the
 * browser cannot go a way.
 */
import { createHmac } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deriveKey, JIM_KEYS, JOE_KEYS, scramKeys } from '../support/auth-clients.js';
import { launchBrowser, picture } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
import { issuerSection, SECRET, signedByHand } from '../support/tokens.js';

const PASSWORD = 'the secret of joe, x²';
const SALT = '5b6d99689d12358eeca04b14123006fa';
const role = 'operator';
const salted = { salt: 'salt123', iterations: 100, keylen: 16 };
/** Passwords are prepared as names are: SASLprep makes a two of the small one. */
const keys = scramKeys(PASSWORD.normalize('NFKC'), SALT, 100);
const kept = {
  ...{ iterations: 100, salt: SALT, role },
  ...{ 'stored-key': keys.storedKey.toString('hex'), 'server-key': keys.serverKey.toString('hex') },
};
const sections = {
  scram: {
    type: 'static',
    principals: { 'joe, = him': { kdf: 'pbkdf2', ...kept } },
  },
  wampcra: { type: 'static', users: { joe: { secret: deriveKey(PASSWORD, salted), ...salted, role } } },
  cryptosign: { type: 'static', principals: { joe: { authorized_keys: [JOE_KEYS.pubkey], role } } },
  ticket: { type: 'static', principals: { joe: { ticket: PASSWORD, role } } },
  jwt: { issuers: [issuerSection({ secret: SECRET, role })], expire: 'close', max_length: 8192 },
} as const;

const monitor = (auth: object): object => ({ type: 'monitor', realm: 'operators', auth });
const LOOKING = { uri: 'crossbar.monitor.', match: 'prefix', allow: { call: true } };
const CONFIG = nodeConfig({
  realms: [openRealm('realm1'), { name: 'operators', roles: [{ name: role, permissions: [...ALLOW_ALL, LOOKING] }] }],
  transport: { cookie: {} },
  paths: {
    every: { ...monitor(sections), options: { max_auth_failures: 0, max_auth_failures_per_address: 0 } },
    argon2: monitor({ scram: { type: 'static', principals: { ari: { kdf: 'argon2id13', memory: 64, ...kept } } } }),
    specified: { ...monitor({ scram: sections.scram }), options: { auth_error_uris: 'wamp' } },
    key: { ...monitor({ cryptosign: sections.cryptosign }), options: { max_auth_failures: 0 } },
    plain: monitor({ ticket: sections.ticket }),
    login: { type: 'login', realm: 'operators', auth: { ticket: sections.ticket } },
  },
});

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  context = await browser.newContext();
  daemon = await startDaemon({ config: CONFIG });
});
afterAll(async () => {
  await browser.close();
  await daemon.dispose();
});
beforeEach(async () => {
  page = await context.newPage();
});
afterEach(async () => {
  await page.unrouteAll({ behavior: 'wait' });
  await page.close();
});

const PEM = JOE_KEYS.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const token = (secret: string): string => signedByHand(secret, Date.now());
const PASSWORD_REFUSED = 'Wrong user or password. A user may need another way to log in.';

interface Typed {
  readonly way?: string;
  readonly user?: string;
  readonly secret: string;
}

async function typed({ way, user, secret }: Typed): Promise<void> {
  if (way !== undefined) await page.selectOption('select[name=way]', way);
  if (user !== undefined) await page.fill('input[name=authid]', user);
  await page.fill('input[name=secret]', secret);
  // On a busy machine a click of the mouse had no effect now and then, and nobody was told why.
  await page.press('input[name=secret]', 'Enter');
}

async function problemOf(login: Typed): Promise<string | null> {
  await typed(login);
  const problem = await page.waitForSelector('.problem');
  return problem.textContent();
}

describe.each([
  { way: 'scram', user: 'joe, = him', secret: PASSWORD, wrong: 'no', stranger: 'eve', said: PASSWORD_REFUSED },
  { way: 'wampcra', user: 'joe', secret: PASSWORD, wrong: 'no', stranger: 'eve', said: PASSWORD_REFUSED },
  { way: 'ticket', user: 'joe', secret: PASSWORD, wrong: 'no', stranger: 'eve', said: PASSWORD_REFUSED },
  {
    ...{ way: 'cryptosign', user: 'joe', secret: JOE_KEYS.seed, wrong: JIM_KEYS.seed, stranger: 'eve' },
    said: 'The node does not know this key, or the user is another one. A user may need another way to log in.',
  },
])('by $way', ({ way, user, secret, wrong, stranger, said }) => {
  it('who knows the secret gets in, and comes back the same way', async () => {
    await page.goto(daemon.url('/every'));
    await typed({ way, user, secret });
    expect(await page.textContent('.who .soft')).toBe(user);
    await page.reload();
    expect(await page.inputValue('select[name=way]')).toBe(way);
  });

  it('who does not gets to know no more than that', async () => {
    await page.goto(daemon.url('/every'));
    expect(await problemOf({ way, user, secret: wrong })).toBe(said);
    // Typing goes on where it was wrong.
    await page.waitForSelector('input[name=secret]:focus');
    await page.reload();
    expect(await problemOf({ way, user: stranger, secret })).toBe(said);
    expect(await page.locator('.tiles').count()).toBe(0);
  });
});

describe('by SCRAM', () => {
  it('a password that is kept by Argon2 is refused in a sentence', async () => {
    await page.goto(daemon.url('/argon2'));
    expect(await problemOf({ user: 'ari', secret: PASSWORD })).toMatch(/^The node asks for Argon2, which browsers/);
  });

  it('a node that does not know the password itself is not trusted', async () => {
    await page.routeWebSocket(/\/every\/ws/, (socket) => {
      socket.onMessage((message) => {
        const [type, , details] = JSON.parse(String(message)) as [number, string, { authextra: { nonce: string } }];
        const extra = { kdf: 'pbkdf2', salt: 'c2FsdA==', iterations: 100 };
        if (type === 1)
          socket.send(JSON.stringify([4, 'wamp-scram', { ...extra, nonce: `${details.authextra.nonce}x` }]));
        if (type === 5) socket.send(JSON.stringify([2, 1, { authid: 'joe', authextra: { verifier: 'guessed' } }]));
      });
    });
    await page.goto(daemon.url('/every'));
    expect(await problemOf({ way: 'scram', user: 'joe', secret: PASSWORD })).toMatch(
      /^The node does not know the password/,
    );
  });

  it('the words of the specification are understood, too', async () => {
    await page.goto(daemon.url('/specified'));
    // One way needs no choice.
    expect(await page.locator('select').count()).toBe(0);
    expect(await problemOf({ user: 'joe, = him', secret: 'no' })).toBe('Wrong user or password.');
  });
});

describe('by a key', () => {
  it.each([
    ['alone', JOE_KEYS.seed.toUpperCase()],
    ['in PEM, of which a field makes one line', PEM],
    ['in a key file of Crossbar.io', `public-key-ed25519: ${JIM_KEYS.pubkey} private-key-ed25519: ${JOE_KEYS.seed}`],
  ])('no name is needed: %s', async (_what, secret) => {
    await page.goto(daemon.url('/key'));
    await typed({ secret });
    expect(await page.textContent('.who .soft')).toBe('joe');
  });

  it.each(['1234', `-----BEGIN PRIVATE KEY-----${Buffer.from('no key').toString('base64')}-----END PRIVATE KEY-----`])(
    'what is none is not sent: %s',
    async (secret) => {
      await page.goto(daemon.url('/key'));
      expect(await problemOf({ secret })).toMatch(/^This is no private key\. It has 64 hex digits/);
    },
  );

  it('a browser that knows no Ed25519 is told so, and can go another way', async () => {
    await page.addInitScript(`SubtleCrypto.prototype.generateKey = () =>
      Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));`);
    await page.goto(daemon.url('/every'));
    await page.selectOption('select[name=way]', 'cryptosign');
    expect(await page.textContent('.note')).toMatch(/^This browser does not know Ed25519 keys\./);
    expect(await page.locator('input, button').count()).toBe(0);
    await typed({ way: 'ticket', user: 'joe', secret: PASSWORD });
    await page.waitForSelector('.tiles');
  });
});

describe('by a token', () => {
  it('its user gets in, and nobody else does', async () => {
    await page.goto(daemon.url('/every'));
    const said = await problemOf({ way: 'jwt', secret: token(createHmac('sha256', SECRET).digest('hex')) });
    expect(said).toMatch(/^The node does not accept this token\./);
    await page.fill('input[name=secret]', token(SECRET));
    await page.dispatchEvent('button.main', 'click');
    await page.waitForSelector('.tiles');
  });
});

describe('a page by plain HTTP of another host', () => {
  /** The node by another name. Nothing but HTTP gets there. */
  const openedElsewhere = async (path: string): Promise<void> => {
    await page.route('http://monitor.example/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: daemon.url(pathname) }) });
    });
    await page.goto(`http://monitor.example${path}/`);
  };

  it('says where its cryptography is', async () => {
    await openedElsewhere('/key');
    await page.waitForSelector('.note');
    await picture(page, 'login-no-cryptography');
    expect(await page.textContent('.note')).toMatch(
      /cryptography, which browsers give to pages by HTTPS and from localhost only\./,
    );
    expect(await page.locator('input, button').count()).toBe(0);
  });

  it('takes a way without, and warns of it', async () => {
    await openedElsewhere('/every');
    expect(await page.inputValue('select[name=way]')).toBe('ticket');
    await page.waitForSelector('.note');
    await picture(page, 'login-open');
    expect(await page.textContent('.note')).toBe('There is no TLS: others on the way can read the password.');
  });
});

describe('the form', () => {
  it('does not carry what was typed for one way over to another', async () => {
    await page.goto(daemon.url('/every'));
    await page.selectOption('select[name=way]', 'scram');
    await page.fill('input[name=authid]', 'joe');
    await page.fill('input[name=secret]', PASSWORD);
    await page.selectOption('select[name=way]', 'ticket');
    expect(await page.inputValue('input[name=authid]')).toBe('joe');
    expect(await page.inputValue('input[name=secret]')).toBe('');
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('fits on %i pixels (%s)', async (width, colorScheme) => {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme });
    await page.goto(daemon.url('/every'));
    await problemOf({ way: 'wampcra', user: 'joe', secret: 'no' });
    await page.waitForSelector('input[name=secret]:focus');
    await picture(page, `${width}-${colorScheme}-login`);
    await page.selectOption('select[name=way]', 'cryptosign');
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await page.locator('.problem').count()).toBe(0);
    await picture(page, `${width}-${colorScheme}-login-key`);
  });

  it('can be used without a mouse', async () => {
    await page.goto(daemon.url('/plain'));
    await page.waitForSelector('input[name=authid]:focus');
    await page.keyboard.type('joe');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.tiles');
  });

  it('says what else the node refuses for', async () => {
    const message = 'too many failed authentications; please try again in a minute';
    await page.routeWebSocket(/\/plain\/ws/, (socket) => {
      socket.onMessage(() => socket.send(JSON.stringify([3, { message }, 'wamp.error.not_authorized'])));
    });
    await page.goto(daemon.url('/plain'));
    expect(await problemOf({ user: 'joe', secret: PASSWORD })).toBe(`The node refused: ${message}`);
  });

  it('asks to come again when the node cannot decide', async () => {
    await page.routeWebSocket(/\/plain\/ws/, (socket) => {
      socket.onMessage(() => socket.close({ code: 1013, reason: 'no authenticator' }));
    });
    await page.goto(daemon.url('/plain'));
    const said = await problemOf({ user: 'joe', secret: PASSWORD });
    expect(said).toBe('The node asks to come again later: no authenticator.');
  });
});

describe('a login by HTTP that is refused', () => {
  it('is in the list of the monitor', async () => {
    await page.goto(daemon.url('/plain'));
    const body = JSON.stringify({ authid: 'mallory', ticket: 'a guess' });
    const status = await page.evaluate<number>(`(async () => {
      const headers = { 'Content-Type': 'application/json' };
      return (await fetch('/login', { method: 'POST', headers, body: ${JSON.stringify(body)} })).status;
    })()`);
    expect(status).toBe(401);
    await typed({ user: 'joe', secret: PASSWORD });
    await page.click('nav >> text=Refused logins');
    const row = page.locator('tbody tr', { hasText: 'mallory' });
    await row.waitFor();
    expect(await row.innerText()).toMatch(
      /operators[\s\S]*127\.0\.0\.1[\s\S]*ticket[\s\S]*wamp\.error\.not_authorized/,
    );
    expect(await page.textContent('table')).not.toContain('a guess');
  });
});
