/** A node, its honest clients, and one attack after the other. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Target } from './target.js';

const HERE = import.meta.dirname;
/** Honest clients come from 127.0.0.1. */
const ELSEWHERE = '127.0.0.66';
/** For a word of a process: none of them has so much to do. */
const PATIENCE_MS = 120_000;

/**
 * @typedef {object} Outcome
 * @property {string} attack
 * @property {string} what
 * @property {number} rounds
 * @property {number} turnedAway
 * @property {import('./honest.js').Account & { p99Ms: number }} honest
 * @property {number} peakRssBytes
 * @property {number} peakFiles
 * @property {number} logBytes
 * @property {boolean} alive
 */

export class Scene {
  #target;
  #honest;

  /**
   * @param {Target} target
   * @param {import('node:child_process').ChildProcess} honest
   */
  constructor(target, honest) {
    this.#target = target;
    this.#honest = honest;
  }

  /** @param {string | undefined} program the `bin/crossbar-ts.js` of another build */
  static async start(program) {
    const target = await Target.start(program);
    const honest = fork(path.join(HERE, 'honest.js'), [String(target.ports.port)]);
    try {
      await wordOf(honest, 'the honest clients');
    } catch (error) {
      honest.kill();
      await target.stop();
      throw error;
    }
    return new Scene(target, honest);
  }

  get isAlive() {
    return this.#target.isAlive;
  }

  /**
   * @param {import('./attacks.js').Attack} attack
   * @param {number} seconds
   * @param {boolean} [isBehindProxy] the attacker has the address that everybody has
   * @returns {Promise<Outcome>}
   */
  async play({ name, what }, seconds, isBehindProxy = false) {
    await this.#ask('watch');
    const logBefore = this.#target.logBytes;
    const watched = this.#target.watch();
    try {
      const { port, rawPort } = this.#target.ports;
      const args = [name, port, rawPort, seconds, isBehindProxy ? '127.0.0.1' : ELSEWHERE];
      const attacker = fork(path.join(HERE, 'attacker.js'), args.map(String));
      const said = await wordOf(attacker, `the attack "${name}"`);
      const honest = await this.#ask('account');
      const { peakRssBytes, peakFiles } = watched();
      const logBytes = this.#target.logBytes - logBefore;
      return { attack: name, what, ...said, honest, peakRssBytes, peakFiles, logBytes, alive: this.isAlive };
    } finally {
      // Where nobody has asked for it: a timer keeps this process.
      watched();
    }
  }

  /** @returns {Promise<undefined>} */
  async end() {
    // Who has ended by itself cannot be told, and the node is stopped in any case.
    if (this.#honest.connected) this.#honest.send('leave');
    await this.#target.stop();
    return undefined;
  }

  /** @param {'watch' | 'account'} what */
  async #ask(what) {
    this.#honest.send(what);
    return wordOf(this.#honest, 'the honest clients');
  }
}

/** @param {import('node:child_process').ChildProcess} child @param {string} who */
async function wordOf(child, who) {
  const told = new AbortController();
  const { signal } = told;
  try {
    const heard = await Promise.race([
      once(child, 'message', { signal }).then(([word]) => ({ word })),
      once(child, 'exit', { signal }).then(() => 'has ended'),
      sleep(PATIENCE_MS, `has said nothing for ${PATIENCE_MS} ms`, { signal }),
    ]);
    if (typeof heard === 'string') throw new Error(`the process of ${who} ${heard}`);
    return heard.word;
  } finally {
    told.abort();
  }
}
