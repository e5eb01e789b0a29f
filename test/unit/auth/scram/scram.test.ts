import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { saslprep } from '../../../../src/auth/scram/saslprep.js';
import { isClientProof, SCRAM_DIALECTS, serverSignature } from '../../../../src/auth/scram/proof.js';
import { asChallenge, testAuth } from '../../../support/auth.js';
import { scramKeys } from '../../../support/auth-clients.js';

interface Vector {
  readonly name: string;
  readonly dialect: 'spec' | 'crossbar';
  readonly authid: string;
  readonly client_nonce: string;
  readonly nonce: string;
  readonly salt: string;
  readonly iterations: number;
  readonly auth_message: string;
  readonly stored_key_hex: string;
  readonly server_key_hex: string;
  readonly client_proof: string;
  readonly server_signature: string;
}
const file = path.resolve(import.meta.dirname, '../../../fixtures/wamp/own-vectors/auth.json');
const { scram: vectors } = JSON.parse(readFileSync(file, 'utf8')) as { scram: readonly Vector[] };
const dialectOf = (name: string) => {
  const dialect = SCRAM_DIALECTS[name];
  if (dialect === undefined) throw new Error(`there is no dialect ${name}`);
  return dialect;
};

describe('the computations of SCRAM', () => {
  it.each(vectors)('have the known answers: $name', (vector) => {
    const { authid, client_nonce: clientNonce, nonce, salt, iterations } = vector;
    const dialect = dialectOf(vector.dialect === 'spec' ? 'wamp-scram' : 'scram');
    const message = dialect.authMessage({ authid, clientNonce, nonce, salt, iterations, binding: 'none' });
    expect(message).toBe(vector.auth_message);
    const storedKey = Buffer.from(vector.stored_key_hex, 'hex');
    expect(isClientProof(vector.client_proof, storedKey, message)).toBe(true);
    expect(isClientProof(vector.client_proof, storedKey, `${message} `)).toBe(false);
    expect(isClientProof(vector.server_signature, storedKey, message)).toBe(false);
    expect(serverSignature(Buffer.from(vector.server_key_hex, 'hex'), message)).toBe(vector.server_signature);
  });

  it('sign what the connection is known by, where the client asks for it', () => {
    const data = Buffer.from('the end point');
    const exchange = { authid: 'joe', clientNonce: 'a', nonce: 'ab', salt: 'c', iterations: 1 };
    const message = dialectOf('wamp-scram').authMessage({ ...exchange, binding: { type: 'tls-unique', data } });
    const channel = Buffer.from('p=tls-unique,,the end point').toString('base64');
    expect(message).toBe(`n=joe,r=a,r=ab,s=c,i=1,c=${channel},r=ab`);
  });
});

const SALT = '5b6d99689d12358eeca04b14123006fa';
const NONCE = Buffer.from('client nonce').toString('base64');
const keysOf = (password: string, iterations: number) => {
  const { storedKey, serverKey } = scramKeys(password, SALT, iterations);
  return { 'stored-key': storedKey.toString('hex'), 'server-key': serverKey.toString('hex') };
};
const principals = {
  joe: { kdf: 'pbkdf2', iterations: 10, salt: SALT, ...keysOf('pencil', 10), role: 'user' },
  ann: { kdf: 'argon2id13', iterations: 3, memory: 512, salt: 'ABCD', ...keysOf('pencil', 1), role: 'user' },
  'a,b=c': { kdf: 'pbkdf2', iterations: 10, salt: SALT, ...keysOf('pencil', 10), role: 'user' },
  IX: { kdf: 'pbkdf2', iterations: 10, salt: SALT, ...keysOf('pencil', 10), role: 'user' },
};
const config = { scram: { type: 'static', principals } };

const start = async (authid: string | undefined, authextra?: object, authmethod = 'wamp-scram', client = {}) =>
  (await testAuth(config)).start({ authmethod, authid, authextra: authextra as never }, client);

describe('the challenge of SCRAM', () => {
  it('says how the client hashes, and continues its nonce', async () => {
    const { authmethod, extra } = asChallenge(await start('joe', { nonce: NONCE }));
    expect(authmethod).toBe('wamp-scram');
    const salt = Buffer.from(SALT, 'hex').toString('base64');
    expect(extra).toEqual({ nonce: expect.any(String) as string, salt, kdf: 'pbkdf2', iterations: 10 });
    expect(String(extra['nonce']).startsWith(NONCE)).toBe(true);
    expect(String(extra['nonce']).length - NONCE.length).toBe(24);
    expect(asChallenge(await start('ann', { nonce: NONCE })).extra).toMatchObject({ kdf: 'argon2id13', memory: 512 });
  });

  it('has one Base64 text for a nonce in the dialect of Crossbar.io', async () => {
    const { authmethod, extra } = asChallenge(await start('joe', { nonce: NONCE }, 'scram'));
    expect(authmethod).toBe('scram');
    const nonce = Buffer.from(String(extra['nonce']), 'base64');
    expect(nonce.toString('base64')).toBe(extra['nonce']);
    expect(nonce.subarray(0, 12).toString()).toBe('client nonce');
    expect(nonce).toHaveLength(28);
  });

  it.each([
    ['no authextra', undefined],
    ['no nonce', {}],
    ['an empty nonce', { nonce: '' }],
    ['a nonce that is not Base64', { nonce: 'a nonce, with a comma' }],
    ['a nonce that is no text', { nonce: 7 }],
    ['an endless nonce', { nonce: 'A'.repeat(257) }],
  ])('is not given to a client with %s', async (_what, authextra) => {
    expect(await start('joe', authextra)).toMatchObject({ type: 'deny', reason: 'wamp.error.not_authorized' });
  });

  it('is not given to a client without a name, or with one that nobody can have', async () => {
    expect((await start(undefined, { nonce: NONCE })).type).toBe('deny');
    expect((await start('jo\u0007e', { nonce: NONCE })).type).toBe('deny');
  });

  it('has a salt for unknown names that is always the same, also after a restart', async () => {
    const saltOf = async (authid: string): Promise<unknown> =>
      asChallenge(await start(authid, { nonce: NONCE })).extra['salt'];
    expect(await saltOf('nobody')).toBe(await saltOf('nobody'));
    expect(await saltOf('nobody')).not.toBe(await saltOf('somebody'));
  });
});

describe('the answer of SCRAM', () => {
  const exchange = async (
    authid: string,
    { client = {}, binding = null as string | null, c = 'biws', name = authid } = {},
  ) => {
    const challenge = asChallenge(
      await start(authid, { nonce: NONCE, channel_binding: binding }, 'wamp-scram', client),
    );
    const { nonce, salt } = challenge.extra as { nonce: string; salt: string };
    const { clientKey, storedKey, serverKey } = scramKeys('pencil', SALT, 10);
    const message = `n=${name},r=${NONCE},r=${nonce},s=${salt},i=10,c=${c},r=${nonce}`;
    const { createHmac } = await import('node:crypto');
    const signature = createHmac('sha256', storedKey).update(message).digest();
    const proof = Buffer.from(clientKey.map((octet, i) => octet ^ (signature[i] ?? 0))).toString('base64');
    const verifier = createHmac('sha256', serverKey).update(message).digest('base64');
    const resume = (extra: object) => challenge.resume(proof, extra as never);
    return { nonce, verifier, resume };
  };

  it('is answered with what proves the router', async () => {
    const { nonce, verifier, resume } = await exchange('joe');
    expect(await resume({ nonce })).toMatchObject({
      type: 'accept',
      principal: { authid: 'joe', authmethod: 'wamp-scram' },
      proof: { verifier },
    });
  });

  it.each([
    ['another nonce', { nonce: 'x' }],
    ['no nonce', {}],
    ['a binding that was not asked for', { channel_binding: 'tls-unique' }],
    ['data of a binding that was not asked for', { cbind_data: 'AAAA' }],
  ])('is refused with %s', async (_what, change) => {
    const { nonce, resume } = await exchange('joe');
    expect((await resume(Object.keys(change).length === 0 ? {} : { nonce, ...change })).type).toBe('deny');
  });

  it('has commas and equals signs of the name escaped', async () => {
    const { nonce, resume } = await exchange('a,b=c', { name: 'a=2Cb=3Dc' });
    expect((await resume({ nonce })).type).toBe('accept');
    const plain = await exchange('a,b=c');
    expect((await plain.resume({ nonce: plain.nonce })).type).toBe('deny');
  });

  it('is for the prepared name', async () => {
    const { nonce, resume } = await exchange('I\u00adX', { name: 'IX' });
    expect(await resume({ nonce })).toMatchObject({ type: 'accept', principal: { authid: 'IX' } });
  });

  const data = Buffer.from('what only the two ends know');
  const tls = {
    certificate: undefined,
    channelBinding: (type: string) => (type === 'tls-exporter' ? data : undefined),
  };
  const c = Buffer.from(`p=tls-exporter,,${data.toString()}`).toString('base64');

  it('can be bound to the TLS connection', async () => {
    const parts = { client: { tls }, binding: 'tls-exporter', c };
    const good = await exchange('joe', parts);
    const extra = { channel_binding: 'tls-exporter', cbind_data: data.toString('base64') };
    expect((await good.resume({ nonce: good.nonce, ...extra })).type).toBe('accept');
    for (const change of [{ cbind_data: 'AAAA' }, { channel_binding: 'tls-unique' }, { channel_binding: null }]) {
      const { nonce, resume } = await exchange('joe', parts);
      expect((await resume({ nonce, ...extra, ...change })).type).toBe('deny');
    }
    const elsewhere = await exchange('joe', { ...parts, c: 'biws' });
    expect((await elsewhere.resume({ nonce: elsewhere.nonce, ...extra })).type).toBe('deny');
  });

  it.each(['tls-exporter', 'tls-unique', 'nonsense', 7, {}])('cannot be bound by %j without TLS', async (binding) => {
    const extra = { nonce: NONCE, channel_binding: binding };
    expect((await start('joe', extra)).type).toBe('deny');
    expect((await start('joe', extra, 'scram', { tls })).type).toBe('deny');
  });
});

describe('SASLprep', () => {
  // The examples of RFC 4013, and what names are made of.
  it.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['a\u00a0b', 'a b'],
    ['jose\u0301', 'jos\u00e9'],
    ['\u0007', undefined],
    ['\ue000', undefined],
    ['\ud800', undefined],
    ['a\u200eb', undefined],
  ])('makes %j %j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });
});
