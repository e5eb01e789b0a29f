/**
 * How somebody shows who he is, by the method: what HELLO says, the answer to CHALLENGE, and what WELCOME has to prove. A proof is made
 * anew for each connection. All cryptography is that of the browser.
 */
import { Failure } from './failure.js';

/** The beginning of an Ed25519 private key in PKCS #8; its 32 octets follow. */
const PKCS8 = '302e020100300506032b657004220420';
/** Spaces, and characters that are not visible, as SASLprep (RFC 4013) maps them; the node does the same to names. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g;

const text = new TextEncoder();
const binary = (bytes) => String.fromCharCode(...new Uint8Array(bytes));
const base64 = (bytes) => btoa(binary(bytes));
const fromBase64 = (coded) => Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
const hex = (bytes) => Array.from(new Uint8Array(bytes), (octet) => octet.toString(16).padStart(2, '0')).join('');
const fromHex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const prepared = (name) => name.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');

async function hmac(key, message) {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', imported, text.encode(message));
}

async function pbkdf2(password, salt, iterations, octets) {
  const key = await crypto.subtle.importKey('raw', text.encode(password), 'PBKDF2', false, ['deriveBits']);
  return crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, octets * 8);
}

/** A secret as it is, whatever the node makes of it. */
export function asItIs(authmethod) {
  return ({ authid, secret }) => ({ authmethods: [authmethod], authid, answer: () => [secret] });
}

/** WAMP-CRA. A salted user has the derived key as Base64, which is what the other side keeps. */
export function wampcra({ authid, secret }) {
  return {
    authmethods: ['wampcra'],
    authid,
    async answer({ challenge, salt, keylen = 32, iterations = 1000 }) {
      const derived = salt === undefined ? secret : base64(await pbkdf2(secret, text.encode(salt), iterations, keylen));
      return [base64(await hmac(text.encode(derived), challenge))];
    },
  };
}

/** SCRAM as the specification of WAMP has it: the node shows that it knows the password, too. */
export function scram({ authid, secret }) {
  const nonce = base64(crypto.getRandomValues(new Uint8Array(16)));
  let verifier;
  return {
    authmethods: ['wamp-scram'],
    authid,
    authextra: { nonce, channel_binding: null },
    async answer({ nonce: whole, salt, iterations, kdf }) {
      if (kdf !== 'pbkdf2') {
        throw new Failure(
          'The node asks for Argon2, which browsers do not have. Log in in another way, or have the password of this user derived by pbkdf2.',
        );
      }
      if (!whole.startsWith(nonce)) throw new Failure('The node answered to another login.');
      const name = prepared(authid).replaceAll('=', '=3D').replaceAll(',', '=2C');
      const signed = `n=${name},r=${nonce},r=${whole},s=${salt},i=${iterations},c=biws,r=${whole}`;
      const salted = await pbkdf2(prepared(secret), fromBase64(salt), iterations, 32);
      const clientKey = new Uint8Array(await hmac(salted, 'Client Key'));
      const mask = new Uint8Array(await hmac(await crypto.subtle.digest('SHA-256', clientKey), signed));
      verifier = base64(await hmac(await hmac(salted, 'Server Key'), signed));
      return [base64(clientKey.map((octet, i) => octet ^ mask[i])), { nonce: whole, channel_binding: null }];
    },
    isProven: ({ authextra }) => verifier !== undefined && authextra?.verifier === verifier,
  };
}

/** The node knows the public key, which finds the user as well. */
export async function cryptosign({ authid, secret }) {
  const key = await privateKey(secret);
  const { x } = await crypto.subtle.exportKey('jwk', key);
  const pubkey = hex(fromBase64(x.replaceAll('-', '+').replaceAll('_', '/')));
  return {
    authmethods: ['cryptosign'],
    ...(authid !== '' && { authid }),
    authextra: { pubkey, channel_binding: null },
    async answer({ challenge }) {
      const signature = await crypto.subtle.sign('Ed25519', key, fromHex(challenge));
      return [hex(signature) + challenge];
    },
  };
}

/** 64 hex digits, alone or in a key file of Crossbar.io, or PKCS #8 as OpenSSL writes it; a field has no line ends. */
async function privateKey(typed) {
  const digits = /^\s*([0-9a-f]{64})\s*$|private-key-ed25519:\s*([0-9a-f]{64})/i.exec(typed);
  const pem = /-----BEGIN PRIVATE KEY-----([^-]+)-----END/.exec(typed);
  try {
    const der = digits ? fromHex(PKCS8 + (digits[1] ?? digits[2])) : fromBase64(pem[1].replace(/\s/g, ''));
    return await crypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign']);
  } catch {
    throw new Failure('This is no private key. It has 64 hex digits, or is an Ed25519 key in PEM (PKCS #8).');
  }
}
