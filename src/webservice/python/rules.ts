/** What is checked of applications of Python, beyond what the schema can say. */
import type { Rules } from '../../schema/rules.js';

const MAX_THREADS = 20;

/** Rule of `wsgi`: no more threads wait than there are. */
export const checkThreads: Rules = (service, { report }) => {
  const least = service.get('minthreads').number() ?? 0;
  const most = service.get('maxthreads').number() ?? MAX_THREADS;
  if (least <= most) return;
  report(service.get('minthreads').path, `found ${least} (allowed: no more than "maxthreads", which is ${most})`);
};

/** Rule of `module`: it is no file. */
export const checkModule: Rules = (module, { warn }) => {
  const name = module.text();
  if (name?.endsWith('.py') !== true) return;
  warn(
    module.path,
    `found ${JSON.stringify(name)}, the name of a file; the module is "${name.slice(0, -'.py'.length)}"`,
  );
};
