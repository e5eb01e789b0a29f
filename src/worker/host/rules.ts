/** The options of a worker for its Python, which say nothing where it has none. */
import { runsPython } from '../../component/python-rules.js';
import type { Place, Rules } from '../../schema/rules.js';
import { servesPython } from '../../webservice/python/places.js';

const OPTIONS = ['python', 'pythonpath', 'env'];

/** Notes options of a worker that only Python would read. */
export const notePythonOptions: Rules = (worker, { note, workers }) => {
  const components = worker.get('components').items();
  if (components.some((component) => runsPython(component.get('type').text() ?? ''))) return;
  // The transports of a worker in front of it are its own.
  const others = workers.filter((other) => !other.get('routes').missing);
  if ([worker, ...others].some(hasPythonServices)) return;
  for (const key of OPTIONS) {
    const { missing, path } = worker.at('options', key);
    if (!missing) note(path, `"${key}" has no effect: no Python runs in this worker`);
  }
};

function hasPythonServices(worker: Place): boolean {
  return worker
    .get('transports')
    .items()
    .some(({ value }) => servesPython(value));
}
