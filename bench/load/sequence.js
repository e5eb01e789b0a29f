/**
 * Exactly once and in order: numbered payloads, and the account of what became of the numbers.
 *
 * Pure. A payload is a text of a fixed size that begins with its number; a receiver hands the number to a `Sequence`,
 * which notes in `Violations` what was lost, doubled, late or damaged.
 */

const NUMBER_DIGITS = 12;

/** What went wrong in a measurement: kinds with counts, and the first example of each. */
export class Violations {
  /** @type {Map<string, number>} */
  #counts = new Map();
  /** @type {string[]} */
  #examples = [];

  /**
   * @param {string} kind
   * @param {string} example
   * @param {number} [count]
   */
  add(kind, example, count = 1) {
    if (!this.#counts.has(kind)) this.#examples.push(`${kind}: ${example}`);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  get total() {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toJSON() {
    return { total: this.total, counts: Object.fromEntries(this.#counts), examples: this.#examples };
  }
}

/** The numbers that one receiver has to get: 0, 1, 2, ... */
export class Sequence {
  #next = 0;
  /** Numbers that were jumped over and may still come. @type {Set<number>} */
  #skipped = new Set();
  #name;
  #violations;

  /**
   * @param {string} name of the receiver, for the report
   * @param {Violations} violations
   */
  constructor(name, violations) {
    this.#name = name;
    this.#violations = violations;
  }

  /** The number that has to come now. */
  get next() {
    return this.#next;
  }

  /**
   * @param {number} number NaN for a payload that is not as it was sent
   * @param {number} sent how many numbers were sent until now
   * @returns {boolean} whether it came rightly and for the first time
   */
  accept(number, sent) {
    if (number === this.#next && number < sent) {
      this.#next++;
      return true;
    }
    if (!Number.isInteger(number) || number < 0 || number >= sent) {
      this.#violations.add('damaged', `${this.#name} got a payload that was not sent, waiting for ${this.#next}`);
      return false;
    }
    if (number > this.#next) {
      for (let skipped = this.#next; skipped < number; skipped++) this.#skipped.add(skipped);
      this.#next = number + 1;
      return true;
    }
    if (this.#skipped.delete(number)) {
      this.#violations.add('out of order', `${this.#name} got ${number} after ${this.#next - 1}`);
      return true;
    }
    this.#violations.add('duplicate', `${this.#name} got ${number} again`);
    return false;
  }

  /**
   * The last word, when nothing is under way any more.
   *
   * @param {number} sent how many numbers were sent
   */
  finish(sent) {
    const lost = this.#skipped.size + Math.max(0, sent - this.#next);
    const first = this.#skipped.values().next().value ?? this.#next;
    if (lost > 0) this.#violations.add('lost', `${this.#name} did not get ${first}`, lost);
  }
}

/** Builds and checks the payloads of one size. */
export class Payloads {
  #filler;
  #size;

  /** @param {number} size in bytes; at least 12, which is the room for the number */
  constructor(size) {
    if (!(size >= NUMBER_DIGITS)) throw new RangeError(`a payload has at least ${NUMBER_DIGITS} bytes`);
    this.#size = size;
    this.#filler = 'x'.repeat(size - NUMBER_DIGITS);
  }

  /** How many characters at the beginning of a payload are its number. */
  get digits() {
    return NUMBER_DIGITS;
  }

  /** @param {number} number */
  build(number) {
    return String(number).padStart(NUMBER_DIGITS, '0') + this.#filler;
  }

  /**
   * @param {unknown} payload
   * @returns {number} its number; NaN when it is not as it was sent
   */
  numberIn(payload) {
    if (typeof payload !== 'string' || payload.length !== this.#size || !payload.endsWith(this.#filler)) return NaN;
    return Number(payload.slice(0, NUMBER_DIGITS));
  }
}
