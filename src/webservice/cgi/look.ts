/**
 * Whether there are scripts that the service `cgi` can run, and what runs them. Without either the node starts all the same: both may
 * come later, and each request looks again.
 */
import { findInPath, isDirectory, isExecutable } from '../../system/executable.js';
import { messageOf } from '../../system/error.js';
import type { Look } from '../../schema/look.js';
import type { CgiConfig } from './schema.js';
import { Scripts } from './scripts.js';

/** The look `cgi`. */
export const lookAtCgi: Look<CgiConfig> = async ({ directory, processor, options }, tools) => {
  const { env, privatePaths, report, warn } = tools;
  try {
    await new Scripts(directory, privatePaths).start();
    if (!(await isDirectory(directory))) warn(['directory'], `there is no directory ${directory}: requests get 404`);
  } catch (error) {
    report(['directory'], messageOf(error));
  }
  const searched = options.env['PATH'] ?? env['PATH'];
  if (await isMissing(processor, searched)) {
    const where = processor.includes('/') ? '' : ` in the PATH${searched === undefined ? '' : ` (${searched})`}`;
    warn(['processor'], `there is no program ${JSON.stringify(processor)}${where}: requests get 500`);
  }
};

/** @returns whether nothing can be run by this name. One that is relative depends on the directory of the script. */
async function isMissing(processor: string, searched: string | undefined): Promise<boolean> {
  if (processor.startsWith('/')) return !(await isExecutable(processor));
  return !processor.includes('/') && (await findInPath(processor, searched)) === undefined;
}
