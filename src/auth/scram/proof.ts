/**
 * The computations of SCRAM (RFC 5802) in the two dialects of WAMP: that of the specification (`wamp-scram`) and that of
 * Crossbar.io and autobahn-python (`scram`). The router only compares; it never derives anything from a password.
 */
import { createHash, createHmac } from 'node:crypto';
import { exclusiveOr, sameBytes } from '../constant-time.js';
import type { ChannelBinding } from '../channel-binding.js';

/** What client and router have told each other. */
export interface ScramExchange {
  /** After SASLprep. */
  readonly authid: string;
  readonly clientNonce: string;
  /** The whole nonce of CHALLENGE. */
  readonly nonce: string;
  /** In Base64, as in CHALLENGE. */
  readonly salt: string;
  readonly iterations: number;
  readonly binding: ChannelBinding;
}

/** Where the two dialects differ. */
export interface ScramDialect {
  /** @returns the nonce of CHALLENGE. */
  nonce(clientNonce: string, ours: Uint8Array): string;
  /** @returns the text that both sides sign. */
  authMessage(exchange: ScramExchange): string;
  /** The key in WELCOME.Details.authextra under which the router proves itself. */
  readonly verifier: string;
  /** Whether AUTHENTICATE.Extra must repeat the nonce. */
  readonly repeatsNonce: boolean;
  /** Whether a client may bind its connection. */
  readonly bindsChannel: boolean;
}

/** By the name of the method in HELLO. */
export const SCRAM_DIALECTS: Readonly<Record<string, ScramDialect>> = {
  'wamp-scram': {
    nonce: (clientNonce, ours) => clientNonce + Buffer.from(ours).toString('base64'),
    authMessage: (exchange) => messageOf(exchange, escaped(exchange.authid), channelInput(exchange.binding)),
    verifier: 'verifier',
    repeatsNonce: true,
    bindsChannel: true,
  },
  scram: {
    // Decoded and encoded again, so that the result is one Base64 text.
    nonce: (clientNonce, ours) => Buffer.concat([Buffer.from(clientNonce, 'base64'), ours]).toString('base64'),
    authMessage: (exchange) => messageOf(exchange, exchange.authid, ''),
    verifier: 'scram_server_signature',
    repeatsNonce: false,
    bindsChannel: false,
  },
};

function messageOf({ clientNonce, nonce, salt, iterations }: ScramExchange, name: string, channel: string): string {
  return `n=${name},r=${clientNonce},r=${nonce},s=${salt},i=${iterations},c=${channel},r=${nonce}`;
}

/** Escapes commas and equals signs, which separate the parts of the text (RFC 5802, `saslname`). */
function escaped(authid: string): string {
  return authid.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** @returns the GS2 header, followed by the data of the channel binding, in Base64. */
function channelInput(binding: ChannelBinding): string {
  if (binding === 'none') return Buffer.from('n,,').toString('base64');
  return Buffer.concat([Buffer.from(`p=${binding.type},,`), binding.data]).toString('base64');
}

/** @returns whether ClientProof was made with the key that StoredKey is the hash of. @param proof in Base64 */
export function isClientProof(proof: string, storedKey: Uint8Array, authMessage: string): boolean {
  const bytes = Buffer.from(proof, 'base64');
  const clientKey = exclusiveOr(hmac(storedKey, authMessage), bytes);
  const isThere = sameBytes(createHash('sha256').update(clientKey).digest(), storedKey);
  return isThere && bytes.length === 32 && bytes.toString('base64') === proof;
}

/** @returns ServerSignature in Base64: it proves to the client that the router knows ServerKey. */
export function serverSignature(serverKey: Uint8Array, authMessage: string): string {
  return hmac(serverKey, authMessage).toString('base64');
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
