/** The package that takes forms apart, which is not installed with this one. */
import { optionalPackage } from '../../system/optional-package.js';
import type busboy from 'busboy';

/** Makes a parser for one form. */
export type MakeParser = typeof busboy;

/** @throws OptionalPackageError (rejects) when it is missing. */
export async function loadBusboy(): Promise<MakeParser> {
  const { default: make } = await optionalPackage('busboy', 'a service of type "upload"', () => import('busboy'));
  return make;
}
