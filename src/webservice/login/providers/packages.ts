/** The packages that providers need, which are not installed with this one. */
import { optionalPackage } from '../../../system/optional-package.js';

/** @throws OptionalPackageError (rejects) when one is missing. */
export async function loadPackages(): Promise<void> {
  const neededBy = 'a provider of a login';
  await optionalPackage('openid-client', neededBy, () => import('openid-client'));
  // That one brings it along, but not every installation lets others see it.
  await optionalPackage('jose', neededBy, () => import('jose'));
}
