/** Whether there is the program that a guest runs. Where there is none, the node starts all the same, and the guest does not. */
import { messageOf } from '../../system/error.js';
import type { Look } from '../../schema/look.js';
import { findExecutable, isDirectory } from '../../system/executable.js';
import type { GuestWorkerConfig } from './schema.js';

const noDirectory = (directory: string): string => `there is no directory ${directory}`;

/** The look `guest`. */
export const lookAtGuest: Look<GuestWorkerConfig> = async ({ executable, options }, { cbdir, env, warn }) => {
  const { workdir = cbdir, watch } = options;
  if (!(await isDirectory(workdir))) return warn(['options', 'workdir'], noDirectory(workdir));
  try {
    const { file, insteadOf } = await findExecutable(executable, { workdir, path: env['PATH'] });
    if (insteadOf !== undefined)
      warn(['executable'], `there is no program ${JSON.stringify(insteadOf)}: ${file} is taken instead`);
  } catch (error) {
    warn(['executable'], messageOf(error));
  }
  for (const [index, directory] of (watch?.directories ?? []).entries()) {
    if (!(await isDirectory(directory)))
      warn(['options', 'watch', 'directories', String(index)], noDirectory(directory));
  }
};
