/** Whether the keys of token issuers can be read. Nothing is fetched: an issuer that is down stops no node. */
import type { Look } from '../../schema/look.js';
import { OptionalPackageError } from '../../system/optional-package.js';
import { loadJose } from './jwt.js';
import { KeyFileError, readKeyFile } from './key-file.js';
import type { JwtConfig } from './schema.js';

/** The look `jwt`. */
export const lookAtJwt: Look<JwtConfig> = async ({ issuers }, { report }) => {
  try {
    const jose = await loadJose();
    for (const [index, { keys }] of issuers.entries()) {
      if (keys === undefined) continue;
      await readKeyFile(keys, jose).catch((error: unknown) => {
        if (!(error instanceof KeyFileError)) throw error;
        report(['issuers', String(index), 'keys'], error.message);
      });
    }
  } catch (error) {
    if (!(error instanceof OptionalPackageError)) throw error;
    report([], error.message);
  }
};
