/**
 * Compares secrets in a time that does not depend on them. Texts are compared by digest, so that neither their content nor their
 * length shows. The digest of the secret is made once, when the config is read.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** A secret text to compare others with. Only its digest is kept. */
export class SecretText {
  readonly #digest: Uint8Array;

  constructor(text: string) {
    this.#digest = digestOf(text);
  }

  equals(text: string): boolean {
    return timingSafeEqual(digestOf(text), this.#digest);
  }
}

/** @returns whether both are the same. Their length may show. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function digestOf(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** @returns `a` XOR `b`, as long as `a`; a shorter `b` is filled up with zeros. */
export function exclusiveOr(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ (b[i] ?? 0)));
}
