/** The program of fronts, and of the process that keeps them: see `parent.ts` and `front-process.ts`. */
import cluster from 'node:cluster';
import { FRONT_ORDER, keepFronts } from './parent.js';
import type { FrontOrder } from './parent.js';

async function runFront(): Promise<void> {
  const { FrontProcess } = await import('./front-process.js');
  new FrontProcess(JSON.parse(process.env[FRONT_ORDER] ?? '{}') as FrontOrder).run();
}

if (cluster.isPrimary) {
  const [link = '', count = '1'] = process.argv.slice(2);
  keepFronts(link, Number(count));
  // Not awaited at the top: what it loads may share a chunk with this file, which would wait for itself.
} else void runFront();
