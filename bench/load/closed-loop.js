/**
 * A closed loop: a fixed number of messages is under way, and each one that has arrived everywhere makes room for the
 * next. The same loop drives routers and baselines, so that all of them see the same client.
 */
import { performance } from 'node:perf_hooks';

const MAX_LATENCIES = 200_000;

export class ClosedLoop {
  #window;
  #arrivalsEach;
  #send;
  #limit;
  /** Arrivals still to come, by number modulo window: numbers under way never span more than the window. */
  #missing;
  #startedAt;
  #latencies = /** @type {number[]} */ ([]);
  #sent = 0;
  #oldest = 0;
  #running = false;
  #onDrained = () => undefined;

  /**
   * @param {object} options
   * @param {number} options.window how many messages are under way
   * @param {number} [options.arrivalsEach] how often one message arrives: once per receiver
   * @param {number} [options.limit] how many are sent in all
   * @param {(number: number) => void} options.send
   */
  constructor({ window, arrivalsEach = 1, limit = Infinity, send }) {
    this.#window = window;
    this.#arrivalsEach = arrivalsEach;
    this.#send = send;
    this.#limit = limit;
    this.#missing = new Int32Array(window);
    this.#startedAt = new Float64Array(window);
  }

  /** How many messages were sent: their numbers are 0 .. sent-1. */
  get sent() {
    return this.#sent;
  }

  /** Whether all that may be sent has been, and has arrived. */
  get isComplete() {
    return this.#sent === this.#limit && this.#oldest === this.#limit;
  }

  start() {
    this.#running = true;
    this.#fill();
  }

  /** Forgets the latencies seen until now: the warm-up is over. */
  startTiming() {
    this.#latencies = [];
  }

  /** @param {number} number of a message that one of its receivers got, each for the first time */
  arrived(number) {
    const slot = number % this.#window;
    const missing = /** @type {number} */ (this.#missing[slot]) - 1;
    this.#missing[slot] = missing;
    if (missing > 0) return;
    if (this.#latencies.length < MAX_LATENCIES) {
      this.#latencies.push(performance.now() - /** @type {number} */ (this.#startedAt[slot]));
    }
    while (this.#oldest < this.#sent && /** @type {number} */ (this.#missing[this.#oldest % this.#window]) <= 0)
      this.#oldest++;
    this.#fill();
    if (this.#oldest === this.#sent) this.#onDrained();
  }

  /**
   * Sends no more and waits until everything has arrived.
   *
   * @param {number} seconds the longest wait; what is missing then counts as lost
   * @returns {Promise<void>}
   */
  drain(seconds) {
    this.#running = false;
    if (this.#oldest === this.#sent) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#onDrained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  latencies() {
    return percentiles(this.#latencies);
  }

  #fill() {
    while (this.#running && this.#sent - this.#oldest < this.#window && this.#sent < this.#limit) {
      const number = this.#sent++;
      const slot = number % this.#window;
      this.#missing[slot] = this.#arrivalsEach;
      this.#startedAt[slot] = performance.now();
      this.#send(number);
    }
  }
}

/**
 * @param {readonly number[]} values in milliseconds
 * @returns {{ p50: number, p99: number, max: number } | undefined}
 */
export function percentiles(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return sorted.length === 0 ? undefined : { p50: at(0.5), p99: at(0.99), max: at(1) };
}
