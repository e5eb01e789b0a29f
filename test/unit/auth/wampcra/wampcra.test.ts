import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { signatureOf } from '../../../../src/auth/wampcra/wampcra.js';
import { deriveKey } from '../../../support/auth-clients.js';
import { asChallenge, NOW, SESSION_ID, testAuth } from '../../../support/auth.js';

interface Vector {
  readonly name: string;
  readonly challenge: string;
  readonly secret: string;
  readonly derived_key_base64?: string;
  readonly signature: string;
}
const file = path.resolve(import.meta.dirname, '../../../fixtures/wamp/own-vectors/auth.json');
const { wampcra: vectors } = JSON.parse(readFileSync(file, 'utf8')) as { wampcra: readonly Vector[] };

const config = {
  wampcra: {
    type: 'static',
    users: {
      joe: { secret: 'secret2', role: 'user' },
      ann: { secret: 'c2VjcmV0', role: 'admin', salt: 'salt123', iterations: 100, keylen: 6 },
      pat: { secret: 'c2VjcmV0', role: 'admin', salt: 'salt124' },
    },
  },
};

describe('the signature of WAMP-CRA', () => {
  // With a salt the key is the Base64 text of what PBKDF2 gives.
  it.each(vectors)('of a known challenge: $name, $secret', ({ challenge, secret, derived_key_base64, signature }) => {
    expect(signatureOf(challenge, derived_key_base64 ?? secret)).toBe(signature);
  });
});

describe('a secret beside a salt', () => {
  const salted = { role: 'user', salt: 'salt123', iterations: 100, keylen: 16 };
  const key = deriveKey('password', salted);

  /** @returns whether somebody gets in who derives the key from a password. */
  async function lets(secret: string, password: string): Promise<boolean> {
    const auth = await testAuth({ wampcra: { type: 'static', users: { joe: { ...salted, secret } } } });
    const { extra, resume } = asChallenge(await auth.start({ authmethod: 'wampcra', authid: 'joe' }));
    const verdict = await resume(signatureOf(String(extra['challenge']), deriveKey(password, extra)), {});
    return verdict.type === 'accept';
  }

  it('is the key where it is Base64 of exactly its length', async () => {
    expect(await lets(key, 'password')).toBe(true);
    expect(await lets(key, key)).toBe(false);
  });

  it.each(['password', '', 'ü', key.slice(0, -1), `${key} `, deriveKey('x', { ...salted, keylen: 15 })])(
    'is the password where it is anything else: %j',
    async (secret) => {
      expect(await lets(secret, secret)).toBe(true);
      expect(await lets(secret, 'other')).toBe(false);
    },
  );

  it('gives the same mark as password and as key, so that a login survives the change', async () => {
    const credentialOf = async (secret: string): Promise<unknown> => {
      const auth = await testAuth({ wampcra: { type: 'static', users: { joe: { ...salted, secret } } } });
      const { extra, resume } = asChallenge(await auth.start({ authmethod: 'wampcra', authid: 'joe' }));
      return resume(signatureOf(String(extra['challenge']), key), {});
    };
    expect(await credentialOf('password')).toEqual(await credentialOf(key));
  });
});

describe('the challenge of WAMP-CRA', () => {
  const challengeOf = async (authid: string): Promise<Readonly<Record<string, unknown>>> =>
    asChallenge(await (await testAuth(config)).start({ authmethod: 'wampcra', authid })).extra;

  it('is a JSON text that names who, when and which session, in the order of Crossbar.io', async () => {
    const { challenge, ...rest } = await challengeOf('joe');
    const text = JSON.parse(String(challenge)) as Readonly<Record<string, unknown>>;
    expect(Object.entries(text)).toEqual([
      ['authid', 'joe'],
      ['authrole', 'user'],
      ['authmethod', 'wampcra'],
      ['authprovider', 'static'],
      ['session', SESSION_ID],
      ['nonce', expect.stringMatching(/^[A-Za-z0-9+/]{64}$/)],
      ['timestamp', new Date(NOW).toISOString()],
    ]);
    expect(rest).toEqual({});
  });

  it('is never the same twice', async () => {
    const texts = await Promise.all(Array.from({ length: 10 }, async () => (await challengeOf('joe'))['challenge']));
    expect(new Set(texts).size).toBe(10);
  });

  it('says how the key is derived', async () => {
    expect(await challengeOf('ann')).toMatchObject({ salt: 'salt123', iterations: 100, keylen: 6 });
    expect(await challengeOf('pat')).toMatchObject({ salt: 'salt124', iterations: 1000, keylen: 32 });
  });

  it('is refused to somebody without a name', async () => {
    const auth = await testAuth(config);
    expect(await auth.start({ authmethod: 'wampcra' })).toMatchObject({
      type: 'deny',
      reason: 'wamp.error.not_authorized',
    });
  });

  it('for unknown names is like that for one of the known', async () => {
    const seen = await Promise.all(Array.from({ length: 60 }, (_, i) => challengeOf(`nobody${i}`)));
    const lengths = new Set(seen.map(({ iterations }) => iterations));
    expect(lengths).toEqual(new Set([undefined, 100, 1000]));
    for (const { salt } of seen) if (salt !== undefined) expect(salt).toMatch(/^[a-z0-9]{7}$/);
  });
});
