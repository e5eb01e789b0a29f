/** Which components are Python; and the options of a worker for them, which say nothing where it has none. */
import type { Rules } from '../schema/rules.js';

const IN_PYTHON: readonly string[] = ['class', 'function'];
const OPTIONS = ['python', 'pythonpath', 'env'];

/** @param type of a component. @returns whether it is Python. */
export function runsPython(type: string): boolean {
  return IN_PYTHON.includes(type);
}

/** Notes options of a worker that only Python would read. */
export const notePythonOptions: Rules = (worker, { note }) => {
  const components = worker.get('components').items();
  if (components.some((component) => runsPython(component.get('type').text() ?? ''))) return;
  for (const key of OPTIONS) {
    const { missing, path } = worker.at('options', key);
    if (!missing) note(path, `"${key}" has no effect: no Python runs in this worker`);
  }
};
