/** When a session, or the login that a cookie remembers, is outdated: for every word of the section `auth`. */
import { describe, expect, it } from 'vitest';
import { createAuthMethods } from '../../../src/auth/registry.js';
import type { AuthMethods, Principal } from '../../../src/auth/method.js';
import type { AuthConfig } from '../../../src/auth/schema.js';
import { faultOfLogin, faultOfPrincipal } from '../../../src/auth/standing.js';
import { AUTH_URIS } from '../../../src/auth/verdict.js';
import { silentLogger } from '../../../src/log/logger.js';
import { JOE_KEYS, SCRAM_JOE } from '../../support/auth-clients.js';
import { UNLIMITED } from '../../support/auth.js';
import { NOBODY_TO_ASK } from '../../support/client.js';
import { AUDIENCE, ISSUER, issuerSection, SECRET } from '../../support/tokens.js';

const methodsOf = (auth: object): Promise<AuthMethods> =>
  createAuthMethods(auth, UNLIMITED, {
    ...{ log: silentLogger(), clock: Date.now, uris: AUTH_URIS.crossbar },
    ...NOBODY_TO_ASK,
  });

const role = 'user';
const SHA1 = Array.from({ length: 20 }, () => 'AB').join(':');
const asked = { type: 'dynamic', authenticator: 'com.example.auth', 'authenticator-realm': 'realm1' };
const principals = (joe: object): object => ({ type: 'static', principals: { joe: { ...joe, role } } });
const tokens = (...issuers: object[]): object => ({
  issuers: issuers.map(issuerSection),
  expire: 'close',
  max_length: 8192,
});
const webSessions = (type: string): object => ({
  ...{ type: 'express', cookie: 'connect.sid', secrets: [SECRET], authid: 'user', role, extra: {}, close_ended: true },
  store: { ...asked, type, max_age: 30, timeout: 5 },
});
const oneTime = { from: ['challenge'], parameter: 'ticket', ttl: 30, max: 10, bind_origin: true, bind_cookie: true };

interface Way {
  /** The section that lets joe in. */
  readonly section: object;
  readonly provider: string;
  /** The same without joe. */
  readonly without?: object;
  /** The names in HELLO; by default the word of the section. */
  readonly names?: readonly string[];
}

/** The compiler demands that no method is missing. Those of proxies let nobody in; `cookie` has its own tests below. */
const WAYS: { readonly [W in Exclude<keyof AuthConfig, 'cookie' | `${string}-proxy`>]-?: Way } = {
  anonymous: { section: { type: 'static', role }, provider: 'static', without: { type: 'static', role: 'guest' } },
  ticket: {
    section: principals({ ticket: 'secret' }),
    provider: 'static',
    without: { type: 'static', principals: {} },
  },
  wampcra: {
    section: { type: 'static', users: { joe: { secret: 'secret', role } } },
    ...{ provider: 'static', without: { type: 'static', users: {} } },
  },
  scram: {
    section: principals(SCRAM_JOE),
    ...{ provider: 'static', without: { type: 'static', principals: {} }, names: ['wamp-scram', 'scram'] },
  },
  cryptosign: {
    section: principals({ authorized_keys: [JOE_KEYS.pubkey] }),
    ...{ provider: 'static', without: { type: 'static', principals: {} } },
  },
  tls: {
    section: principals({ 'certificate-sha1': SHA1 }),
    ...{ provider: 'static', without: { type: 'static', principals: {} } },
  },
  one_time: { section: oneTime, provider: 'one_time' },
  session: { section: webSessions('dynamic'), provider: 'dynamic' },
  jwt: {
    section: tokens({ secret: SECRET }),
    ...{
      provider: ISSUER,
      without: tokens({ issuer: 'https://other.example.com', audience: AUDIENCE, secret: SECRET }),
    },
  },
};

const ROWS = Object.entries(WAYS).flatMap(([word, way]: [string, Way]) =>
  (way.names ?? [word]).map((name) => ({ word, name, ...way })),
);
/** Sections whose clients an authenticator may be asked about instead. */
const ASKABLE = ROWS.filter(({ provider }) => provider === 'static');
/** Beside these, several methods share the name `ticket`. */
const BESIDE = { one_time: oneTime, jwt: tokens({ secret: SECRET }) };

const joeBy = (authmethod: string, authprovider: string): Principal => ({
  ...{ realm: 'realm1', authid: 'joe', authrole: role, authmethod, authprovider },
});
const faultOf = async (principal: Principal, auth: object) =>
  faultOfPrincipal(principal, await methodsOf(auth), undefined);
const others = (word: string): object =>
  Object.fromEntries(
    Object.entries({ ticket: principals({ ticket: 'other' }), ...BESIDE }).filter(([name]) => name !== word),
  );

describe.each(ROWS)('who came by $name', ({ word, name, section, provider, without }) => {
  const joe = joeBy(name, provider);

  it('is there as long as the section lets them in', async () => {
    expect(await faultOf(joe, { [word]: section })).toBeUndefined();
    expect(await faultOf(joe, { ...BESIDE, [word]: section })).toBeUndefined();
  });

  it('is outdated when the section is gone, whatever is there instead', async () => {
    expect(await faultOf(joe, others(word))).toBe('no such method');
    const rest = word === 'ticket' ? { tls: principals({}) } : { ticket: principals({ ticket: 'other' }) };
    expect(await faultOf(joe, rest)).toBe('no such method');
  });

  if (without !== undefined)
    it('is outdated when nobody in it is them', async () => {
      expect(await faultOf(joe, { [word]: without })).toBe('no such principal');
      expect(await faultOf(joe, { ...BESIDE, [word]: without })).toBe('no such principal');
    });
});

describe.each(ASKABLE)('where an authenticator is asked about $name', ({ word, name, section, without }) => {
  it('nobody of the config is left, also beside others that take tickets', async () => {
    const joe = joeBy(name, 'static');
    const marked = { ...joe, credential: 'abcd' };
    expect(await faultOf(joe, { [word]: asked })).toBe('no such principal');
    expect(await faultOf(marked, { ...BESIDE, [word]: asked })).toBe('no such principal');
  });

  it('it has decided, for as long as somebody is asked', async () => {
    for (const provider of ['dynamic', 'function']) {
      const joe = joeBy(name, provider);
      expect(await faultOf(joe, { [word]: asked })).toBeUndefined();
      expect(await faultOf(joe, { ...BESIDE, [word]: asked })).toBeUndefined();
      expect(await faultOf(joe, others(word))).toBe('no such method');
      expect(await faultOf(joe, { [word]: section })).toBeUndefined();
      expect(await faultOf(joe, { [word]: without })).toBe('no such principal');
    }
  });

  it('a cookie lets in whom an authenticator let in, and nobody whom the config had', async () => {
    const method = (await methodsOf({ [word]: asked })).get(name);
    const login = { authid: 'joe', authrole: role, authmethod: name, authrealm: 'realm1', authextra: null };
    expect(faultOfLogin(login, method)).toBeUndefined();
    expect(faultOfLogin({ ...login, credential: 'abcd' }, method)).toBe('no such principal');
  });
});

it('the sessions of a web application are those of one kind of store', async () => {
  const auth = { session: webSessions('dynamic') };
  expect(await faultOf(joeBy('session', 'redis'), auth)).toBe('no such principal');
});

it('one-time tickets are still called `ticket`, and their own name lets nobody in', async () => {
  const methods = await methodsOf({ one_time: oneTime });
  const request = { realm: 'realm1', authmethod: 'one_time', authid: 'joe', authextra: { ticket: 'x' } };
  const context = {
    sessionId: 1,
    client: { peer: '', address: '', liveCookie: undefined, headers: {}, tls: undefined },
  };
  expect(methods.get('one_time')?.start(request, { ...context, facts: () => ({}) })).toEqual({ type: 'pass' });
});

describe('who came by a cookie', () => {
  const alice = { ...joeBy('ticket', 'cookie'), credential: 'abcd' };

  it('is judged by the method of the login where cookies let nobody in any more', async () => {
    expect(await faultOf(alice, { tls: principals({}) })).toBe('no such method');
    expect(await faultOf(alice, { ticket: asked })).toBe('no such principal');
  });
});
