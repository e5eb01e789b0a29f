/**
 * `crossbar-ts check`: is this config right? Reads, starts nothing.
 */
import { formatProblem } from '../config/error.js';
import { loadConfig } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';

export interface CheckOptions {
  readonly cbdir?: string;
  readonly config?: string;
}

/** Prints one line when all is well. @throws ConfigError with every problem when not. */
export async function check(options: CheckOptions): Promise<void> {
  const cbdir = resolveCbdir({ option: options.cbdir, env: process.env, cwd: process.cwd() });
  const { config } = options;
  const loaded = await loadConfig({ cbdir, env: process.env, ...(config === undefined ? {} : { config }) });
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  process.stdout.write(`OK: ${loaded.file}\n`);
}
