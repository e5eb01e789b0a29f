/** Whether there is an archive that the service `archive` can serve: what its start finds out, too. Nothing is downloaded. */
import type { Look } from '../../schema/look.js';
import { cannotServe, problemOf } from './source.js';
import { ZipFile } from './zip-file.js';
import type { ArchiveConfig } from './schema.js';

/** The look `archive`. A file that is not there, or is another, may be downloaded. */
export const lookAtArchive: Look<ArchiveConfig> = async (config, { report }) => {
  try {
    const problem = await problemOf(config);
    if (problem === undefined) await (await ZipFile.open(config.archive)).close();
    else if (!config.download) throw problem;
  } catch (error) {
    report(['archive'], cannotServe(config, error));
  }
};
