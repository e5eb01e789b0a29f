/**
 * Randomness that can be repeated: the same seed and the same name give the same draws. Every connection draws from a stream
 * of its own, so that it does not matter in which order the connections come to their turn.
 */

/** What `ABUSE_SEED` says, or another one each time. */
export const SEED = process.env['ABUSE_SEED'] ?? String(Math.floor(Math.random() * 2 ** 32));

export class Random {
  readonly #name: string;
  #state: number;

  /** @param name whatever tells this stream from others; the same name draws the same. */
  constructor(name: string) {
    this.#name = name;
    this.#state = hash(name);
  }

  /** A stream of its own for a part of the work. */
  fork(part: string | number): Random {
    return new Random(`${this.#name}/${part}`);
  }

  /** 0 <= x < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** A size: mostly small, now and then close to `most`. */
  size(most: number): number {
    return Math.floor(most ** this.next());
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)];
    if (choice === undefined && choices.length === 0) throw new Error('nothing to choose from');
    return choice as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) bytes[at] = this.next() * 256;
    return bytes;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of Buffer.from(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h;
}

/** Octets flipped, cut out, doubled and put in: what a broken or hostile client makes of a good message. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let left = random.size(6); left > 0 && result.length > 0; left--) {
    const at = random.between(0, result.length - 1);
    const end = Math.min(result.length, at + random.size(64));
    const kind = random.between(0, 3);
    if (kind === 0) result[at] = random.between(0, 255);
    else if (kind === 1) result = Buffer.concat([result.subarray(0, at), result.subarray(end)]);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, end), result.subarray(at)]);
    else result = Buffer.concat([result.subarray(0, at), random.bytes(random.size(32)), result.subarray(at)]);
  }
  return result;
}
