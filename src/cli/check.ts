/**
 * `crossbar-ts check`: is this config right, and is there what it names? Reads, starts nothing. With `--explain` it says instead
 * what a role may do, and why.
 */
import path from 'node:path';

import type { Command } from 'commander';

import { formatProblem, invalidConfig } from '../config/error.js';
import { loadConfig } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';
import { look } from '../node/look.js';
import { explain, EXPLAIN_ONLY } from './explain.js';
import type { ExplainOptions } from './explain.js';

export interface CheckOptions extends ExplainOptions {
  readonly explain?: boolean;
  readonly statedir?: string;
}

/**
 * Prints one line when all is well, or the answer to a question.
 * @param action what the question is about, with a `uri`; else undefined.
 * @throws ConfigError with every problem when not.
 */
export async function check(
  action: string | undefined,
  uri: string | undefined,
  options: CheckOptions,
  command: Command,
): Promise<void> {
  if (options.explain === true) return explain({ ...options, action, uri }, command);
  const stray = action ?? EXPLAIN_ONLY.filter((key) => options[key] !== undefined).map((key) => `--${key}`)[0];
  if (stray !== undefined) command.error(`error: "${stray}" is for a question: add --explain`);
  const cbdir = resolveCbdir({ option: options.cbdir, env: process.env, cwd: process.cwd() });
  const { config, strict, statedir } = options;
  const context = { cbdir, statedir, env: process.env, strict };
  const loaded = await loadConfig({ ...context, ...(config === undefined ? {} : { config }) });
  const { problems, warnings } = await look(loaded, { cbdir: path.resolve(cbdir) });
  for (const warning of [...loaded.warnings, ...warnings]) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  for (const note of loaded.notes) process.stderr.write(`note: ${formatProblem(note)}\n`);
  if (problems.length > 0) throw invalidConfig(problems);
  process.stdout.write(`OK: ${loaded.file}\n`);
}
