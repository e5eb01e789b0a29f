/** Tokens of an issuer: keys, a signer, the server that gives the key set out, and a section `jwt` that takes them. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

import type { AuthDeps } from '../../src/auth/method.js';
import { afterLong } from '../../src/auth/lease.js';
import { SharedLogins } from '../../src/auth/shared-logins.js';
import { FakeClock } from './realm.js';

export const ISSUER = 'https://id.example.com';
export const AUDIENCE = 'crossbar';
export const SECRET = 'a secret of two that has 32 octets, or more';

/** A key that signs tokens. */
export interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly key: CryptoKey | Uint8Array;
  /** As it stands in a key set. */
  readonly jwk: JWK;
  readonly pem: string;
}

export async function signingKey(alg = 'ES256', given?: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = given ?? (await calculateJwkThumbprint(jwk));
  return { alg, kid, key: privateKey, jwk: { ...jwk, kid }, pem: await exportSPKI(publicKey) };
}

/** The key of both sides. */
export function secretKey(secret = SECRET, alg = 'HS256'): SigningKey {
  return { alg, kid: 'shared', key: new TextEncoder().encode(secret), jwk: {}, pem: '' };
}

/** @param nowMs when it is signed. @param claims undefined ones are left out. */
export function signed(
  { alg, kid, key }: SigningKey,
  nowMs: number,
  claims: JWTPayload = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  const all = { iss: ISSUER, aud: AUDIENCE, sub: 'joe', iat, exp: iat + 300, ...claims };
  const payload = withoutGaps(all);
  const protectedHeader = { alg, kid, typ: 'JWT', ...header };
  return new SignJWT(payload).setProtectedHeader(withoutGaps(protectedHeader) as { alg: string }).sign(key);
}

function withoutGaps(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** @returns a token with any header and claims, also such as no library would make. */
export function handmade(header: object | string, claims: object | string, signature = ''): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

/** @returns a token of joe by HS256, at once. */
export function signedByHand(secret: string, nowMs: number): string {
  const iat = Math.floor(nowMs / 1000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'joe', iat, exp: iat + 300 };
  const text = handmade({ alg: 'HS256', typ: 'JWT' }, claims).slice(0, -1);
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** An issuer of a section, as it is after the check of the config. */
export function issuerSection(more: object = {}): object {
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    role: 'user',
    leeway: 5,
    max_age: 86_400,
    refresh: 600,
    cooldown: 30,
    timeout: 5000,
    authid: 'sub',
    extra: {},
    require: {},
    ...more,
  };
}

/** A section, as it is after the check of the config. */
export function jwtSection(issuers: readonly object[], more: object = {}): object {
  return { jwt: { issuers: issuers.map(issuerSection), expire: 'close', max_length: 8192, ...more } };
}

/** A clock of the test, for the methods of `testAuth`. */
export function ownTime(): Pick<AuthDeps, 'clock' | 'after' | 'logins'> & { readonly time: FakeClock } {
  const time = new FakeClock();
  const clock = (): number => time.now;
  return {
    time,
    clock,
    after: (ms, callback) => afterLong(time, ms, callback),
    logins: new SharedLogins(clock),
  };
}

type Mode =
  'ok' | 'broken' | 'hung' | 'slow' | 'failing' | 'huge' | 'endless' | 'redirecting' | 'html' | 'no keys' | 'text';

/** Gives a key set out, or does not. */
export class KeyServer {
  mode: Mode = 'ok';
  keys: readonly JWK[];
  /** How often it was asked. */
  asked = 0;
  /** How many bytes it could send. */
  sent = 0;
  readonly #server: Server;

  private constructor(keys: readonly JWK[]) {
    this.keys = keys;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(...keys: readonly SigningKey[]): Promise<KeyServer> {
    const server = new KeyServer(keys.map(({ jwk }) => jwk));
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer({ url, socket }: IncomingMessage, response: ServerResponse): void {
    this.asked += 1;
    const json = JSON.stringify({ keys: this.keys });
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
    };
    switch (url === '/other' ? 'ok' : this.mode) {
      case 'ok':
        return send(200, 'application/json', json);
      case 'broken':
        return void socket.destroy();
      case 'hung':
        return;
      case 'slow':
        response.writeHead(200);
        return void response.write(json.slice(0, 10));
      case 'failing':
        return send(500, 'application/json', json);
      case 'huge':
        return this.#pour(response, 20 * 1024 * 1024);
      case 'endless':
        return this.#pour(response, Infinity);
      case 'redirecting':
        return void response.writeHead(302, { location: '/other' }).end();
      case 'html':
        return send(200, 'text/html', '<!doctype html><title>Login</title>');
      case 'no keys':
        return send(200, 'application/json', '{"keys": "none"}');
      case 'text':
        return send(200, 'application/json', `${json}]`);
    }
  }

  /** White space is JSON, too. */
  #pour(response: ServerResponse, bytes: number): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(65_536, ' ');
    this.sent = 0;
    const more = (): void => {
      while (this.sent < bytes) {
        this.sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end(JSON.stringify({ keys: this.keys }));
    };
    response.on('error', () => undefined);
    more();
  }
}
