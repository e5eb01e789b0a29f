/** Whether there is what the components of Python of a worker are run with. What their modules are shows only when they run. */
import { stat } from 'node:fs/promises';

import { runsPython } from '../../component/python-rules.js';
import type { Look } from '../../schema/look.js';
import { isExecutable } from '../guest/executable.js';
import { noProgram } from './python-program.js';
import type { PythonOptions } from './python-program.js';

/** The look `python`. The value is the worker. */
export const lookAtPython: Look<{
  readonly options: PythonOptions;
  readonly components: readonly { readonly type: string }[];
}> = async ({ options, components }, { report, warn }) => {
  if (!components.some(({ type }) => runsPython(type))) return;
  const { python, pythonpath = [] } = options;
  if (python !== undefined && !(await isExecutable(python))) report(['options', 'python'], noProgram(python));
  for (const [index, directory] of pythonpath.entries()) {
    if (!(await isThere(directory))) {
      warn(['options', 'pythonpath', String(index)], `there is no ${directory}, so no module is found there`);
    }
  }
};

/** It need not be a directory: Python also searches in archives. */
async function isThere(place: string): Promise<boolean> {
  try {
    await stat(place);
    return true;
  } catch {
    return false; // not there, or not for us
  }
}
