/** Public keys in a file, and what `check` says of one that holds none. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { lookAtJwt } from '../../../../src/auth/jwt/look.js';
import { NOW, testAuth } from '../../../support/auth.js';
import { Certificates, HAS_OPENSSL } from '../../../support/certificates.js';
import { temporaryDirectory } from '../../../support/daemon.js';
import { itNeeds } from '../../../support/needs.js';
import { jwtSection, signed, signingKey } from '../../../support/tokens.js';
import type { SigningKey } from '../../../support/tokens.js';

const directory = temporaryDirectory();
let keys: readonly SigningKey[];
beforeAll(async () => {
  keys = await Promise.all(['ES256', 'RS256', 'EdDSA'].map((alg) => signingKey(alg)));
});

function file(text: string): string {
  const name = path.join(directory, `${Math.random()}.txt`);
  writeFileSync(name, text);
  return name;
}

/** @returns whether a token by the key lets in, with the keys of the file. */
async function lets(text: string, key: SigningKey, header: object = {}): Promise<string> {
  const auth = await testAuth(jwtSection([{ keys: file(text) }]));
  const token = await signed(key, NOW, {}, { ...header });
  return (await auth.start({ authmethod: 'jwt', authextra: { token } })).type;
}

const [first, second] = [0, 1].map((index) => (): SigningKey => {
  const key = keys[index];
  if (key === undefined) throw new Error('no key');
  return key;
}) as [() => SigningKey, () => SigningKey];

describe('a file with', () => {
  it('a JWK set: the key that the token names counts', async () => {
    const text = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
    for (const key of keys) expect(await lets(text, key)).toBe('accept');
    expect(await lets(text, first(), { kid: second().kid })).toBe('deny');
    expect(await lets(text, await signingKey())).toBe('deny');
  });

  it('a JWK set with keys of unknown kinds: the others count', async () => {
    const text = JSON.stringify({ keys: [{ kty: 'NEW', kid: 'x' }, first().jwk] });
    expect(await lets(text, first())).toBe('accept');
  });

  it('one JWK', async () => {
    expect(await lets(JSON.stringify(first().jwk), first())).toBe('accept');
  });

  it('a key in PEM counts, whatever the token calls it', async () => {
    for (const key of keys) expect(await lets(`\n${key.pem}`, key, { kid: 'any' })).toBe('accept');
    expect(await lets(first().pem, second())).toBe('deny');
    expect(await lets(first().pem, await signingKey())).toBe('deny');
  });

  itNeeds('the openssl command', HAS_OPENSSL)('a certificate in PEM', async () => {
    const certificates = new Certificates(temporaryDirectory());
    const { createPrivateKey } = await import('node:crypto');
    const { importPKCS8 } = await import('jose');
    const pkcs8 = createPrivateKey(certificates.text('server.key'));
    const alg = pkcs8.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
    const key = await importPKCS8(pkcs8.export({ type: 'pkcs8', format: 'pem' }) as string, alg);
    expect(await lets(certificates.text('server.pem'), { alg, kid: 'any', key, jwk: {}, pem: '' })).toBe('accept');
  });
});

const ALLOWED = '(allowed: public keys: a JWK set, or one key or certificate in PEM)';
const pairPem = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ type: 'spki', format: 'pem' }) as string;

describe('a file that holds', () => {
  it.each<readonly [string, () => string, string]>([
    ['nothing', () => '', `holds neither JSON nor PEM ${ALLOWED}`],
    ['a page', () => '<!doctype html>', `holds neither JSON nor PEM ${ALLOWED}`],
    ['no keys', () => '{"keys": []}', `holds no keys ${ALLOWED}`],
    ['keys of unknown kinds', () => '{"keys": [{"kty": "NEW"}]}', `holds no keys ${ALLOWED}`],
    ['a list', () => '[]', `holds no keys ${ALLOWED}`],
    ['a secret', () => '{"keys": [{"kty": "oct", "k": "AAAA"}]}', `holds a private or a symmetric key ${ALLOWED}`],
    ['two keys in PEM', () => first().pem + second().pem, `holds 2 blocks of PEM ${ALLOWED}`],
    ['a short key', () => pairPem(1024), `holds an RSA key of 1024 bits, of at least 2048 ${ALLOWED}`],
    [
      'a private key',
      () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      `holds a private key ${ALLOWED}`,
    ],
  ])('%s is refused at the start, and by `check`', async (_what, text, fault) => {
    const name = file(text());
    await expect(refusalOf(name)).resolves.toEqual([
      `the key file ${JSON.stringify(name)} ${fault}`,
      ['issuers/0/keys', `the key file ${JSON.stringify(name)} ${fault}`],
    ]);
  });

  it('damaged PEM or a damaged JWK is refused', async () => {
    for (const text of [first().pem.replace(/\n.{20}/, '\n'), '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}']) {
      const [start, look] = await refusalOf(file(text));
      expect(start).toContain(ALLOWED);
      expect(look?.[1]).toBe(start);
    }
  });

  it('is not there', async () => {
    const name = path.join(directory, 'nosuch');
    const text = `the key file ${JSON.stringify(name)} cannot be read: ENOENT`;
    expect(await refusalOf(name)).toEqual([text, ['issuers/0/keys', text]]);
  });
});

/** @returns what the start says, and what `check` says. */
async function refusalOf(keyFile: string): Promise<[string | undefined, readonly string[] | undefined]> {
  const section = jwtSection([{ keys: keyFile }]) as { jwt: never };
  const start = await testAuth(section).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  let looked: readonly string[] | undefined;
  const report = (below: readonly string[], text: string): void => void (looked = [below.join('/'), text]);
  await lookAtJwt(section.jwt, { cbdir: directory, privatePaths: [], env: {}, clock: Date.now, report, warn: report });
  return [start, looked];
}
