/** Whether there is a directory that the service `static` can serve: what its start finds out, too. */
import type { Look } from '../../schema/look.js';
import { FileLookup, INDEX_FILE, PrivatePlaceError } from './file-lookup.js';
import { cannotServe, reasonOf } from './root.js';
import type { StaticConfig } from './schema.js';

/** The look `static directory`. Where there is nothing to serve, the node starts and each request looks again. */
export const lookAtStaticDirectory: Look<StaticConfig> = async ({ directory, options }, tools) => {
  try {
    await FileLookup.open(directory, options.default_file ?? INDEX_FILE, tools.privatePaths);
  } catch (error) {
    const tell = error instanceof PrivatePlaceError ? tools.report : tools.warn;
    tell(['directory'], cannotServe(directory, reasonOf(error)));
  }
};
