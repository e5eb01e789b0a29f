/**
 * What is checked of the service `static`: directories that are served must not hold what is the node's own. The service finds
 * none of it (`file-lookup.ts`); here the author of the config learns what was wrong about it.
 */
import { relative, resolve, sep } from 'node:path';

import type { Place, RuleContext, Rules } from '../../schema/rules.js';

/** Rule of the section. */
export const checkDirectory: Rules = (service, context) => {
  const directory = service.get('directory');
  const text = directory.text();
  if (text === undefined || text === '') return;
  const { cbdir, realPath, report } = context;
  const served = realPath(resolve(cbdir, text));
  if (served === realPath(cbdir)) {
    const found = JSON.stringify(text);
    report(directory.path, `found ${found}, which is the node directory (allowed: a directory of its own)`);
  } else {
    checkFiles(directory, text, served, context);
  }
};

/** Rule of the options: what is accepted, but does less than it seems to. */
export const checkOptions: Rules = (options, { note }) => {
  const seconds = options.get('cache_timeout');
  if ((seconds.number() ?? 0) < 0) note(seconds.path, `found ${String(seconds.value)}, which means the same as 0`);
  for (const { path } of options.get('mime_types').entries()) {
    const extension = path.at(-1) ?? '';
    if (extension.startsWith('.')) continue;
    const [found, meant] = [JSON.stringify(extension), JSON.stringify(`.${extension}`)];
    note(path, `${found} has no effect, because a file extension begins with a dot; did you mean ${meant}?`);
  }
};

function checkFiles(
  { path }: Place,
  text: string,
  served: string,
  { cbdir, realPath, privateFiles, report, warn }: RuleContext,
): void {
  const own = realPath(cbdir);
  if (isShown(own, served)) {
    warn(
      path,
      `${JSON.stringify(text)} holds the node directory, which is not served; give the pages a directory of their own`,
    );
  }
  const isBelowOwn = isBelow(served, own);
  for (const file of privateFiles()) {
    const real = realPath(resolve(cbdir, file));
    if (!isShown(real, served) || (isBelow(real, own) && !isBelowOwn)) continue;
    const [found, there] = [JSON.stringify(text), JSON.stringify(file)];
    report(path, `found ${found}, where ${there} is (allowed: a directory without files of the node)`);
  }
}

/** Whether what is at `file` can be asked for: nothing with a dot in front is served. Both without links in them. */
export function isShown(file: string, directory: string): boolean {
  // What is called a directory may be one file.
  if (file === directory) return true;
  if (!isBelow(file, directory)) return false;
  return relative(directory, file)
    .split(sep)
    .every((name) => !name.startsWith('.') || name === '.well-known');
}

function isBelow(file: string, directory: string): boolean {
  return file.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
