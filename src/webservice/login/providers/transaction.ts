/**
 * A login that is under way at a provider. It is sealed into a cookie of the browser that began it, so nothing of it is kept here:
 * strangers can begin as many as they like, a restart does no harm, and nobody else can go on with it.
 *
 *     Set-Cookie: cblogin_<digest of state>=<IV, ciphertext and tag of AES-256-GCM in Base64url>
 *
 * The name of the cookie and that of the provider are sealed with it: a transaction is of no use under another state, or at another
 * provider. Pure, but for random bytes.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { drawBytes } from '../../../system/random.js';

/** What is remembered of a login until the browser comes back. */
export interface Transaction {
  /** In milliseconds since 1970. */
  readonly begunMs: number;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
  /** Comes back in the ID token. */
  readonly nonce: string;
  /** Where the browser goes then: an absolute URL of the site. */
  readonly returnTo: string;
}

/** How long a user may take at the provider. */
export const TRANSACTION_MS = 600_000;

const NAME = /^cblogin_[A-Za-z0-9_-]{22}$/;
const CIPHER = 'aes-256-gcm';
const [IV_BYTES, TAG_BYTES, KEY_BYTES] = [12, 16, 32];

/** @returns a text that nobody guesses: `state`, a nonce, a verifier. */
export function randomText(): string {
  return drawBytes(32).toString('base64url');
}

/** @returns the name of the cookie for a `state`. It tells nothing about it. */
export function transactionName(state: string): string {
  return `cblogin_${createHash('sha256').update(state).digest('base64url').slice(0, 22)}`;
}

/** @returns whether a cookie may hold a transaction. */
export function isTransactionName(name: string): boolean {
  return NAME.test(name);
}

/** Seals and opens transactions. */
export class TransactionSeal {
  readonly #keys: readonly Buffer[];

  /**
   * @param secrets those of the cookies: the first seals, all open. Undefined: a key that this process makes up, so that logins under
   *   way end with it.
   */
  constructor(secrets: readonly string[] | undefined) {
    this.#keys = secrets?.map(keyOf) ?? [randomBytes(KEY_BYTES)];
  }

  /** @param context what it is for, beside its name: it does not open in another one. */
  seal({ begunMs, verifier, nonce, returnTo }: Transaction, name: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const [key = Buffer.alloc(0)] = this.#keys;
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(associated(name, context));
    const text = JSON.stringify([begunMs, verifier, nonce, returnTo]);
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** @returns undefined for what was not sealed here for this name and context, or too long ago. */
  open(sealed: string, name: string, context: string, nowMs: number): Transaction | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
    for (const key of this.#keys) {
      const text = opened(bytes, key, associated(name, context));
      if (text !== undefined) return inTime(text, nowMs);
    }
    return undefined;
  }
}

function keyOf(secret: string): Buffer {
  // The same secret signs cookies: the label keeps the two uses apart (RFC 5869).
  return Buffer.from(hkdfSync('sha256', secret, '', 'crossbar-ts cblogin', KEY_BYTES));
}

function associated(name: string, context: string): Buffer {
  return Buffer.from(JSON.stringify([name, context]), 'utf8');
}

function opened(bytes: Buffer, key: Buffer, aad: Buffer): string | undefined {
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(aad).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    // The tag does not fit: another key, or somebody changed it.
    return undefined;
  }
}

/** @param text of ours: nobody else could seal it. */
function inTime(text: string, nowMs: number): Transaction | undefined {
  const [begunMs, verifier, nonce, returnTo] = JSON.parse(text) as [number, string, string, string];
  const isOver = nowMs >= begunMs + TRANSACTION_MS;
  return isOver ? undefined : { begunMs, verifier, nonce, returnTo };
}
