/**
 * Clients of every authentication method that asks for a secret, with the config that knows them: for the contract of the
 * methods, and for the daemon.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, pbkdf2Sync, sign as signWith } from 'node:crypto';

import type { AuthRequest, Challenge, ClientInfo } from '../../src/auth/method.js';
import { ISSUER, issuerSection, SECRET, signedByHand } from './tokens.js';

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
  /** Who vouches for joe. Then no principals are in the config, and nobody else can be asked for them. */
  readonly vouchedBy?: string;
}

/** What the static section of a client says of joe. */
export function joeOf({ config }: AuthClient): Extra {
  const [section] = Object.values(config) as readonly Readonly<Record<string, { readonly joe?: Extra }>>[];
  return section?.['principals']?.joe ?? section?.['users']?.joe ?? {};
}

/** The word of the config for the method of a client. */
export function sectionOf({ config }: AuthClient): string {
  return Object.keys(config)[0] ?? '';
}

/** The same as an authenticator answers it. */
export function answerAbout(player: AuthClient): Extra {
  const { authorized_keys: keys, ...rest } = joeOf(player);
  return Array.isArray(keys) ? { ...rest, pubkey: keys[0] as unknown } : rest;
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

const SCRAM_SALT = '5b6d99689d12358eeca04b14123006fa';

/** What SCRAM makes of a password. */
export function scramKeys(password: string, saltHex: string, iterations: number) {
  const salted = pbkdf2Sync(password, Buffer.from(saltHex, 'hex'), iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const serverKey = createHmac('sha256', salted).update('Server Key').digest();
  return { clientKey, storedKey, serverKey };
}

const CLIENT_NONCE = Buffer.from('a client nonce').toString('base64');

const SCRAM_KEPT = scramKeys(secretOf(true), SCRAM_SALT, 100);

/** What is left of the password of joe. */
export const SCRAM_JOE = {
  kdf: 'pbkdf2',
  iterations: 100,
  salt: SCRAM_SALT,
  'stored-key': SCRAM_KEPT.storedKey.toString('hex'),
  'server-key': SCRAM_KEPT.serverKey.toString('hex'),
} as const;

/** What a client of SCRAM answers. @param c the channel part of what both sides sign. */
export function scramProof(challenge: Extra, authid: string, clientNonce: string, c: string, knows = true): string {
  const [nonce, salt, iterations] = ['nonce', 'salt', 'iterations'].map((key) => String(challenge[key]));
  const saltHex = Buffer.from(salt ?? '', 'base64').toString('hex');
  const { clientKey, storedKey } = scramKeys(secretOf(knows), saltHex, Number(iterations));
  const text = `n=${authid},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${c},r=${nonce}`;
  const signature = createHmac('sha256', storedKey).update(text).digest();
  return Buffer.from(clientKey.map((octet, i) => octet ^ (signature[i] ?? 0))).toString('base64');
}

/** @param c the channel part of what both sides sign. */
function scramClient(name: string, authmethod: string, c: string): AuthClient {
  return {
    name,
    authmethod,
    config: { scram: { type: 'static', principals: { joe: { ...SCRAM_JOE, role: 'user' } } } },
    secrets: [secretOf(true), SCRAM_JOE['stored-key'], SCRAM_JOE['server-key']],
    hello: (authid) => ({ authid, authextra: { nonce: CLIENT_NONCE, channel_binding: null } }),
    answer: ({ extra }, authid, knows) => ({
      signature: scramProof(extra, authid, CLIENT_NONCE, c, knows),
      extra: { nonce: extra['nonce'], channel_binding: null, cbind_data: null },
    }),
  };
}

/** An Ed25519 key pair out of 32 octets in hex. */
export function keyPair(seed: string) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { seed, privateKey, pubkey: Buffer.from(x, 'base64url').toString('hex') };
}

/** What a client of cryptosign answers. */
export function cryptosignAnswer(challenge: unknown, { privateKey }: ReturnType<typeof keyPair>): string {
  const message = Buffer.from(String(challenge), 'hex');
  return Buffer.concat([signWith(null, message, privateKey), message]).toString('hex');
}

export const JOE_KEYS = keyPair('4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510');
export const JIM_KEYS = keyPair('d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd');

const cryptosign: AuthClient = {
  name: 'cryptosign',
  authmethod: 'cryptosign',
  config: {
    cryptosign: { type: 'static', principals: { joe: { authorized_keys: [JOE_KEYS.pubkey], role: 'user' } } },
  },
  secrets: [JOE_KEYS.seed],
  hello: (authid) => ({ authid, authextra: { pubkey: JOE_KEYS.pubkey, channel_binding: null } }),
  answer: ({ extra }, _authid, knows) => ({
    signature: cryptosignAnswer(extra['challenge'], knows ? JOE_KEYS : JIM_KEYS),
  }),
};

/** A token of joe, whatever HELLO says: it names its user itself. */
const jwt: AuthClient = {
  name: 'jwt',
  authmethod: 'jwt',
  config: { jwt: { issuers: [issuerSection({ secret: SECRET })], expire: 'close', max_length: 8192 } },
  secrets: [SECRET],
  hello: (authid) => ({ authid }),
  answer: (_challenge, _authid, knows) => ({ signature: signedByHand(knows ? SECRET : `not ${SECRET}`, Date.now()) }),
  replayable: true,
  vouchedBy: ISSUER,
};

export const AUTH_CLIENTS: readonly AuthClient[] = [
  ticket,
  wampcra,
  saltedWampcra,
  scramClient('wamp_scram', 'wamp-scram', 'biws'),
  scramClient('scram', 'scram', ''),
  cryptosign,
  jwt,
];

/** Those whose principals an authenticator may have as well. */
export const ASKABLE_CLIENTS = AUTH_CLIENTS.filter(({ vouchedBy }) => vouchedBy === undefined);
