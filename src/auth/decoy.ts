/**
 * Decoys: a client that asks for an unknown `authid` gets a challenge as for a principal of the config, with the same salt every
 * time. So trying names tells nothing about who exists.
 */
import { createHash, createHmac } from 'node:crypto';

/** A salt is imitated with the first of these alphabets that has all of its characters. */
const ALPHABETS: readonly (readonly [all: RegExp, characters: string])[] = [
  [/^[0-9]*$/, '0123456789'],
  [/^[0-9a-f]*$/, '0123456789abcdef'],
  [/^[0-9A-F]*$/, '0123456789ABCDEF'],
  [/^[a-z0-9]*$/, 'abcdefghijklmnopqrstuvwxyz0123456789'],
  [/^[A-Za-z0-9]*$/, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'],
];
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Makes up principals of a method. They depend only on the secrets of the config, so they are the same after a restart. */
export class Decoys {
  readonly #key: Uint8Array;

  /** @param secrets all secrets of the method. */
  constructor(secrets: readonly string[]) {
    this.#key = createHash('sha256').update(JSON.stringify(secrets)).digest();
  }

  /** @returns the principal that an unknown `authid` is made to look like; undefined when there are none. */
  pick<T>(authid: string, principals: readonly T[]): T | undefined {
    return principals[this.bytes('principal', authid, 4).readUInt32BE() % principals.length];
  }

  /** @returns a salt that looks like `salt`. */
  salt(authid: string, salt: string): string {
    const [, alphabet] = ALPHABETS.find(([all]) => all.test(salt)) ?? [undefined, BASE64];
    const bytes = this.bytes('salt', authid, 2 * salt.length);
    return Array.from(salt, (_, i) => alphabet[bytes.readUInt16BE(2 * i) % alphabet.length]).join('');
  }

  /** @returns `length` bytes that nobody without the secrets can predict. */
  bytes(what: string, authid: string, length: number): Buffer {
    const blocks: Buffer[] = [];
    for (let i = 0; i * 32 < length; i++) {
      const text = JSON.stringify([what, i, authid]);
      blocks.push(createHmac('sha256', this.#key).update(text).digest());
    }
    return Buffer.concat(blocks).subarray(0, length);
  }
}
