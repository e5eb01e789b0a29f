/**
 * Loads an npm package that only some configs need. Such packages are not installed with this one: package.json names them as
 * optional peers, each in the one version that the tests run with.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errorCode, messageOf } from './error.js';

/** A package that the config needs is not installed, or cannot be loaded; the text says how to install it. */
export class OptionalPackageError extends Error {
  readonly code = 'ERR_OPTIONAL_PACKAGE';
  override readonly name = 'OptionalPackageError';
}

/**
 * @param name as in `peerDependencies` of package.json.
 * @param neededBy what in the config needs it, as the beginning of a sentence.
 * @param load `() => import(name)`, with the name written out: so types and the build know the package.
 * @throws OptionalPackageError
 */
export async function optionalPackage<T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const command = `npm install ${name}@${versionOf(name)}`;
    const need = `${neededBy} needs the npm package "${name}"`;
    const text = isMissing(name, cause)
      ? command
      : `it cannot be loaded (${messageOf(cause)}), perhaps after ${command}`;
    throw new OptionalPackageError(`${need}: ${text}`, { cause });
  }
}

/** A package that is there may lack another one, or its native part. */
function isMissing(name: string, error: unknown): boolean {
  return errorCode(error) === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes(`'${name}'`);
}

function versionOf(name: string): string {
  // `src/system` and everything in `dist` that loads packages lie two directories below package.json.
  const file = path.join(import.meta.dirname, '../../package.json');
  const { peerDependencies } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  return peerDependencies[name] ?? 'latest';
}
