/**
 * How a client proves who it is: what it says in HELLO for its methods, and its answers to CHALLENGE. The other side of `auth/`.
 */
import { pbkdf2 as derive } from 'node:crypto';
import { promisify } from 'node:util';

import { DEFAULT_ITERATIONS, DEFAULT_KEYLEN } from '../auth/wampcra/derived-key.js';
import { signatureOf } from '../auth/wampcra/wampcra.js';
import type { JoinDetails, Proofs } from '../client/session.js';
import type { Challenge } from '../wamp/message.js';
import type { Dict } from '../wamp/payload.js';
import type { ClientAuthConfig } from './auth-schema.js';
import { challengeText, count } from './challenge-fields.js';
import type { ClientMethod } from './client-method.js';
import { cryptosignMethod } from './cryptosign.js';
import { scramMethod } from './scram.js';

const pbkdf2 = promisify(derive);

/** One login of a client. */
export interface Login extends Proofs {
  /** For HELLO. */
  readonly details: JoinDetails;
}

type Methods = { readonly [M in keyof ClientAuthConfig]-?: (config: NonNullable<ClientAuthConfig[M]>) => ClientMethod };

const METHODS: Methods = {
  anonymous: (config) => config,
  ticket: ({ ticket, ...shown }) => ({ ...shown, answer: () => ticket }),
  wampcra: ({ secret, ...shown }) => ({ ...shown, answer: (extra) => craSignature(secret, extra) }),
  cryptosign: cryptosignMethod,
  scram: scramMethod,
};

/** @param auth without it the client offers `anonymous`. @throws Error when two methods say different authids. */
export function loginWith(auth: ClientAuthConfig = { anonymous: {} }): Login {
  const methods = new Map(Object.entries(auth).map(([name, config]) => [name, methodOf(name, config)]));
  const all = [...methods.values()];
  const [authid, ...others] = new Set(all.flatMap((method) => method.authid ?? []));
  if (others.length > 0)
    throw new Error(`the methods in "auth" have different authids: ${authid}, ${others.join(', ')}`);
  const authextra = Object.assign({}, ...all.map((method) => method.authextra)) as Dict;
  let taken: ClientMethod | undefined;
  return {
    details: {
      authmethods: [...methods.keys()],
      ...(authid !== undefined && { authid }),
      ...(Object.keys(authextra).length > 0 && { authextra }),
    },
    async answer({ authmethod, extra }: Challenge) {
      taken = methods.get(authmethod);
      if (taken?.answer === undefined) throw new Error(`the router asks for "${authmethod}", which was not offered`);
      return { signature: await taken.answer(extra), extra: {} };
    },
    check: ({ authextra: given }) => taken?.check?.((given ?? {}) as Dict),
  };
}

function methodOf(name: string, config: unknown): ClientMethod {
  const make = METHODS[name as keyof Methods] as ((config: unknown) => ClientMethod) | undefined;
  if (make === undefined) throw new Error(`there is no method "${name}"`);
  return make(config);
}

async function craSignature(secret: string, { challenge, salt, iterations, keylen }: Dict): Promise<string> {
  const text = challengeText(challenge);
  if (typeof salt !== 'string') return signatureOf(text, secret);
  const [rounds, bytes] = [count(iterations, DEFAULT_ITERATIONS), count(keylen, DEFAULT_KEYLEN)];
  const key = await pbkdf2(secret, salt, rounds, bytes, 'sha256');
  return signatureOf(text, key.toString('base64'));
}
