/** Follows the links in paths. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Follows the links in a path. */
export type RealPath = (file: string) => string;

/** @returns the path without links, as far as it exists. */
export const realPathOf: RealPath = (file) => {
  try {
    return realpathSync(file);
  } catch {
    // Not there, or not to be read: what is above it may be a link all the same.
    return dirname(file) === file ? file : join(realPathOf(dirname(file)), basename(file));
  }
};
