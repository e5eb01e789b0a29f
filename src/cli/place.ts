/** Where the node is that a command is about, from the options of the command. */
import { resolveCbdir } from '../node/cbdir.js';
import type { NodePlace } from '../node/commands.js';
import { createReporter } from './logging.js';
import { Output } from './output.js';

/** The options by which a command finds a node. */
export interface PlaceOptions {
  readonly cbdir?: string;
  readonly rundir?: string;
  readonly statedir?: string;
  readonly config?: string;
}

/** @throws NodeError when the node directory does not exist. */
export function placeOf({ cbdir: option, rundir, statedir, config }: PlaceOptions): NodePlace {
  const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
  const output = new Output(process.stderr);
  const noColor = (process.env['NO_COLOR'] ?? '') !== '';
  const { log } = createReporter({ loglevel: 'warn', logformat: 'text', color: 'auto' }, output, noColor);
  return { cbdir, rundir, statedir, config, log };
}
