/**
 * `crossbar-ts convert`: writes a config in the other format, JSON as YAML or YAML as JSON. The file itself stays as it is.
 */
import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { convertConfig } from '../config/convert/convert.js';
import { formatProblem } from '../config/error.js';
import { defaultConfigOf } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';
import { NodeError } from '../node/error.js';
import { errorCode, messageOf } from '../system/error.js';

export interface ConvertOptions {
  readonly cbdir?: string;
  readonly config?: string;
  /** The new file; default: beside the old one, with the other ending. */
  readonly output?: string;
  /** Replaces a file that is there. */
  readonly force?: boolean;
}

/** Says what was written, and which file a start reads from now on. @throws ConfigError, NodeError */
export async function convert({ cbdir: option, config, output, force = false }: ConvertOptions): Promise<void> {
  const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
  const given = config === undefined ? {} : { config };
  const { file, converted, text, losesComments, warnings } = await convertConfig({ cbdir, env: process.env, ...given });
  const target = output === undefined ? converted : resolve(output);
  if (target === file) throw new NodeError('ERR_NODE_DIRECTORY', `${target} is the config itself`);
  for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  await write(target, text, { mode: (await stat(file)).mode & 0o777, force });
  const lines = [`${target} is written, ${file} is untouched`];
  if (losesComments) lines.push('its comments are lost: JSON has none');
  const read = await defaultConfigOf(dirname(target));
  if (read !== undefined && dirname(target) === dirname(file)) lines.push(`a start reads ${read}`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** There may be secrets in it: it gets the mode of the file that it comes from. */
async function write(file: string, text: string, { mode, force }: { mode: number; force: boolean }): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const why =
      errorCode(cause) === 'EEXIST'
        ? 'is there already; --force replaces it'
        : `cannot be written: ${messageOf(cause)}`;
    throw new NodeError('ERR_NODE_DIRECTORY', `${file} ${why}`, { cause });
  }
}
