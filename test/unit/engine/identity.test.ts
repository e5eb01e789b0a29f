/** What the config says of who a node is for NATS: what is malformed is refused before the node connects, without a word of a secret. */
import * as transport from '@nats-io/transport-node';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

import { authenticatorOf, tlsOf } from '../../../src/engine/nats/identity.js';
import { temporaryDirectory } from '../../support/daemon.js';

const { nkeys } = transport;
const textOf = (seed: Uint8Array): string => new TextDecoder().decode(seed);
const USER = nkeys.createUser();
const SEED = textOf(USER.getSeed());
const JWT = 'aGVhZA.Y2xhaW1z.c2lnbmF0dXJl';

const WRONG_NKEY = '"nkey" is not the seed of a user (allowed: SU, and 56 letters and digits)';

const directory = temporaryDirectory();
let count = 0;
function fileOf(content: string): string {
  const file = path.join(directory, `file${(count += 1)}`);
  writeFileSync(file, content);
  return file;
}

function block(name: string, text: string): string {
  return `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n\n`;
}

const jwtBlock = block('NATS USER JWT', JWT);
const seedBlock = (seed: string): string => block('USER NKEY SEED', seed);

/** The text of the refusal, which has nothing of what was wrong. */
async function refusal(promise: Promise<unknown>, secret: string): Promise<string> {
  const error = await promise.then(
    () => ({ fault: 'none', message: 'it was taken' }),
    (reason: unknown) => reason as { fault: string; message: string; cause?: unknown },
  );
  expect(error.fault).toBe('refused');
  for (const part of secret.split(/\s+/)) if (part.length > 8) expect(JSON.stringify(error)).not.toContain(part);
  expect(error).not.toHaveProperty('cause');
  return error.message;
}

it.each([
  ['nothing that is one', 'garbage-of-a-secret'],
  ['one with a letter too few', SEED.slice(0, -1)],
  ['one with a letter changed', `${SEED.slice(0, 20)}${SEED[20] === 'A' ? 'B' : 'A'}${SEED.slice(21)}`],
  ['one with a space behind it', `${SEED} `],
  ['that of an account', textOf(nkeys.createAccount().getSeed())],
  ['a public key', USER.getPublicKey()],
])('an nkey that is %s is refused', async (_what, nkey) => {
  expect(await refusal(authenticatorOf({ transport }, { nkey }), nkey)).toBe(WRONG_NKEY);
});

it.each([
  ['nothing', ''],
  ['something else', 'garbage-of-a-secret'],
  ['a JWT alone', jwtBlock],
  ['a seed alone', seedBlock(SEED)],
  ['both the other way round', seedBlock(SEED) + jwtBlock],
  ['a seed that is none', jwtBlock + seedBlock(SEED.slice(0, -2))],
  ['the seed of an account', jwtBlock + seedBlock(textOf(nkeys.createAccount().getSeed()))],
  ['a JWT that is none', block('NATS USER JWT', 'no-jwt-at-all') + seedBlock(SEED)],
])('a file of credentials with %s is refused by its name', async (_what, content) => {
  const credentials = fileOf(content);
  expect(await refusal(authenticatorOf({ transport }, { credentials }), content)).toBe(
    `the file ${credentials} is not one of credentials as \`nsc\` writes it (allowed: the JWT of a user, and the seed of its nkey)`,
  );
});

it('a seed and a file of credentials that are well-formed answer a challenge', async () => {
  const nkey = USER.getPublicKey();
  expect((await authenticatorOf({ transport }, { nkey: SEED }))?.('nonce')).toMatchObject({ nkey });
  const credentials = fileOf(jwtBlock + seedBlock(SEED));
  expect((await authenticatorOf({ transport }, { credentials }))?.('nonce')).toMatchObject({ nkey, jwt: JWT });
  expect(await authenticatorOf({ transport }, {})).toBeUndefined();
});

it('a certificate and a key are refused by the names of their files, where there is none in them', async () => {
  const [certificate, key] = [fileOf('-----BEGIN CERTIFICATE-----'), fileOf('-----BEGIN PRIVATE KEY-----')];
  const garbage = fileOf('garbage-of-a-secret');
  const no = (what: string): string => `the file ${garbage} holds no ${what} in PEM`;
  const said = (config: Parameters<typeof tlsOf>[0]) => refusal(tlsOf(config), 'garbage-of-a-secret');
  expect(await said({ ca_certificates: [certificate, garbage] })).toBe(no('certificate'));
  expect(await said({ certificate: garbage, key })).toBe(no('certificate'));
  expect(await said({ certificate, key: garbage })).toBe(no('private key'));
  expect(Object.keys(await tlsOf({ ca_certificates: [certificate], certificate, key }))).toEqual(['ca', 'cert', 'key']);
});
