/**
 * SCRAM (section "Salted Challenge Response Authentication Mechanism"): client and router prove to each other that they know a
 * password. The client hashes the password; the config has two keys derived from the hash, and the router hashes nothing.
 *
 * The two names of the method in HELLO are two dialects (`proof.ts`).
 */
import { randomBytes } from 'node:crypto';
import { createAsking } from '../dynamic/asking.js';
import { channelBinding } from '../channel-binding.js';
import { credentialFault, credentialMark } from '../credential.js';
import { countOf, AnswerFault, neededText } from '../dynamic/answer.js';
import { saslprep } from './saslprep.js';
import { isClientProof, SCRAM_DIALECTS, serverSignature } from './proof.js';
import { Decoys } from '../decoy.js';
import { denied, deny, withoutAuthid } from '../verdict.js';
import type { DynamicConfig, FunctionConfig } from '../dynamic/schema.js';
import type { ChannelBinding } from '../channel-binding.js';
import type { AuthContext, AuthDeps, AuthMethod, AuthMethodType, AuthRequest, Challenge, Deny } from '../method.js';
import type { Principal } from '../method.js';
import type { ScramDialect } from './proof.js';
import type { ScramConfig, ScramPrincipal } from './schema.js';
import type { Dict } from '../../wamp/payload.js';

/** As long as what autobahn-python sends. */
const NONCE_BYTES = 16;
/** Base64, and short enough to cost nothing. */
const NONCE = /^[A-Za-z0-9+/]{8,256}={0,2}$/;

export const scram: AuthMethodType<ScramConfig | DynamicConfig | FunctionConfig> = {
  type: 'scram',
  names: Object.keys(SCRAM_DIALECTS),
  create: (config, deps) => (config.type === 'static' ? fixed(config, deps) : asking(config, deps)),
};

function fixed({ principals }: ScramConfig, { uris }: AuthDeps): AuthMethod {
  const known = new Map(Object.entries(principals).map(([authid, found]) => [saslprep(authid) ?? authid, found]));
  const unknown = strangers([...known.values()]);
  return {
    start(request, context): Challenge | Deny {
      const opening = readOpening(request, context, uris);
      if ('reason' in opening) return opening;
      const { authid } = opening;
      // Made for known users, too, so that both take the same time.
      const stranger = unknown(authid);
      const found = known.get(authid) ?? stranger;
      const { realm, authmethod } = request;
      const credential = credentialMark('scram', authid, found['stored-key']);
      const principal = { realm, authid, authrole: found.role, authmethod, authprovider: 'static', credential };
      return scramChallenge(found, principal, opening, uris);
    },

    faultOf(login) {
      const { authid, authrole } = login;
      const found = known.get(authid);
      if (found?.role !== authrole) return 'no such principal';
      return credentialFault(login, [credentialMark('scram', authid, found['stored-key'])]);
    },
  };
}

/** The authenticator tells the derived keys; the proof of the client is checked here. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start(request, context) {
      const opening = readOpening(request, context, deps.uris);
      if ('reason' in opening) return opening;
      const { authid } = opening;
      return ask({ request: { ...request, authid }, context, authid }, (principal, answer) =>
        scramChallenge(credentialsIn(answer), principal, opening, deps.uris),
      );
    },
  };
}

const KEY = /^[0-9a-f]{64}$/i;

/** @throws AnswerFault */
function credentialsIn(answer: Dict): ScramCredentials {
  const { kdf, iterations, memory: kib, salt, 'stored-key': storedKey, 'server-key': serverKey } = answer;
  if (kdf !== 'pbkdf2' && kdf !== 'argon2id13' && kdf !== 'argon2id-13') throw new AnswerFault('"kdf" is unknown');
  const memory = countOf('memory', kib);
  const count = countOf('iterations', iterations);
  if (count === undefined) throw new AnswerFault('"iterations" is missing');
  if (kdf !== 'pbkdf2' && memory === undefined) throw new AnswerFault('"memory" is missing');
  return {
    ...{ kdf, iterations: count, salt: neededText('salt', salt, /^([0-9a-f]{2})+$/i) },
    ...(memory !== undefined && { memory }),
    'stored-key': neededText('stored-key', storedKey, KEY),
    'server-key': neededText('server-key', serverKey, KEY),
  };
}

/** @returns a function that makes up principals: their challenges look real, and nobody knows their passwords. */
function strangers(principals: readonly ScramPrincipal[]): (authid: string) => ScramPrincipal {
  const decoys = new Decoys(principals.map((principal) => principal['stored-key'] + principal['server-key']));
  const nobody: ScramPrincipal = {
    kdf: 'pbkdf2',
    iterations: 4096,
    salt: '00'.repeat(16),
    'stored-key': '',
    'server-key': '',
    role: 'anonymous',
  };
  return (authid) => {
    const like = decoys.pick(authid, principals) ?? nobody;
    const bytes = (what: string, length: number): string => decoys.bytes(what, authid, length).toString('hex');
    const keys = { 'stored-key': bytes('stored', 32), 'server-key': bytes('server', 32) };
    return { ...like, salt: bytes('salt', like.salt.length / 2), ...keys };
  };
}

type ScramCredentials = Omit<ScramPrincipal, 'role'>;

/** What a client says in HELLO. */
interface ScramOpening {
  /** After SASLprep. */
  readonly authid: string;
  readonly nonce: string;
  readonly binding: ChannelBinding;
  readonly dialect: ScramDialect;
}

function readOpening(
  { authid: named, authmethod, authextra }: AuthRequest,
  { client }: AuthContext,
  uris: AuthDeps['uris'],
): ScramOpening | Deny {
  const dialect = SCRAM_DIALECTS[authmethod];
  const authid = named === undefined ? undefined : saslprep(named);
  if (named === undefined || dialect === undefined) return withoutAuthid(uris);
  if (authid === undefined) return denied(uris);
  const nonce = authextra?.['nonce'];
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) {
    return deny(uris.denied, 'authextra.nonce must be a random text in Base64');
  }
  const binding = channelBinding(authextra?.['channel_binding'], client);
  if (binding === undefined || (binding !== 'none' && !dialect.bindsChannel)) {
    return deny(uris.denied, 'this connection does not have that channel_binding');
  }
  return { authid, nonce, binding, dialect };
}

/** Asks for the proof that the client knows the password. */
function scramChallenge(
  { kdf, iterations, memory, salt: hexSalt, ...keys }: ScramCredentials,
  principal: Principal,
  { authid, nonce: clientNonce, binding, dialect }: ScramOpening,
  uris: AuthDeps['uris'],
): Challenge {
  const nonce = dialect.nonce(clientNonce, randomBytes(NONCE_BYTES));
  const salt = Buffer.from(hexSalt, 'hex').toString('base64');
  const storedKey = Buffer.from(keys['stored-key'], 'hex');
  const serverKey = Buffer.from(keys['server-key'], 'hex');
  const authMessage = dialect.authMessage({ authid, clientNonce, nonce, salt, iterations, binding });
  return {
    type: 'challenge',
    authmethod: principal.authmethod,
    extra: { nonce, salt, kdf, iterations, ...(memory !== undefined && { memory }) },
    resume(proof, extra) {
      const isProven = isClientProof(proof, storedKey, authMessage);
      if (!isProven || !repeats(extra, nonce, binding, dialect)) return denied(uris);
      const signature = serverSignature(serverKey, authMessage);
      return { type: 'accept', principal, proof: { [dialect.verifier]: signature } };
    },
  };
}

/** @returns whether what AUTHENTICATE repeats is what was said before. */
function repeats(extra: Dict, nonce: string, binding: ChannelBinding, { repeatsNonce }: ScramDialect): boolean {
  const { nonce: repeated, channel_binding: type, cbind_data: data } = extra;
  if (repeated !== nonce && (repeatsNonce || !isNothing(repeated))) return false;
  if (binding === 'none') return isNothing(type) && isNothing(data);
  if (type !== binding.type) return false;
  return isNothing(data) || data === Buffer.from(binding.data).toString('base64');
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
