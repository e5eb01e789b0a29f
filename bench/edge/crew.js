/** Starts the processes that play a part (worker.js), and asks them. */
import { fork } from 'node:child_process';
import path from 'node:path';

const WORKER = path.join(import.meta.dirname, 'worker.js');
/** To open 10,000 sessions takes a while. */
const PATIENCE_SECONDS = 120;

export class Crew {
  #url;
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];

  /** @param {string} url of the server that all of them play with */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {'Audience' | 'Callers' | 'Flooder' | 'IdleClients' | 'Prober' | 'Publishers' | 'Stuck'} part
   * @returns {(method: string, ...args: unknown[]) => Promise<any>} asks it
   */
  start(part) {
    const child = fork(WORKER, [part, this.#url]);
    this.#children.push(child);
    /** @type {Map<number, (message: { answer?: unknown, error?: string }) => void>} */
    const asked = new Map();
    let lastId = 0;
    child.on('message', (message) => {
      const { id, ...outcome } = /** @type {{ id: number }} */ (message);
      asked.get(id)?.(outcome);
    });
    child.on('exit', (code) => {
      for (const settle of asked.values()) settle({ error: `the process has ended with ${code}` });
    });
    return (method, ...args) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        const what = `${part}.${method}`;
        const timer = setTimeout(
          () => settle({ error: `no answer in ${PATIENCE_SECONDS} s` }),
          PATIENCE_SECONDS * 1000,
        );
        const settle = (/** @type {{ answer?: unknown, error?: string }} */ { answer, error }) => {
          clearTimeout(timer);
          asked.delete(id);
          if (error === undefined) resolve(answer);
          else reject(new Error(`${what}: ${error}`));
        };
        asked.set(id, settle);
        child.send({ id, method, args }, (error) => error !== null && settle({ error: error.message }));
      });
  }

  dismiss() {
    for (const child of this.#children) child.kill();
  }
}
