/** What OWASP ASVS 5.0 asks of logins, and the tests that show it. */

type Shown = readonly [file: string, title: string];

export interface Requirement {
  /** Numbers of the requirements, as ASVS 5.0 has them. */
  readonly id: string;
  readonly what: string;
  readonly tests: readonly Shown[];
}

const test =
  (file: string) =>
  (title: string): Shown => [`test/${file}.test.ts`, title];

const cookieHeader = test('unit/cookie/header');
const cookieLogin = test('integration/cookie-login');
const cookieNames = test('unit/config/cookies');
const cookieSecrets = test('integration/secrets');
const desk = test('unit/webservice/login/desk');
const example = test('browser/express-session');
const expressCookie = test('unit/auth/session/express-cookie');
const jwt = test('integration/jwt');
const keySet = test('unit/auth/jwt/key-set.slow');
const lease = test('unit/auth/jwt/lease');
const logoutToken = test('unit/webservice/login/providers/logout-token');
const loginConfig = test('unit/config/login');
const loginPosts = test('unit/webservice/login/login');
const loginService = test('integration/login-service');
const mapping = test('unit/auth/mapping/mapping');
const oauth2 = test('integration/login-oauth2');
const oneTime = test('unit/auth/one-time/one-time');
const oneTimeInNode = test('integration/one-time-ticket');
const oneTimePage = test('browser/one-time-ticket');
const origins = test('unit/webservice/login/origin-check');
const providerPage = test('browser/login-providers');
const providers = test('integration/login-providers');
const returnTo = test('unit/webservice/login/providers/return-to');
const tickets = test('unit/auth/one-time/tickets');
const tokens = test('unit/auth/jwt/tokens');
const transactions = test('unit/webservice/login/providers/transaction');
const watched = test('unit/auth/session/watched-sessions');
const webSession = test('integration/web-session');
const webSessionPage = test('browser/web-session');

export const REQUIREMENTS: readonly Requirement[] = [
  {
    id: '7.2.2, 7.2.3, 7.2.4',
    what: 'session tokens are random, a login makes a new one and ends the old one',
    tests: [
      tickets('says what it is, and has 256 random bits'),
      desk('is a new cookie, which the next handshake does not change'),
      desk('leaves nothing to whoever planted the cookie that the browser had: no login, no session, no grace'),
      desk('ends every cookie that the request presents'),
      loginService('leaves whoever planted the cookie anonymous, and ends their session'),
      providerPage('leaves a planted cookie anonymous, and ends its sessions'),
      example('has the user of the web application in the realm, until the web application logs him out'),
    ],
  },
  {
    id: '7.3.1, 7.3.2, 7.6.1',
    what: 'logins end when they are idle, and when they are old',
    tests: [
      watched('end a session when it expires, and not earlier'),
      watched('go on with one that was prolonged, until its new end'),
      webSession('ends in the realm when its time is over, though Redis has many other keys to look after'),
      lease('ends the session when the token expires, and the leeway is over'),
      lease('waits longer than a timer can, which is 24.8 days'),
      jwt('ends when the token expires, within a second'),
      desk('has an end of its own, where its source has one'),
      cookieLogin('ends its sessions where the config says so'),
    ],
  },
  {
    id: '7.4.1',
    what: 'a logout ends the login everywhere',
    tests: [
      webSession('ends with POST %s'),
      webSession('ends when it becomes another one: %s'),
      webSession('ends for all when Redis is emptied'),
      webSession('goes on while Redis is gone, and when it is back with the session; not when it comes back empty'),
      webSession('is read from the files of session-file-store, and ends with them'),
      webSessionPage('has the login of the application after a reload, and loses it with the logout there'),
      loginService('ends with a logout: all tabs are told, and the cookie is nobody’s, also after a restart'),
      providerPage('at the provider ends the session of the page'),
      cookieLogin('holds after a %s'),
    ],
  },
  {
    id: '7.4.2, 7.4.5',
    what: 'users who are gone are logged out, and the operator can end a login',
    tests: [
      cookieLogin('ends when the ticket is changed in the config, and no other does'),
      cookieLogin('may be done to somebody: by kill, by revoking the cookie, or all of a user'),
      loginService('is logged out with the next start, and the others are not'),
      providerPage('lets nobody in, and what it let in is anonymous'),
      providers('counts as long as the provider would make it'),
      lease('prolongs nothing by the rules of a config that is replaced'),
    ],
  },
  {
    id: '3.3.1, 3.3.2, 3.3.3, 3.3.4',
    what: 'cookies are bound to the host, and no script sees them',
    tests: [
      cookieHeader('secure behind a proxy'),
      cookieHeader('over TLS'),
      cookieNames('may be had with what it promises'),
      desk('ends all sessions, forgets the cookie, and takes it from the browser'),
      transactions('come back from another site, to the provider only, for ten minutes, and no script sees them'),
      cookieSecrets('lets browsers in by their cookies, and forgets them'),
      cookieSecrets('has none of the secrets in any form'),
    ],
  },
  {
    id: '3.5.1, 3.5.2, 3.5.3, 3.7.2, 7.6.2',
    what: 'no other page logs anybody in or out, or leads elsewhere',
    tests: [
      origins('from %s'),
      loginPosts('neither log in nor out, and the operator learns of it'),
      loginPosts('takes no %j'),
      loginPosts('go through the same checks'),
      webSessionPage('is the only one that can use it: those of other sites cannot connect'),
      returnTo('%j: leads elsewhere, so it is the page of the config'),
      returnTo('%j: stays on the site, with one slash in front'),
      loginConfig('does not lead to %j'),
      providerPage('does not happen in an image or a frame, of this site or another one'),
    ],
  },
  {
    id: '4.4.2, 4.4.3, 4.4.4',
    what: 'WebSockets check the origin, and their tickets are bound to a login and used once',
    tests: [
      cookieLogin('does not get in, and gets no cookie: %s'),
      loginPosts('are for those who have logged in here, bound to their page and their cookie'),
      oneTime('lets its holder in once, as whom it says, and no cookie remembers that'),
      oneTime('is refused in the same words whatever is wrong with it, and gone'),
      oneTimeInNode('let exactly one of 50 clients in that come at once, on two transports'),
      oneTimeInNode('are for the pages of their origin, and gone when another one has tried'),
      oneTimePage('of another origin cannot use the ticket of this one, nor can this one afterwards'),
    ],
  },
  {
    id: '6.8.1, 10.3.3, 10.5.2',
    what: 'a user is the issuer and its subject, and nothing that changes',
    tests: [
      providers('at two providers with one sub is the login of two users'),
      providers('with an empty name is of nobody'),
      oauth2('has the number of the account for its authid'),
      oauth2('is of the same user when the account has another name, and of another one who took the name'),
      tokens('with one `sub` are two users'),
      mapping('is not a number that was rounded: others would have the same'),
      mapping('is never what stands there: %j'),
    ],
  },
  {
    id: '6.8.2, 9.1.1, 9.1.2, 9.1.3',
    what: 'signatures are checked, by algorithms and keys of the config',
    tests: [
      tokens('%s does not count'),
      tokens('by HS256 does not count with a key set, also where the list has it'),
      tokens('with a key of one name: the keys of the other one never count'),
      providers('signed by a stranger is refused'),
      providers('with the algorithm %s is refused'),
      expressCookie('is none: %s'),
    ],
  },
  {
    id: '9.2.1, 9.2.2, 9.2.3, 10.3.1, 10.5.4',
    what: 'tokens count in their time, for their purpose and for their audience',
    tests: [
      tokens('%s: does not count'),
      tokens('of a type count where the config asks for it'),
      tokens('counts no longer than `max_age` after it was issued, whatever its `exp` says'),
      providers('%s is refused'),
      jwt('is refused with a token of somebody else, an expired one, and another name'),
    ],
  },
  {
    id: '10.1.2, 10.2.1, 10.5.1',
    what: 'a login at a provider is bound to the browser and the transaction that began it',
    tests: [
      providers('with the state of somebody else, of another browser, or none'),
      providers('with a transaction that somebody changed'),
      providers('too late'),
      providers('a second time with the transaction still there: the code is spent'),
      providerPage('of another browser is of no use (login CSRF)'),
      oauth2('is bound to the browser by PKCE and state: the code of somebody else is of no use'),
      transactions('does not open when a character was changed, or is missing'),
      transactions('is worth nothing after ten minutes'),
    ],
  },
  {
    id: '10.2.2, 10.5.3',
    what: 'no provider is taken for another one',
    tests: [
      providers('a mix-up of providers'),
      providers('at another provider'),
      oauth2('takes an issuer that it cannot compare, and refuses one that is another'),
      transactions(
        'does not open under another state, at another provider, with other secrets, or for another process',
      ),
    ],
  },
  {
    id: '10.5.5',
    what: 'a logout by the back channel is one of the provider, and meant so',
    tests: [
      logoutToken('%s is refused'),
      logoutToken('of a stranger, unsigned, cut or changed is refused'),
      logoutToken('is taken once'),
      providers('with %s is refused, and nothing ends'),
      providers('ends the login of that session, and no other'),
      providers('is taken once'),
    ],
  },
  {
    id: '10.1.1, 16',
    what: 'tokens and secrets stay where they belong',
    tests: [
      webSession('shows its id to nobody'),
      jwt('leaves no token in the log'),
      jwt('shows the issuer to others, and neither the token nor its end'),
      oneTimeInNode('stands in a log line, a handshake, WELCOME or ABORT'),
      oneTimePage('has no ticket at level trace'),
      tickets('is not kept as it is'),
      providers('keeps who vouched, and no token'),
      providers('see no secret in what is answered'),
      providerPage('is not in the log or the store'),
      cookieSecrets('has none of the secrets in any form'),
    ],
  },
  {
    id: 'availability',
    what: 'what others do, or fail to do, harms no others',
    tests: [
      webSession('lets nobody in unchecked where Redis is not there, and says once why'),
      webSession('goes on while Redis hangs, nobody new is let in, and what was missed is made up for'),
      keySet('go on when the issuer is down, however long'),
      keySet('costs one fetch for each cooldown, whether it succeeds or not'),
      jwt('starts, has clients come back, and lets them in when the issuer is up again'),
      providers('%s: a page says so, and it works when the provider does'),
      providers('who begin 10,000 logins leave nothing behind'),
      tickets('are bounded in bytes, too'),
    ],
  },
];
