/**
 * WAMP-CRA (section "WAMP Challenge-Response Authentication"): the client signs a text of the router with a secret that both
 * know (HMAC-SHA256). The secret itself is not sent.
 *
 * With `salt` in the config, the client first derives a key from a password (PBKDF2-HMAC-SHA256). `secret` is that key in Base64,
 * as the documents of Crossbar.io say, so that the config contains no password; or the password, as Crossbar.io reads it.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { DEFAULT_ITERATIONS, DEFAULT_KEYLEN, derivedKey } from './derived-key.js';
import { createAsking } from '../dynamic/asking.js';
import { SecretText } from '../constant-time.js';
import { credentialFault, credentialMark } from '../credential.js';
import { countOf, neededText, textOf } from '../dynamic/answer.js';
import { Decoys } from '../decoy.js';
import { accept, denied, withoutAuthid } from '../verdict.js';
import type { DynamicConfig, FunctionConfig } from '../dynamic/schema.js';
import type { AuthContext, AuthDeps, AuthMethod, AuthMethodType, Challenge, Deny, Principal } from '../method.js';
import type { Dict } from '../../wamp/payload.js';
import type { WampCraConfig, WampCraUser } from './schema.js';

/** As long as Crossbar.io's: 64 characters. */
const NONCE_BYTES = 48;

export const wampcra: AuthMethodType<WampCraConfig | DynamicConfig | FunctionConfig> = {
  type: 'wampcra',
  create: (config, deps) => (config.type === 'static' ? fixed(config, deps) : asking(config, deps)),
};

async function fixed({ users }: WampCraConfig, deps: AuthDeps): Promise<AuthMethod> {
  const known = new Map(await Promise.all(Object.entries(users).map(withKey)));
  const unknown = strangers([...known.values()]);
  return {
    start(request, context): Challenge | Deny {
      const { realm, authid } = request;
      if (authid === undefined) return withoutAuthid(deps.uris);
      // Made for known users, too, so that both take the same time.
      const stranger = unknown(authid);
      const user = known.get(authid) ?? stranger;
      const credential = credentialMark('wampcra', authid, user.secret);
      const authmethod = 'wampcra';
      const principal = { realm, authid, authrole: user.role, authmethod, authprovider: 'static', credential };
      return challenge(user, principal, context, deps);
    },

    faultOf(login) {
      const { authid, authrole } = login;
      const found = known.get(authid);
      if (found?.role !== authrole) return 'no such principal';
      return credentialFault(login, [credentialMark('wampcra', authid, found.secret)]);
    },
  };
}

/** A password in the config becomes the key that clients derive from it. */
async function withKey([authid, user]: readonly [string, WampCraUser]): Promise<readonly [string, WampCraUser]> {
  const { salt, secret } = user;
  return [authid, salt === undefined ? user : { ...user, secret: await derivedKey(secret, { ...user, salt }) }];
}

/** The authenticator tells the secret; the signature is checked here. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start(request, context) {
      const { authid } = request;
      if (authid === undefined) return withoutAuthid(deps.uris);
      return ask({ request, context, authid }, (principal, answer) =>
        challenge(secretsIn(answer), principal, context, deps),
      );
    },
  };
}

/** @throws AnswerFault */
function secretsIn({ secret, salt: salted, iterations, keylen }: Dict): Omit<WampCraUser, 'role'> {
  const salt = textOf('salt', salted);
  const counts = {
    iterations: countOf('iterations', iterations) ?? DEFAULT_ITERATIONS,
    keylen: countOf('keylen', keylen) ?? DEFAULT_KEYLEN,
  };
  return { secret: neededText('secret', secret), ...(salt !== undefined && { salt, ...counts }) };
}

/** @returns a function that makes up users: their challenges look real, and nobody knows their secrets. */
function strangers(users: readonly WampCraUser[]): (authid: string) => WampCraUser {
  const decoys = new Decoys(users.map(({ secret }) => secret));
  return (authid) => {
    const { salt, ...like }: WampCraUser = decoys.pick(authid, users) ?? { secret: '', role: 'anonymous' };
    const secret = decoys.bytes('secret', authid, 32).toString('base64');
    return { ...like, secret, ...(salt !== undefined && { salt: decoys.salt(authid, salt) }) };
  };
}

/** Asks for a signature. A client that gives the right one is `principal`. */
function challenge(
  { secret, salt, iterations = DEFAULT_ITERATIONS, keylen = DEFAULT_KEYLEN }: Omit<WampCraUser, 'role'>,
  principal: Principal,
  { sessionId }: AuthContext,
  { clock, uris }: Pick<AuthDeps, 'clock' | 'uris'>,
): Challenge {
  const { authid, authrole, authmethod, authprovider } = principal;
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  const timestamp = new Date(clock()).toISOString();
  const text = JSON.stringify({ authid, authrole, authmethod, authprovider, session: sessionId, nonce, timestamp });
  const expected = new SecretText(signatureOf(text, secret));
  return {
    type: 'challenge',
    authmethod,
    extra: { challenge: text, ...(salt !== undefined && { salt, iterations, keylen }) },
    resume: (signature) => (expected.equals(signature) ? accept(principal) : denied(uris)),
  };
}

/** @returns the signature that the client has to send. @param secret the text of the key, as UTF-8. */
export function signatureOf(challenge: string, secret: string): string {
  return createHmac('sha256', secret).update(challenge, 'utf8').digest('base64');
}
