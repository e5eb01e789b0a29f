/**
 * `crossbar-ts check`: is this config right? Reads, starts nothing.
 */
import { formatProblem } from '../config/error.js';
import { loadConfig } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';

export interface CheckOptions {
  readonly cbdir?: string;
  readonly config?: string;
  readonly strict?: boolean;
}

/** Prints one line when all is well. @throws ConfigError with every problem when not. */
export async function check(options: CheckOptions): Promise<void> {
  const cbdir = resolveCbdir({ option: options.cbdir, env: process.env, cwd: process.cwd() });
  const { config, strict } = options;
  const loaded = await loadConfig({ cbdir, env: process.env, strict, ...(config === undefined ? {} : { config }) });
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  for (const note of loaded.notes) process.stderr.write(`note: ${formatProblem(note)}\n`);
  process.stdout.write(`OK: ${loaded.file}\n`);
}
