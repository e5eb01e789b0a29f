/** Options of a worker for components of Python: where it has none, they say nothing. */
import type { Rules } from '../schema/rules.js';

const IN_PYTHON = ['class', 'function'];
const OPTIONS = ['python', 'pythonpath', 'env'];

/** Notes options of a worker that only Python would read. */
export const notePythonOptions: Rules = (worker, { note }) => {
  const types = worker.get('components').items();
  if (types.some((component) => IN_PYTHON.includes(component.get('type').text() ?? ''))) return;
  for (const key of OPTIONS) {
    const { missing, path } = worker.at('options', key);
    if (!missing) note(path, `"${key}" has no effect: no Python runs in this worker`);
  }
};
