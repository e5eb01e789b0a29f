/**
 * How long the event loop of this process was busy without a break: processor time of its thread between two looks of a timer.
 * Whoever waits for an answer waits that long at least, on any machine. Other processes do not count: a thread that does
 * not run uses nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Between two looks, unless told. What the loop does in short turns meanwhile is part of the figure. */
const LOOK_MS = 5;
/** `USER_HZ`; see proc.js. */
const MS_PER_TICK = 10;

export class TurnWatch {
  #file = openThreadFile();
  #buffer = Buffer.alloc(1024);
  #last = 0;
  #longest = 0;
  #timer;

  /** @param {number} [lookMs] between two looks */
  constructor(lookMs = LOOK_MS) {
    this.#last = this.#read();
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  /** @returns {number} the longest stretch since the last question, in milliseconds */
  take() {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  stop() {
    clearInterval(this.#timer);
    closeSync(this.#file.fd);
  }

  #look() {
    const now = this.#read();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }

  /** @returns {number} milliseconds of processor time of the thread */
  #read() {
    const { fd, parse } = this.#file;
    return parse(this.#buffer.toString('latin1', 0, readSync(fd, this.#buffer, 0, this.#buffer.length, 0)));
  }
}

/** The main thread has the number of its process. Nanoseconds where the kernel counts them, else steps of 10 ms. */
function openThreadFile() {
  const thread = `/proc/self/task/${process.pid}`;
  try {
    return {
      fd: openSync(`${thread}/schedstat`, 'r'),
      parse: (/** @type {string} */ text) => parseInt(text, 10) / 1e6,
    };
  } catch {
    return { fd: openSync(`${thread}/stat`, 'r'), parse: ticksOf };
  }
}

/** @param {string} text */
function ticksOf(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
