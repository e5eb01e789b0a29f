/**
 * `crossbar-ts stop`: ends a running node and returns when it is gone.
 */
import { stopNodeOn } from '../node/stopping.js';
import type { StopOutcome } from '../node/stopping.js';
import { EX_NOPERM, EX_UNAVAILABLE } from './exit-codes.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';

export interface StopOptions extends PlaceOptions {
  /** How long the orderly end may take, in seconds; by default what the config of the node allows, and a moment. */
  readonly timeout?: number;
}

interface Ending {
  readonly code: number;
  readonly line: (directory: string) => string;
}

const ENDINGS: Readonly<Record<StopOutcome, Ending>> = {
  stopped: { code: 0, line: () => 'stopped' },
  killed: { code: 1, line: () => 'it had to be ended by force' },
  'not-running': { code: EX_UNAVAILABLE, line: (directory) => `no node runs on ${directory}` },
  'not-allowed': { code: EX_NOPERM, line: () => 'it belongs to another user, who alone can stop it' },
  'still-running': { code: 1, line: () => 'it still runs, and nothing more can be done from here' },
};

/** Exit codes: 0 stopped, 1 by force or not at all, 69 no node runs, 77 it belongs to another user. @throws NodeError */
export async function stop({ timeout, ...options }: StopOptions): Promise<void> {
  const { cbdir, rundir: directory = cbdir } = placeOf(options);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const outcome = await stopNodeOn({ directory, timeoutMs: timeout === undefined ? undefined : timeout * 1000, say });
  const { code, line } = ENDINGS[outcome];
  if (code === 0) say(line(directory));
  else process.stderr.write(`crossbar-ts: ${line(directory)}\n`);
  process.exitCode = code;
}
