/**
 * Whose fault an uncaught error is. Components run in this process, so what they forget to catch (a promise that nobody
 * waits for, a timer) ends up where our own bugs do. The stack tells them apart: code that is neither ours, nor of the
 * packages that are installed for us, nor of Node.js was brought by the operator.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { errorCode } from '../system/error.js';
import { hasModules } from '../system/module.js';

/** Where this program and its packages are installed. */
const OURS = installedIn(path.resolve(import.meta.dirname, '../..'));

/** The place of a stack line: `at f (file:///x.js:1:2)`, `at async /x.js:1:2`. */
const PLACE = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/;

/**
 * @returns where in the code of a component an error comes from, as `file:line:column`. Undefined when it is our own, when
 * the stack does not say, and when there are no components. What is thrown without being an `Error` has no stack; we throw
 * no such things.
 */
export function foreignFrame(error: unknown): string | undefined {
  if (!hasModules()) return undefined;
  if (!(error instanceof Error) || isStandIn(error)) return 'unknown';
  return typeof error.stack === 'string' ? firstForeign(error.stack, OURS) : undefined;
}

/** What Node.js makes of a rejection with something that is no `Error`. */
function isStandIn(error: Error): boolean {
  return errorCode(error) === 'ERR_UNHANDLED_REJECTION';
}

/** @param ours a directory. Pure. */
export function firstForeign(stack: string, ours: string): string | undefined {
  for (const line of stack.split('\n')) {
    const place = PLACE.exec(line)?.[1];
    if (place === undefined || !line.trimStart().startsWith('at ')) continue;
    const file = place.startsWith('file:') ? fileURLToPath(place) : place;
    if (!file.startsWith(ours + path.sep)) return file;
  }
  return undefined;
}

/** Packages of ours may lie beside us: then everything there counts as ours, to be on the safe side. */
export function installedIn(root: string): string {
  const above = path.dirname(root);
  return path.basename(above) === 'node_modules' ? above : root;
}
