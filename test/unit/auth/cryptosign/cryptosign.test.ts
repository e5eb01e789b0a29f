import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { verifySignature } from '../../../../src/auth/cryptosign/cryptosign.js';
import { exclusiveOr } from '../../../../src/auth/constant-time.js';
import { asChallenge, testAuth } from '../../../support/auth.js';
import { cryptosignAnswer, JIM_KEYS, JOE_KEYS, keyPair } from '../../../support/auth-clients.js';

interface Vector {
  readonly channel_id: string | null;
  readonly private_key: string;
  readonly public_key: string;
  readonly challenge: string;
  readonly signature: string;
}
const file = path.resolve(import.meta.dirname, '../../../fixtures/wamp/own-vectors/auth.json');
const { cryptosign: vectors } = JSON.parse(readFileSync(file, 'utf8')) as { cryptosign: readonly Vector[] };
const octets = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('the published signatures', () => {
  it.each(vectors)('of $public_key, bound to $channel_id', (vector) => {
    const { channel_id: channel, challenge, public_key: pubkey, signature } = vector;
    const message = channel === null ? octets(challenge) : exclusiveOr(octets(challenge), octets(channel));
    expect(verifySignature(signature, message, pubkey)).toBe(true);
    expect(cryptosignAnswer(message.toString('hex'), keyPair(vector.private_key))).toBe(signature);
    // Not for another message, another key, or when anything is changed.
    expect(verifySignature(signature, exclusiveOr(message, octets('01')), pubkey)).toBe(false);
    expect(verifySignature(signature, message, keyPair('00'.repeat(32)).pubkey)).toBe(false);
    for (const i of [0, 63, 126, 127, 128, 191]) {
      const changed = signature.slice(0, i) + (signature[i] === '0' ? '1' : '0') + signature.slice(i + 1);
      expect(verifySignature(changed, message, pubkey), String(i)).toBe(false);
    }
  });
});

const principals = {
  joe: { authorized_keys: [JOE_KEYS.pubkey.toUpperCase(), '00'.repeat(32)], role: 'user' },
  jim: { authorized_keys: [JIM_KEYS.pubkey], role: 'admin', realm: 'realm2' },
  ann: { authorized_keys: [JIM_KEYS.pubkey], role: 'user' },
};
const config = { cryptosign: { type: 'static', principals } };
const start = async (authid: string | undefined, pubkey: unknown, more: object = {}, client = {}) =>
  (await testAuth(config)).start({ authmethod: 'cryptosign', authid, authextra: { pubkey, ...more } }, client);

describe('the challenge of cryptosign', () => {
  it('is 32 octets, never the same', async () => {
    const { extra } = asChallenge(await start('joe', JOE_KEYS.pubkey));
    expect(extra).toEqual({ challenge: expect.stringMatching(/^[0-9a-f]{64}$/) as string, channel_binding: null });
    expect(asChallenge(await start('joe', JOE_KEYS.pubkey)).extra['challenge']).not.toBe(extra['challenge']);
  });

  it.each([undefined, null, '', 7, [], 'x'.repeat(64), '0'.repeat(63), '0'.repeat(65), '0'.repeat(128)])(
    'is not given for the key %j',
    async (pubkey) => {
      expect(await start('joe', pubkey)).toMatchObject({ type: 'deny', reason: 'wamp.error.not_authorized' });
    },
  );
});

describe('the answer of cryptosign', () => {
  const login = async (authid: string | undefined, keys: ReturnType<typeof keyPair>) => {
    const challenge = asChallenge(await start(authid, keys.pubkey));
    return challenge.resume(cryptosignAnswer(challenge.extra['challenge'], keys), {});
  };

  it('tells who it is by the key alone', async () => {
    expect(await login(undefined, JOE_KEYS)).toMatchObject({
      principal: { authid: 'joe', authrole: 'user', realm: 'realm1' },
    });
    expect(await login(undefined, JIM_KEYS)).toMatchObject({
      principal: { authid: 'jim', authrole: 'admin', realm: 'realm2' },
    });
  });

  it('is for one of those who have the key', async () => {
    expect(await login('ann', JIM_KEYS)).toMatchObject({ principal: { authid: 'ann', authrole: 'user' } });
    expect((await login('joe', JIM_KEYS)).type).toBe('deny');
    expect((await login('nobody', JOE_KEYS)).type).toBe('deny');
    expect((await login(undefined, keyPair('11'.repeat(32)))).type).toBe('deny');
  });

  it.each(['', 'x', 'x'.repeat(192), '0'.repeat(192), '0'.repeat(191), '0'.repeat(194), 'é'.repeat(192)])(
    'is refused as %j',
    async (signature) => {
      // Also with a key that is no point of the curve, or a very special one.
      for (const key of [JOE_KEYS.pubkey, '00'.repeat(32), 'ff'.repeat(32), `01${'00'.repeat(31)}`]) {
        const challenge = asChallenge(await start('joe', key));
        expect((await challenge.resume(signature, {})).type).toBe('deny');
      }
    },
  );

  it('of a key that signs everything is refused unless the config has that key', async () => {
    // The neutral element as key and commitment: the equation holds for every message.
    const key = `01${'00'.repeat(31)}`;
    const challenge = asChallenge(await start(undefined, key));
    const forged = `01${'00'.repeat(63)}${String(challenge.extra['challenge'])}`;
    expect((await challenge.resume(forged, {})).type).toBe('deny');
  });
});

describe('cryptosign bound to the connection', () => {
  const data = octets('62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff');
  const tls = {
    certificate: undefined,
    channelBinding: (type: string) => (type === 'tls-exporter' ? data : undefined),
  };

  it('signs the challenge mixed with what only the two ends know', async () => {
    const asked = { channel_binding: 'tls-exporter' };
    const login = async (mix: (challenge: Buffer) => Buffer) => {
      const challenge = asChallenge(await start('joe', JOE_KEYS.pubkey, asked, { tls }));
      expect(challenge.extra['channel_binding']).toBe('tls-exporter');
      const message = mix(octets(String(challenge.extra['challenge'])));
      return challenge.resume(cryptosignAnswer(message.toString('hex'), JOE_KEYS), {});
    };
    expect((await login((challenge) => exclusiveOr(challenge, data))).type).toBe('accept');
    expect((await login((challenge) => challenge)).type).toBe('deny');
  });

  it.each(['tls-unique', 'nonsense', 7])('is refused by %j, which the connection does not have', async (type) => {
    expect((await start('joe', JOE_KEYS.pubkey, { channel_binding: type }, { tls })).type).toBe('deny');
    expect((await start('joe', JOE_KEYS.pubkey, { channel_binding: type })).type).toBe('deny');
  });
});

it('a remembered login holds for the realm that the principal has now', async () => {
  const method = (await testAuth(config)).method('cryptosign');
  const jim = { authid: 'jim', authrole: 'admin', authmethod: 'cryptosign', authrealm: 'realm2', authextra: null };
  expect(method.faultOf?.(jim)).toBeUndefined();
  expect(method.faultOf?.({ ...jim, authrealm: 'realm1' })).toBe('no such principal');
});
