/**
 * Cryptosign (section "Cryptosign-based Authentication"): the client signs 32 random octets of the router with its private key
 * (Ed25519). The router knows public keys only, so there is nothing to steal from it.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { createAsking } from '../dynamic/asking.js';
import { channelBinding, channelId } from '../channel-binding.js';
import { exclusiveOr, sameBytes } from '../constant-time.js';
import { neededText } from '../dynamic/answer.js';
import { credentialFault, credentialMark } from '../credential.js';
import { accept, denied, deny } from '../verdict.js';
import type { DynamicConfig, FunctionConfig } from '../dynamic/schema.js';
import type { ChannelBinding } from '../channel-binding.js';
import type { CryptosignConfig, CryptosignPrincipal } from './schema.js';
import type {
  AuthDeps,
  AuthMethod,
  AuthMethodType,
  AuthRequest,
  Challenge,
  ClientInfo,
  Deny,
  Principal,
} from '../method.js';

const CHALLENGE_BYTES = 32;
const SIGNATURE_BYTES = 64;

export const cryptosign: AuthMethodType<CryptosignConfig | DynamicConfig | FunctionConfig> = {
  type: 'cryptosign',
  create: (config, deps) => (config.type === 'static' ? fixed(config, deps) : asking(config, deps)),
};

function fixed({ principals }: CryptosignConfig, { uris }: AuthDeps): AuthMethod {
  const known = new Map(Object.entries(principals));
  const owners = ownersOf(principals);
  return {
    start(request, { client }) {
      const opening = readOpening(request, client, uris);
      if ('reason' in opening) return opening;
      const { pubkey } = opening;
      const authid = request.authid ?? owners.get(pubkey) ?? '';
      const found = known.get(authid);
      // An unknown client is challenged all the same, and refused whatever it signs.
      const principal =
        found !== undefined && has(found, pubkey) ? principalOf(authid, found, request.realm, pubkey) : undefined;
      return cryptosignChallenge({ ...opening, principal }, uris);
    },

    faultOf(login) {
      const { authid, authrole, authrealm } = login;
      const { role, realm = authrealm, authorized_keys: keys = [] } = known.get(authid) ?? {};
      if (role !== authrole || realm !== authrealm) return 'no such principal';
      return credentialFault(
        login,
        keys.map((key) => credentialMark('cryptosign', authid, key.toLowerCase())),
      );
    },
  };
}

/** The authenticator tells the public key of the client; the signature is checked here. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start(request, context) {
      const opening = readOpening(request, context.client, deps.uris);
      if ('reason' in opening) return opening;
      const { pubkey } = opening;
      // The key stands in for a missing authid.
      return ask({ request, context, authid: request.authid ?? pubkey }, (principal, answer) => {
        const granted = neededText('pubkey', answer['pubkey'], PUBLIC_KEY).toLowerCase();
        const signatory = { ...opening, principal: granted === pubkey ? principal : undefined };
        return cryptosignChallenge(signatory, deps.uris);
      });
    },
  };
}

/** @returns public key -> the first principal that has it. */
function ownersOf(principals: Readonly<Record<string, CryptosignPrincipal>>): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [authid, { authorized_keys: keys }] of Object.entries(principals)) {
    for (const key of keys) if (!owners.has(key.toLowerCase())) owners.set(key.toLowerCase(), authid);
  }
  return owners;
}

function has({ authorized_keys: keys }: CryptosignPrincipal, pubkey: string): boolean {
  return keys.some((key) => key.toLowerCase() === pubkey);
}

function principalOf(authid: string, { role, realm }: CryptosignPrincipal, asked: string, pubkey: string): Principal {
  const credential = credentialMark('cryptosign', authid, pubkey);
  return {
    realm: realm ?? asked,
    authid,
    authrole: role,
    authmethod: 'cryptosign',
    authprovider: 'static',
    credential,
  };
}

const PUBLIC_KEY = /^[0-9a-f]{64}$/i;

/** What a client says in HELLO: its public key, in lower case, and how its signature is bound. */
type Opening = Omit<Signatory, 'principal'>;

function readOpening(
  { authextra }: AuthRequest,
  client: ClientInfo,
  { denied: reason }: AuthDeps['uris'],
): Opening | Deny {
  const pubkey = authextra?.['pubkey'];
  if (typeof pubkey !== 'string' || !PUBLIC_KEY.test(pubkey)) {
    return deny(reason, 'authextra.pubkey must be an Ed25519 public key in hex');
  }
  const binding = channelBinding(authextra?.['channel_binding'], client);
  if (binding === undefined) return deny(reason, 'this connection does not have that channel_binding');
  return { pubkey: pubkey.toLowerCase(), binding };
}

interface Signatory {
  readonly pubkey: string;
  /** The principal with this key; undefined when there is none. */
  readonly principal: Principal | undefined;
  readonly binding: ChannelBinding;
}

/** Asks for a signature by a key. */
function cryptosignChallenge({ pubkey, principal, binding }: Signatory, uris: AuthDeps['uris']): Challenge {
  const challenge = randomBytes(CHALLENGE_BYTES);
  const message = binding === 'none' ? challenge : exclusiveOr(challenge, channelId(binding.data));
  return {
    type: 'challenge',
    authmethod: 'cryptosign',
    extra: { challenge: challenge.toString('hex'), channel_binding: binding === 'none' ? null : binding.type },
    resume(signature) {
      const isSigned = verifySignature(signature, message, pubkey);
      return isSigned && principal !== undefined ? accept(principal) : denied(uris);
    },
  };
}

/**
 * @param signature the signature, followed by the message that was signed, in hex.
 * @returns whether `message`, and no other message, was signed with the private key of `pubkey`.
 */
export function verifySignature(signature: string, message: Uint8Array, pubkey: string): boolean {
  const bytes = Buffer.from(signature, 'hex');
  if (signature.length !== 2 * (SIGNATURE_BYTES + CHALLENGE_BYTES) || bytes.length * 2 !== signature.length)
    return false;
  const isOurs = sameBytes(bytes.subarray(SIGNATURE_BYTES), message);
  return verify(null, message, keyOf(pubkey), bytes.subarray(0, SIGNATURE_BYTES)) && isOurs;
}

function keyOf(pubkey: string): ReturnType<typeof createPublicKey> {
  const x = Buffer.from(pubkey, 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
