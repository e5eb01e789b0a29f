/**
 * `crossbar-ts upgrade`: writes a config of version 1 as version 2. What is wrong is not written, and the old file is kept.
 */
import { formatProblem } from '../config/error.js';
import { loadUpgrade } from '../config/version1/load-upgrade.js';
import { resolveCbdir } from '../node/cbdir.js';
import { NodeError } from '../node/error.js';
import { messageOf } from '../system/error.js';
import { replaceFile } from '../system/replace-file.js';

export interface UpgradeOptions {
  readonly cbdir?: string;
  readonly config?: string;
  /** Prints the new text, and writes nothing. */
  readonly dryRun?: boolean;
}

/** Says in one line what was done. @throws ConfigError with every problem; then the file is untouched. */
export async function upgrade({ cbdir: option, config, dryRun = false }: UpgradeOptions): Promise<void> {
  const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
  const given = config === undefined ? {} : { config };
  const { file, before, after, warnings } = await loadUpgrade({ cbdir, env: process.env, ...given });
  for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  if (after === undefined) process.stdout.write(`${file} is of version 2 already: nothing to do\n`);
  else if (dryRun) process.stdout.write(after);
  else process.stdout.write(`${file} is of version 2 now; the old one is ${await replaced(file, before, after)}\n`);
}

async function replaced(file: string, before: Uint8Array, after: string): Promise<string> {
  try {
    return await replaceFile({ file, before, after, suffix: '.v1' });
  } catch (cause) {
    const reason = messageOf(cause);
    throw new NodeError('ERR_NODE_DIRECTORY', `${file} cannot be replaced and is untouched: ${reason}`, { cause });
  }
}
