/**
 * Where this program is installed and what version it is. `dist/node` lies as deep as `src/node`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The directory of package.json, `.crossbar/`, `web/` and `templates/`. */
export const PACKAGE_ROOT = path.resolve(import.meta.dirname, '../..');

/** @returns the `version` of package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}
