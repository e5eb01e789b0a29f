/** Whether there is what the Python of a worker is run with. What its modules are shows only when they run. */
import { stat } from 'node:fs/promises';

import { runsPython } from '../../component/python-rules.js';
import type { Look } from '../../schema/look.js';
import { messageOf } from '../../system/error.js';
import { servesPython } from '../../webservice/python/places.js';
import { findPython } from './python-program.js';
import type { PythonOptions } from './python-program.js';

/** The look `python`. The value is the worker. */
export const lookAtPython: Look<{
  readonly options: PythonOptions;
  readonly components: readonly { readonly type: string }[];
  readonly transports?: readonly unknown[];
}> = async ({ options, components, transports = [] }, { env, report, warn }) => {
  if (!components.some(({ type }) => runsPython(type)) && !transports.some(servesPython)) return;
  const { python, pythonpath = [] } = options;
  try {
    await findPython(python, env);
  } catch (error) {
    report(python === undefined ? [] : ['options', 'python'], messageOf(error));
  }
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
