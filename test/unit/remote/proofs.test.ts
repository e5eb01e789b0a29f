/** Each proof of a client is what the method of the router wants; a wrong secret is refused. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { cryptosign } from '../../../src/auth/cryptosign/cryptosign.js';
import { scram } from '../../../src/auth/scram/scram.js';
import { ticket } from '../../../src/auth/ticket.js';
import { AUTH_URIS } from '../../../src/auth/verdict.js';
import { wampcra } from '../../../src/auth/wampcra/wampcra.js';
import { loginWith } from '../../../src/remote/proofs.js';
import { deriveKey, scramKeys } from '../../support/auth-clients.js';
import type { AuthMethod, AuthMethodType } from '../../../src/auth/method.js';
import type { ClientAuthConfig } from '../../../src/remote/auth-schema.js';

const SALT = '5b6d99689d12358eeca04b14123006fa';
const PRIVATE = 'ab'.repeat(32);
const pem = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(PRIVATE, 'hex')]),
  format: 'der',
  type: 'pkcs8',
});
const PUBLIC = Buffer.from(createPublicKey(pem).export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
const CRA_SALT = { salt: 'salt123', iterations: 100, keylen: 16 };
const SCRAM_KEPT = scramKeys('pencil', SALT, 100);
const keptOfScram = {
  ...{ kdf: 'pbkdf2', iterations: 100, salt: SALT, role: 'user' },
  'stored-key': SCRAM_KEPT.storedKey.toString('hex'),
  'server-key': SCRAM_KEPT.serverKey.toString('hex'),
};

type Row = readonly [
  name: string,
  type: AuthMethodType<never>,
  config: object,
  right: ClientAuthConfig,
  wrong: ClientAuthConfig,
];

const ROWS: readonly Row[] = [
  [
    'ticket',
    ticket,
    { principals: { joe: { ticket: 'pencil', role: 'user' } } },
    { ticket: { authid: 'joe', ticket: 'pencil' } },
    { ticket: { authid: 'joe', ticket: 'pen' } },
  ],
  [
    'wampcra',
    wampcra,
    { users: { joe: { secret: 'pencil', role: 'user' } } },
    { wampcra: { authid: 'joe', secret: 'pencil' } },
    { wampcra: { authid: 'joe', secret: 'pen' } },
  ],
  [
    'wampcra with a salt',
    wampcra,
    { users: { joe: { secret: deriveKey('pencil', CRA_SALT), ...CRA_SALT, role: 'user' } } },
    { wampcra: { authid: 'joe', secret: 'pencil' } },
    { wampcra: { authid: 'joe', secret: 'pen' } },
  ],
  [
    'cryptosign',
    cryptosign,
    { principals: { joe: { authorized_keys: [PUBLIC], role: 'user' } } },
    { cryptosign: { privkey: PRIVATE } },
    { cryptosign: { authid: 'joe', privkey: 'cd'.repeat(32) } },
  ],
  [
    'scram',
    scram,
    { principals: { joe: keptOfScram } },
    { scram: { authid: 'joe', password: 'pencil' } },
    { scram: { authid: 'joe', password: 'pen' } },
  ],
];

/** Plays a whole login. @returns the verdict, and the login, which may look at a proof of the router */
async function played(type: AuthMethodType<never>, config: object, auth: ClientAuthConfig) {
  const clock = () => 0;
  const deps = { clock, uris: AUTH_URIS.wamp } as unknown as Parameters<typeof type.create>[1];
  const method: AuthMethod = await type.create({ type: 'static', ...config } as never, deps);
  const login = loginWith(auth);
  const { authmethods, authid, authextra } = login.details;
  const [authmethod = ''] = authmethods;
  const request = { realm: 'realm1', authid, authmethod, authextra } as unknown as Parameters<AuthMethod['start']>[0];
  const context = { sessionId: 7, client: { tls: undefined } } as unknown as Parameters<AuthMethod['start']>[1];
  const challenge = await method.start(request, context);
  if (challenge.type !== 'challenge') return { verdict: challenge, login };
  const { signature, extra } = await login.answer({ type: 4, authmethod, extra: challenge.extra });
  return { verdict: await challenge.resume(signature, extra), login };
}

describe.each(ROWS)('%s', (_name, type, config, right, wrong) => {
  it('lets in who knows the secret', async () => {
    const { verdict, login } = await played(type, config, right);
    expect(verdict).toMatchObject({ type: 'accept', principal: { authid: 'joe', authrole: 'user' } });
    const proof = 'proof' in verdict ? verdict.proof : {};
    expect(() => login.check({ authextra: proof })).not.toThrow();
  });

  it('and nobody else', async () => {
    expect((await played(type, config, wrong)).verdict).toMatchObject({ type: 'deny' });
  });
});

describe('a router that cannot be the right one', () => {
  it('has no proof of SCRAM, and is left', async () => {
    const { login } = await played(
      scram,
      { principals: { joe: keptOfScram } },
      { scram: { authid: 'joe', password: 'pencil' } },
    );
    expect(() => login.check({ authextra: { scram_server_signature: 'AAAA' } })).toThrow('it is not who it should be');
    expect(() => login.check({})).toThrow('it is not who it should be');
  });

  it.each([
    ['a method that was not offered', 'wampcra', {}, 'the router asks for "wampcra", which was not offered'],
    ['a challenge that is none', 'cryptosign', { challenge: 7 }, 'the challenge of the router is not 64 hex digits'],
    [
      'Argon2',
      'scram',
      { kdf: 'argon2id-13' },
      'the router hashes with "argon2id-13", which Node.js cannot (allowed: "pbkdf2")',
    ],
    [
      'rounds without end',
      'scram',
      { kdf: 'pbkdf2', nonce: '', salt: '', iterations: 1e12 },
      'a number in the challenge of the router is missing or out of range',
    ],
  ])('asks for %s', async (_text, authmethod, extra, problem) => {
    const login = loginWith({
      cryptosign: { authid: 'joe', privkey: PRIVATE },
      scram: { authid: 'joe', password: 'pencil' },
    });
    await expect(login.answer({ type: 4, authmethod, extra })).rejects.toThrow(problem);
  });
});

describe('what HELLO says', () => {
  it('of a client without "auth"', () => {
    expect(loginWith().details).toEqual({ authmethods: ['anonymous'] });
  });

  it('of several methods, in their order', () => {
    const auth = {
      ticket: { authid: 'joe', ticket: 'x', authextra: { a: 1 } },
      anonymous: {},
      cryptosign: { privkey: PRIVATE },
    };
    expect(loginWith(auth).details).toEqual({
      authmethods: ['ticket', 'anonymous', 'cryptosign'],
      authid: 'joe',
      authextra: { a: 1, pubkey: PUBLIC },
    });
  });

  it('is not decided where the methods have different authids', () => {
    expect(() =>
      loginWith({ ticket: { authid: 'joe', ticket: 'x' }, wampcra: { authid: 'jim', secret: 'y' } }),
    ).toThrow('the methods in "auth" have different authids: joe, jim');
  });
});
