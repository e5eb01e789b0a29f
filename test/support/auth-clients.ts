/**
 * Clients of every authentication method that asks for a secret, with the config that knows them: for the contract of the
 * methods, and for the daemon.
 */
import { createHmac, pbkdf2Sync } from 'node:crypto';

import type { AuthRequest, Challenge, ClientInfo } from '../../src/auth/method.js';

type Extra = Readonly<Record<string, unknown>>;

export interface AuthClient {
  readonly name: string;
  /** The name in HELLO. */
  readonly authmethod: string;
  /** An `auth` section in which `joe` is a principal of role `user`. */
  readonly config: object;
  /** Words that nobody may see. */
  readonly secrets: readonly string[];
  /** What somebody says in HELLO beside the method, as joe or as another one. */
  hello(authid: string): Pick<Partial<AuthRequest>, 'authid' | 'authextra'>;
  /** What is at the other end of the connection. */
  readonly client?: Partial<ClientInfo>;
  /** The answer of somebody who knows joe's secret, or only thinks so. */
  answer(
    challenge: Pick<Challenge, 'extra'>,
    authid: string,
    knows: boolean,
  ): { readonly signature: string; readonly extra?: Extra };
  /** The answer to one challenge is good for another one as well. */
  readonly replayable?: boolean;
}

const secretOf = (knows: boolean): string => (knows ? 'the secret of joe' : 'the secret of jim');

const ticket: AuthClient = {
  name: 'ticket',
  authmethod: 'ticket',
  config: { ticket: { type: 'static', principals: { joe: { ticket: secretOf(true), role: 'user' } } } },
  secrets: [secretOf(true)],
  hello: (authid) => ({ authid }),
  answer: (_challenge, _authid, knows) => ({ signature: secretOf(knows) }),
  replayable: true,
};

/** What a client of WAMP-CRA answers. */
function sign(challenge: unknown, key: string): string {
  return createHmac('sha256', key).update(String(challenge)).digest('base64');
}

/** How a client of WAMP-CRA makes the key out of the password. */
export function deriveKey(password: string, { salt, iterations, keylen }: Extra): string {
  return pbkdf2Sync(password, String(salt), Number(iterations), Number(keylen), 'sha256').toString('base64');
}

const craUsers = (user: object): object => ({ wampcra: { type: 'static', users: { joe: { role: 'user', ...user } } } });

const wampcra: AuthClient = {
  name: 'wampcra',
  authmethod: 'wampcra',
  config: craUsers({ secret: secretOf(true) }),
  secrets: [secretOf(true)],
  hello: (authid) => ({ authid }),
  answer: ({ extra }, _authid, knows) => ({ signature: sign(extra['challenge'], secretOf(knows)) }),
};

const CRA_SALT = { salt: 'salt123', iterations: 100, keylen: 16 };
const craKey = deriveKey(secretOf(true), CRA_SALT);

const saltedWampcra: AuthClient = {
  name: 'wampcra_salted',
  authmethod: 'wampcra',
  config: craUsers({ secret: craKey, ...CRA_SALT }),
  secrets: [secretOf(true), craKey],
  hello: (authid) => ({ authid }),
  answer: ({ extra }, _authid, knows) => ({ signature: sign(extra['challenge'], deriveKey(secretOf(knows), extra)) }),
};

export const AUTH_CLIENTS: readonly AuthClient[] = [ticket, wampcra, saltedWampcra];
