/** What every authentication method that asks for a secret promises. A new one passes these suites, see `test/unit/auth/contract*.test.ts`. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Challenge, Pass, Verdict } from '../../src/auth/method.js';
import { asChallenge, testAuth } from '../support/auth.js';
import type { TestAuth } from '../support/auth.js';
import type { AuthClient } from '../support/auth-clients.js';
import { recordingLog } from '../support/cookie-store.js';

/** Every secret of an `auth` section backwards. */
function withOtherSecrets(config: object): object {
  return JSON.parse(JSON.stringify(config), (key, value: unknown) => {
    if (key === 'authorized_keys') return (value as readonly string[]).map(backwards);
    return SECRET_KEYS.has(key) && typeof value === 'string' ? backwards(value) : value;
  }) as object;
}

function backwards(text: string): string {
  return Array.from(text).reverse().join('');
}

const SECRET_KEYS = new Set(['ticket', 'secret', 'stored-key']);

/** The method that a client plays, set up before the tests of this block, what is said to it, and what it told the log. */
function played(player: AuthClient) {
  const { authmethod, config, client, secrets } = player;
  const { log, entries } = recordingLog();
  let auth: TestAuth;
  beforeAll(async () => {
    auth = await testAuth(config, { log, clock: Date.now });
  });
  const start = (authid: string, other = auth): Promise<Verdict | Pass> =>
    other.start({ authmethod, authid, ...player.hello(authid) }, client);
  const challengeFor = async (authid: string): Promise<Challenge> => asChallenge(await start(authid));
  const secretsTold = (): string[] => {
    const text = JSON.stringify(entries);
    expect(secrets.length).toBeGreaterThan(0);
    return secrets.filter((secret) => text.includes(secret));
  };
  return { auth: () => auth, start, challengeFor, entries, secretsTold };
}

async function resume(challenge: Challenge, signature: string, extra: object = {}): Promise<Verdict> {
  return challenge.resume(signature, extra as Readonly<Record<string, unknown>>);
}

export function authMethodContract(player: AuthClient): void {
  const { name, authmethod, config, replayable = false, vouchedBy } = player;

  describe(`authentication method ${name}`, () => {
    const { auth, start, challengeFor, entries, secretsTold } = played(player);

    const joe = {
      ...{ authid: 'joe', authrole: 'user', authmethod, authrealm: 'realm1', authextra: null },
      ...(vouchedBy !== undefined && { source: { issuer: vouchedBy, subject: 'joe' } }),
    };

    const login = async (authid: string, knows: boolean, other = auth()): Promise<Verdict> => {
      const challenge = asChallenge(await start(authid, other));
      const { signature, extra } = player.answer(challenge, authid, knows);
      return resume(challenge, signature, extra);
    };

    it('lets in who knows the secret, as whom the config says', async () => {
      expect(await login('joe', true)).toMatchObject({
        type: 'accept',
        principal: {
          realm: 'realm1',
          authid: 'joe',
          authrole: 'user',
          authmethod,
          authprovider: vouchedBy ?? 'static',
        },
      });
    });

    it('refuses a wrong secret and an unknown authid in the same words', async () => {
      const wrong = await login('joe', false);
      expect(wrong).toMatchObject({ type: 'deny', reason: 'wamp.error.not_authorized' });
      expect(await login('nobody', true)).toEqual(wrong);
      expect(await login('nobody', false)).toEqual(wrong);
    });

    it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])('knows no %j', async (authid) => {
      expect(await login(authid, true)).toEqual(await login('joe', false));
    });

    it('calls it as the specification does where that is asked for', async () => {
      const other = await testAuth(config, { options: { auth_error_uris: 'wamp' }, clock: Date.now });
      expect(await login('joe', false, other)).toMatchObject({ reason: 'wamp.error.authentication_denied' });
    });

    it('challenges an unknown authid like a known one', async () => {
      const shape = ({ extra }: Challenge): unknown =>
        Object.entries(extra).map(([key, value]) => [key, typeof value, String(value).length]);
      // An authid of the same length, because a challenge may hold it.
      const unknown = await challengeFor('jim');
      expect(shape(unknown)).toEqual(shape(await challengeFor('joe')));
      const { salt } = unknown.extra;
      expect((await challengeFor('jim')).extra['salt']).toEqual(salt);
      if (salt !== undefined) expect((await challengeFor('bob')).extra['salt']).not.toEqual(salt);
    });

    it('looks at the answer to a challenge once', async () => {
      const challenge = await challengeFor('joe');
      const { signature, extra } = player.answer(challenge, 'joe', true);
      expect((await resume(challenge, 'wrong', extra)).type).toBe('deny');
      expect((await resume(challenge, signature, extra)).type).toBe('deny');
    });

    if (!replayable)
      it('takes no answer that belongs to another challenge', async () => {
        const first = await challengeFor('joe');
        const { signature, extra } = player.answer(first, 'joe', true);
        expect((await resume(first, signature, extra)).type).toBe('accept');
        expect((await resume(await challengeFor('joe'), signature, extra)).type).toBe('deny');
      });

    it('knows whether a login of earlier would still be one', () => {
      const method = auth().method(authmethod);
      // Of a version that did not note the credential.
      expect(method.faultOf?.(joe)).toBeUndefined();
      expect(method.faultOf?.({ ...joe, authrole: 'admin' })).toBe('no such principal');
      if (vouchedBy !== undefined) {
        expect(method.faultOf?.({ ...joe, source: { issuer: 'https://gone.example.com' } })).toBe('no such principal');
        return;
      }
      expect(method.faultOf?.({ ...joe, authid: 'nobody' })).toBe('no such principal');
      expect(method.faultOf?.({ ...joe, authid: 'constructor' })).toBe('no such principal');
    });

    it('knows that a login was made with a secret that has been changed since', async () => {
      const verdict = await login('joe', true);
      if (verdict.type !== 'accept') throw new Error('joe is not let in');
      const { credential } = verdict.principal;
      // Too short to tell a right guess of the secret from others.
      expect(credential).toMatch(/^[0-9a-f]{4}$/);
      const remembered = { ...joe, ...(credential !== undefined && { credential }) };
      expect(auth().method(authmethod).faultOf?.(remembered)).toBeUndefined();
      const later = await testAuth(withOtherSecrets(config));
      expect(later.method(authmethod).faultOf?.(remembered)).toBe('another credential');
      expect(later.method(authmethod).faultOf?.(joe)).toBeUndefined();
    });

    it('has told the log of every failure, and none of the secrets', () => {
      expect(entries.filter(({ msg }) => msg === 'authentication failed').length).toBeGreaterThan(10);
      expect(secretsTold()).toEqual([]);
    });
  });
}

/** What a method promises of clients that say anything at all; apart, because it takes long to make so much up. */
export function authMethodHoldsOut(player: AuthClient): void {
  const { name, authmethod, client, replayable = false } = player;

  describe(`authentication method ${name}`, () => {
    const { auth, challengeFor, secretsTold } = played(player);
    afterEach(() => expect(secretsTold()).toEqual([]));

    it('never fails, whatever a client says in HELLO', async () => {
      const values = fc.dictionary(
        fc.constantFrom('nonce', 'pubkey', 'channel_binding', 'challenge', '__proto__'),
        fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()), fc.base64String()),
      );
      const hellos = fc.record({
        realm: fc.string(),
        authid: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        authextra: fc.option(values, { nil: undefined }),
      });
      await fc.assert(
        fc.asyncProperty(hellos, fc.string({ unit: 'binary' }), async (hello, signature) => {
          const verdict = await auth().start({ authmethod, ...hello }, client);
          expect(verdict.type).not.toBe('accept');
          if (verdict.type === 'challenge') expect((await resume(verdict, signature)).type).toBe('deny');
        }),
        { numRuns: 200 },
      );
    });

    it('never fails, whatever a client answers', async () => {
      const { signature: right, extra: rightExtra = {} } = player.answer(await challengeFor('joe'), 'joe', true);
      const junk = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.base64String(),
        fc.constant(right),
        fc.constant(`${right}a`),
      );
      const extras = fc.oneof(
        fc.constant(rightExtra),
        fc.dictionary(
          fc.constantFrom(...Object.keys(rightExtra), 'nonce', 'channel_binding', 'cbind_data'),
          fc.anything(),
        ),
      );
      await fc.assert(
        fc.asyncProperty(junk, extras, async (signature, extra) => {
          fc.pre(!(replayable && signature === right));
          expect((await resume(await challengeFor('joe'), signature, extra)).type).toBe('deny');
        }),
        { numRuns: 200 },
      );
    });
  });
}
