/** What a table was measured on, and what makes its figures worse than they should be. */
import { statfsSync } from 'node:fs';
import os from 'node:os';
import { loadAverage } from './proc.js';

const TMPFS_MAGIC = 0x01021994;
const BUSY_LOAD = 0.7;

/** @returns {string[]} one line about the machine, and a line for each warning */
export function machine() {
  const [cpu] = os.cpus();
  const load = loadAverage();
  const lines = [
    `${cpu?.model.trim() ?? 'unknown CPU'}, ${os.cpus().length} cores, Linux ${os.release()}, Node.js ${process.version}, load average ${load}`,
  ];
  if (load > BUSY_LOAD)
    lines.push('WARNING: other programs keep this machine busy; the figures will be worse than they should be');
  if (statfsSync(os.tmpdir()).type === TMPFS_MAGIC) {
    lines.push(
      `WARNING: ${os.tmpdir()} is in memory: a durable file costs nothing there; set TMPDIR to a directory on a disk`,
    );
  }
  return lines;
}
