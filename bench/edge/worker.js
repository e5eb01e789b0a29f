/**
 * A process of `npm run bench:edge` that plays one part: clients that ask, listen, publish, call or flood. It is started
 * by crew.js and does what it is told over IPC, so that no part is measured by a process that is busy with another.
 */
import os from 'node:os';
import { Audience } from './audience.js';
import { Callers } from './callers.js';
import { Flooder } from './flooder.js';
import { IdleClients } from './idle-clients.js';
import { Prober } from './prober.js';
import { Publishers } from './publishers.js';
import { Stuck } from './stuck.js';

const LOWER = 5;

/** @type {Record<string, new (url: URL) => Record<string, (...args: any[]) => unknown>>} */
const PARTS = /** @type {any} */ ({ Audience, Callers, Flooder, IdleClients, Prober, Publishers, Stuck });

const [name = '', url = ''] = process.argv.slice(2);
const Part = PARTS[name];
if (Part === undefined) throw new Error(`there is no part "${name}"`);
// Where processors are few, the load must not take them from what is measured.
if (name !== 'Prober') os.setPriority(Math.min(os.getPriority() + LOWER, os.constants.priority.PRIORITY_LOW));
const part = new Part(new URL(url));

process.on('message', async (/** @type {{ id: number, method: string, args: unknown[] }} */ { id, method, args }) => {
  try {
    process.send?.({ id, answer: await part[method]?.(...args) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
// Nobody is left to play for.
process.on('disconnect', () => process.exit());
