/**
 * The computations of SCRAM (RFC 5802), in the two dialects that WAMP has: that of the specification (`wamp-scram`) and that
 * of Crossbar.io and autobahn-python (`scram`). The router only compares: nothing is derived from a password here.
 */
import { createHash, createHmac } from 'node:crypto';
import { exclusiveOr, sameBytes } from '../constant-time.js';
import type { ChannelBinding } from '../channel-binding.js';

/** What both sides have said to each other. */
export interface ScramExchange {
  /** Prepared. */
  readonly authid: string;
  readonly clientNonce: string;
  /** The whole one of CHALLENGE. */
  readonly nonce: string;
  /** In Base64, as in CHALLENGE. */
  readonly salt: string;
  readonly iterations: number;
  readonly binding: ChannelBinding;
}

export interface ScramDialect {
  /** How the nonce of CHALLENGE is made. */
  nonce(clientNonce: string, ours: Uint8Array): string;
  /** The text that both sides sign. */
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
    // Decoded and encoded again, so that it is one Base64 text.
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

/** Commas and equals signs mean something in the text (RFC 5802, `saslname`). */
function escaped(authid: string): string {
  return authid.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** The GS2 header, and behind it what the connection is known by. */
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

/** @returns ServerSignature in Base64: shows the client that the router knows ServerKey. */
export function serverSignature(serverKey: Uint8Array, authMessage: string): string {
  return hmac(serverKey, authMessage).toString('base64');
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
