/** Whether providers of a login have their packages. Nothing is fetched: a provider that is down stops no node. */
import { OptionalPackageError } from '../../../system/optional-package.js';
import { loadPackages } from './packages.js';
import type { Look } from '../../../schema/look.js';
import type { ProvidersConfig } from './schema.js';

/** The look `login providers`. */
export const lookAtLoginProviders: Look<ProvidersConfig> = async (providers, { report }) => {
  if (Object.keys(providers).length === 0) return;
  try {
    await loadPackages();
  } catch (error) {
    if (!(error instanceof OptionalPackageError)) throw error;
    report([], error.message);
  }
};
