/**
 * Numbers of 53 bits put in another order, which only a key tells: a Feistel network, whose rounds are AES. Every number comes out for
 * exactly one that went in. So numbers that mean something become ids that look drawn at random, and no two are alike.
 */
import { createCipheriv } from 'node:crypto';

/** How many bits a number has, and its two halves: 53 is odd. */
const HIGH = 2 ** 26;
const LOW = 2 ** 27;

/** Four are enough against somebody who sees many numbers, and each costs less than a microsecond. */
const ROUNDS = 8;

const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

/** One permutation of the numbers from 0 to 2^53 - 1. */
export class Permutation {
  /** A block at a time, each alone: without chaining it is the same function each time. */
  readonly #cipher;
  readonly #block = Buffer.alloc(BLOCK_BYTES);

  /** @param key 32 bytes. @throws RangeError when it is of another length. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a key of ${KEY_BYTES} bytes is needed, not ${key.length}`);
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** @param number from 0 to 2^53 - 1. @returns another one. */
  forth(number: number): number {
    let [high, low] = halvesOf(number);
    for (let round = 0; round < ROUNDS; round += 2) {
      high = (high ^ this.#round(round, low)) & (HIGH - 1);
      low = (low ^ this.#round(round + 1, high)) & (LOW - 1);
    }
    return high * LOW + low;
  }

  /** The way back from {@link forth}. */
  back(number: number): number {
    let [high, low] = halvesOf(number);
    for (let round = ROUNDS; round > 0; round -= 2) {
      low = (low ^ this.#round(round - 1, high)) & (LOW - 1);
      high = (high ^ this.#round(round - 2, low)) & (HIGH - 1);
    }
    return high * LOW + low;
  }

  #round(round: number, half: number): number {
    this.#block.writeUInt32BE(round, 0);
    this.#block.writeUInt32BE(half, 4);
    return this.#cipher.update(this.#block).readUInt32BE(0);
  }
}

function halvesOf(number: number): [number, number] {
  return [Math.floor(number / LOW), number % LOW];
}
