/**
 * `crossbar-ts check`: is this config right, and is there what it names? Reads, starts nothing.
 */
import path from 'node:path';

import { formatProblem, invalidConfig } from '../config/error.js';
import { loadConfig } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';
import { look } from '../node/look.js';

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
  const { problems, warnings } = await look(loaded, { cbdir: path.resolve(cbdir) });
  for (const warning of [...loaded.warnings, ...warnings]) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  for (const note of loaded.notes) process.stderr.write(`note: ${formatProblem(note)}\n`);
  if (problems.length > 0) throw invalidConfig(problems);
  process.stdout.write(`OK: ${loaded.file}\n`);
}
