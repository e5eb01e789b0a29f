/**
 * The asking side of probe.js: flags that preload it, and its questions as promises with a time limit.
 *
 *     const child = spawn(process.execPath, [...PROBE_FLAGS, 'program.js'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
 *     const probe = new Probe(child);
 *     await probe.memory();
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** For Node.js, before the program. */
export const PROBE_FLAGS = ['--import', pathToFileURL(path.join(import.meta.dirname, 'probe.js')).href];

/** A heap snapshot of a large process takes seconds, and a busy loop answers late. */
const PATIENCE_SECONDS = 60;

/**
 * @typedef {import('node:child_process').ChildProcess} ChildProcess
 * @typedef {{ resolve: (answer: any) => void, reject: (reason: Error) => void }} Asked
 */

export class Probe {
  #child;
  #lastId = 0;
  /** Questions without an answer yet. @type {Map<number, Asked>} */
  #asked = new Map();

  /** @param {ChildProcess} child started with {@link PROBE_FLAGS} and an IPC channel */
  constructor(child) {
    this.#child = child;
    child.on('message', (message) => this.#onAnswer(/** @type {any} */ (message)));
    child.once('disconnect', () => this.#rejectAll(new Error('the probed process has gone')));
    // Whoever waits for an answer has a timer; the channel itself is no reason to stay.
    child.channel?.unref();
  }

  /**
   * Timers that came late since the last question; the first one starts the watch and answers zeros.
   *
   * @param {{ resolution?: number, stop?: boolean }} [options] ms between two looks (5); whether this is the last question
   * @returns {Promise<import('./probe.js').LoopDelay>}
   */
  loopDelay(options = {}) {
    return this.ask('loop-delay', options);
  }

  /** @returns {Promise<import('./probe.js').Memory>} after the garbage has been collected */
  memory() {
    return this.ask('memory');
  }

  /**
   * @param {readonly string[]} classes
   * @returns {Promise<Record<string, number>>} live objects by class
   */
  objects(classes) {
    return this.ask('objects', { classes });
  }

  /** @returns {Promise<void>} */
  startProfile() {
    return this.ask('profile-start');
  }

  /**
   * @param {string} file that the CPU profile is written to, by the probed process
   * @returns {Promise<void>}
   */
  stopProfile(file) {
    return this.ask('profile-stop', { file });
  }

  /**
   * @param {string} question
   * @param {object} [details]
   * @param {number} [seconds] how long an answer is waited for
   * @returns {Promise<any>}
   */
  ask(question, details = {}, seconds = PATIENCE_SECONDS) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const fail = (/** @type {Error} */ reason) => this.#asked.get(id)?.reject(reason);
      const timer = setTimeout(() => fail(new Error(`no answer to "${question}" in ${seconds} s`)), seconds * 1000);
      const settle = () => {
        clearTimeout(timer);
        this.#asked.delete(id);
      };
      this.#asked.set(id, {
        resolve: (answer) => (settle(), resolve(answer)),
        reject: (reason) => (settle(), reject(reason)),
      });
      if (!this.#child.connected) fail(new Error('the probed process has gone, or has no channel'));
      else this.#child.send({ ...details, ask: question, probe: id }, (error) => error !== null && fail(error));
    });
  }

  /** @param {{ probe?: number, answer?: unknown, error?: string }} message */
  #onAnswer({ probe, answer, error }) {
    const asked = this.#asked.get(probe ?? -1);
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(error));
  }

  /** @param {Error} reason */
  #rejectAll(reason) {
    for (const { reject } of [...this.#asked.values()]) reject(reason);
  }
}
