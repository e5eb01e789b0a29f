/** Methods whose principals are not in the config: an authenticator tells what they have, and is not trusted to be right. */
import { describe, expect, it } from 'vitest';

import type { ClientInfo, Pass, Verdict } from '../../../../src/auth/method.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import { asChallenge, testAuth } from '../../../support/auth.js';
import { answerAbout, ASKABLE_CLIENTS, JIM_KEYS, JOE_KEYS, sectionOf } from '../../../support/auth-clients.js';
import type { AuthClient } from '../../../support/auth-clients.js';
import { recordingLog } from '../../../support/cookie-store.js';

type Dict = Readonly<Record<string, unknown>>;

class Refused extends Error {
  readonly error = 'com.app.error.unknown';
  readonly args = ['never heard of'];
}

/** The authenticator of an application that knows joe. */
function knowing(player: AuthClient, more: Dict = {}) {
  const answer = answerAbout(player);
  return (_realm: unknown, authid: unknown, details: unknown): unknown => {
    const { ticket } = details as Dict;
    if (authid !== 'joe') throw new Refused();
    if (ticket !== undefined && ticket !== answer['ticket']) throw new Refused();
    return { ...answer, ...more };
  };
}

type Answer = (realm: unknown, authid: unknown, details: unknown) => unknown;

/** Sets up a method with a function that is asked. */
function asking(player: AuthClient, answer: Answer, more: Dict = {}) {
  const { log, entries } = recordingLog();
  const config = { [sectionOf(player)]: { type: 'function', module: './users.js', name: 'authenticate', ...more } };
  const load = (): Promise<(...args: readonly unknown[]) => unknown> =>
    Promise.resolve((...[realm, authid, details]: readonly unknown[]) => answer(realm, authid, details));
  const login = async (authid: string, knows = true): Promise<Verdict | Pass> => {
    const auth = await testAuth(config, { log, load });
    const { authmethod, client } = player;
    const verdict = await auth.start({ authmethod, authid, ...player.hello(authid) }, client);
    if (verdict.type !== 'challenge') return verdict;
    const { signature, extra = {} } = player.answer(verdict, authid, knows);
    return verdict.resume(signature, extra);
  };
  return { login, entries };
}

const FAILED = { type: 'deny', reason: 'wamp.error.authentication_failed', message: 'the authenticator failed' };
const REFUSED = { type: 'deny', reason: 'com.app.error.unknown', message: 'never heard of' };

describe.each(ASKABLE_CLIENTS)('$name with an authenticator', (player) => {
  const { authmethod } = player;

  it('lets in who knows the secret that it tells, as whom it says', async () => {
    const { login } = asking(player, knowing(player, { realm: 'realm2', authid: 'joseph', extra: { plan: 'free' } }));
    expect(await login('joe')).toMatchObject({
      type: 'accept',
      principal: {
        realm: 'realm2',
        authid: 'joseph',
        authrole: 'user',
        authmethod,
        authprovider: 'function',
        authextra: { plan: 'free' },
      },
    });
  });

  it('calls somebody as he wants to be called where it says nothing else', async () => {
    const { login } = asking(player, knowing(player));
    expect(await login('joe')).toMatchObject({ principal: { realm: 'realm1', authid: 'joe' } });
  });

  it('refuses who does not know the secret', async () => {
    const { login } = asking(player, knowing(player));
    const own = { type: 'deny', reason: 'wamp.error.not_authorized' };
    expect(await login('joe', false)).toMatchObject(authmethod === 'ticket' ? REFUSED : own);
  });

  it('refuses whom it refuses, in its words', async () => {
    expect(await asking(player, knowing(player)).login('nobody')).toEqual(REFUSED);
  });

  it.each([
    undefined,
    null,
    7,
    true,
    [],
    {},
    [{ role: 'user' }],
    { role: 7 },
    { role: '' },
    { role: 'user', realm: 7 },
  ])('lets nobody in when the answer is %j, and says so', async (answer) => {
    const { login, entries } = asking(player, () => answer);
    expect(await login('joe')).toEqual(FAILED);
    expect(entries.some(({ level }) => level === 'warn')).toBe(true);
  });

  it('lets nobody in when it crashes', async () => {
    const { login } = asking(player, () => {
      throw new Error('the database is gone');
    });
    expect(await login('joe')).toEqual(FAILED);
  });

  const needed = Object.keys(answerAbout(player)).filter((key) => key !== 'role' && key !== 'ticket');
  const hurt = needed
    .flatMap((key) => [0, -1, 1.5, '', 'ü', [], {}, true].map((value) => ({ key, value })))
    // Any text will do for these.
    .filter(({ key, value }) => !(['secret', 'salt'].includes(key) && value === 'ü' && authmethod === 'wampcra'));
  for (const { key, value } of hurt) {
    it(`lets nobody in when "${key}" is ${JSON.stringify(value)}`, async () => {
      expect(await asking(player, knowing(player, { [key]: value })).login('joe')).toEqual(FAILED);
    });
  }

  it('gives the role of the config where it names none, and only there', async () => {
    const roleOf = async (more: Dict): Promise<unknown> => {
      const { login } = asking(player, knowing(player, more), { 'default-role': 'guest' });
      return login('joe');
    };
    expect(await roleOf({ role: null })).toMatchObject({ principal: { authrole: 'guest' } });
    expect(await roleOf({ role: 'admin' })).toMatchObject({ principal: { authrole: 'admin' } });
    expect(await roleOf({ role: '' })).toEqual(FAILED);
    expect(await asking(player, () => null, { 'default-role': 'guest' }).login('joe')).toEqual(FAILED);
  });

  it('needs more than a role, unless it has seen the secret itself', async () => {
    const verdict = await asking(player, () => 'user').login('joe');
    if (authmethod === 'ticket') expect(verdict).toMatchObject({ type: 'accept', principal: { authrole: 'user' } });
    else expect(verdict).toEqual(FAILED);
  });

  it('cannot know whether a login of earlier still holds', async () => {
    const config = { [sectionOf(player)]: { type: 'function', module: './users.js', name: 'authenticate' } };
    const load = (): Promise<() => string> => Promise.resolve(() => 'user');
    expect('knows' in (await testAuth(config, { load })).method(authmethod)).toBe(false);
  });
});

describe('a procedure', () => {
  it('is called on its realm, with what is known of the client', async () => {
    const calls: unknown[] = [];
    const section = {
      type: 'dynamic',
      authenticator: 'com.app.authenticate',
      'authenticator-realm': 'realm2',
      'authenticator-role': 'router',
    };
    const auth = await testAuth(
      { ticket: section },
      {
        call: (realm, role, procedure, args) => {
          calls.push([realm, role, procedure, args]);
          return Promise.resolve(payloadOf(['user']));
        },
      },
    );
    const challenge = asChallenge(await auth.start({ authmethod: 'ticket', authid: 'joe', authextra: { a: 1 } }));
    expect(calls).toEqual([]);
    expect(await challenge.resume('sesame', {})).toMatchObject({
      principal: { authid: 'joe', authprovider: 'dynamic' },
    });
    const details = expect.objectContaining({
      authmethod: 'ticket',
      authid: 'joe',
      authextra: { a: 1 },
      ticket: 'sesame',
    }) as unknown;
    expect(calls).toEqual([['realm2', 'router', 'com.app.authenticate', ['realm1', 'joe', details]]]);
  });
});

describe('cryptosign with an authenticator', () => {
  const player = ASKABLE_CLIENTS.find(({ name }) => name === 'cryptosign');
  if (player === undefined) throw new Error('there is no client of cryptosign');

  it('refuses somebody with another key than the one it tells', async () => {
    const { login } = asking(player, () => ({ role: 'user', pubkey: JIM_KEYS.pubkey }));
    expect(await login('joe')).toMatchObject({ type: 'deny', reason: 'wamp.error.not_authorized' });
  });

  it('calls somebody without a name by the key', async () => {
    const nameless: AuthClient = { ...player, hello: () => ({ ...player.hello('joe'), authid: undefined }) };
    const { login } = asking(nameless, (_realm, authid) => ({
      role: 'user',
      pubkey: JOE_KEYS.pubkey,
      extra: { authid },
    }));
    expect(await login('joe')).toMatchObject({ principal: { authid: JOE_KEYS.pubkey, authextra: { authid: null } } });
  });
});

describe('TLS with an authenticator', () => {
  const certificate = { sha1: 'AA:BB', sha256: 'CC:DD', commonName: 'joe' as string | undefined };
  const start = async (answer: Answer, client: Partial<ClientInfo>): Promise<Verdict | Pass> => {
    const load = (): Promise<(...args: readonly unknown[]) => unknown> =>
      Promise.resolve((...[realm, authid, details]: readonly unknown[]) => answer(realm, authid, details));
    const config = { tls: { type: 'function', module: './users.js', name: 'authenticate' } };
    return (await testAuth(config, { load })).start({ authmethod: 'tls', authid: 'admin' }, client);
  };
  const tls = (shown: typeof certificate | undefined) => ({
    tls: { certificate: shown, channelBinding: () => undefined },
  });

  it('shows it the certificate, and calls the client by it, never as it wants to be called', async () => {
    const answer: Answer = (_realm, _authid, details) => ({ role: 'user', extra: { details } });
    expect(await start(answer, tls(certificate))).toMatchObject({
      principal: {
        authid: 'joe',
        authrole: 'user',
        authextra: { details: { transport: { peer_cert: { sha1: 'AA:BB', sha256: 'CC:DD', cn: 'joe' } } } },
      },
    });
    const nameless = tls({ ...certificate, commonName: undefined });
    expect(await start(answer, nameless)).toMatchObject({ principal: { authid: 'CC:DD' } });
    expect(await start(() => ({ role: 'user', authid: 'ann' }), nameless)).toMatchObject({
      principal: { authid: 'ann' },
    });
  });

  it('is not asked about a client without one', async () => {
    const never = (): never => {
      throw new Error('asked');
    };
    expect(await start(never, tls(undefined))).toEqual({ type: 'pass' });
    expect(await start(never, {})).toEqual({ type: 'pass' });
  });
});
