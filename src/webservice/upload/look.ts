/** Whether a service `upload` has its package, and a directory of its own: what its start finds out, too. */
import { OptionalPackageError } from '../../system/optional-package.js';
import { loadBusboy } from './packages.js';
import type { Look } from '../../schema/look.js';
import type { UploadConfig } from './schema.js';

/** The look `upload`. The directories are made at the start. */
export const lookAtUpload: Look<UploadConfig> = async (_config, { report }) => {
  try {
    await loadBusboy();
  } catch (error) {
    if (!(error instanceof OptionalPackageError)) throw error;
    report([], error.message);
  }
};
