/**
 * Loads a function from a module of the node directory: a component, or an authenticator. The module is code of the
 * operator, and as trusted as this program; the client has no say in which one it is.
 */
import { constants, readFileSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorCode, messageOf } from './error.js';

/** The module cannot be imported, or does not export the function; the text says which and why. */
export class ModuleError extends Error {
  readonly code = 'ERR_MODULE';
  override readonly name = 'ModuleError';
}

/** Files that were imported, or are being imported. */
const imported = new Set<string>();

/** Whether code of the operator runs in this process. */
export function hasModules(): boolean {
  return imported.size > 0;
}

export type ModuleFunction = (...args: readonly unknown[]) => unknown;

/**
 * @param cbdir the node directory.
 * @param module a file when it begins with `.` or `/`, else a package that is installed in the node directory or above.
 * @param name what the module exports it as.
 * @throws ModuleError
 */
export async function loadFunction(cbdir: string, module: string, name: string): Promise<ModuleFunction> {
  const exported = await importFrom(cbdir, module);
  const found = exported[name];
  if (typeof found === 'function') return found as ModuleFunction;
  const names = Object.keys(exported).filter((key) => typeof exported[key] === 'function');
  const what = name in exported ? `exports "${name}", but it is no function` : `exports no "${name}"`;
  throw new ModuleError(`module "${module}" ${what} (functions that it exports: ${names.join(', ') || 'none'})`);
}

async function importFrom(cbdir: string, module: string): Promise<Readonly<Record<string, unknown>>> {
  const file = await findModule(cbdir, module);
  imported.add(file);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const text = messageOf(cause);
    const hint =
      cause instanceof Error && cause.name === 'SyntaxError' ? `; "node --check ${file}" may show where` : '';
    throw new ModuleError(`module "${module}" cannot be imported: ${text}${hint}`, { cause });
  }
}

/**
 * Finds the file of a module, and runs nothing.
 *
 * @param cbdir the node directory.
 * @param module as for {@link loadFunction}.
 * @returns the file, absolute.
 * @throws ModuleError when there is none, or it cannot be read.
 */
export async function findModule(cbdir: string, module: string): Promise<string> {
  const file = isFile(module) ? path.resolve(cbdir, module) : packageFile(cbdir, module);
  try {
    if (!(await stat(file)).isFile()) throw new Error(`${file} is no file`);
    await access(file, constants.R_OK);
  } catch (cause) {
    const text = errorCode(cause) === 'ENOENT' ? `there is no file ${file}` : messageOf(cause);
    throw new ModuleError(`module "${module}" cannot be imported: ${text}`, { cause });
  }
  return file;
}

function isFile(module: string): boolean {
  return module.startsWith('.') || path.isAbsolute(module);
}

function packageFile(cbdir: string, module: string): string {
  const require = createRequire(path.join(cbdir, 'config.json'));
  try {
    return require.resolve(module);
  } catch (cause) {
    const file = errorCode(cause) === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? importOnlyFile(require, module) : undefined;
    if (file !== undefined) return file;
    const text = `there is no package "${module}" for ${cbdir} (a file is written as "./${module}")`;
    throw new ModuleError(text, { cause });
  }
}

/** The file of a package that may only be imported: `require.resolve` does not see it. */
function importOnlyFile(require: NodeJS.Require, module: string): string | undefined {
  const parts = module.split('/');
  const name = parts.slice(0, module.startsWith('@') ? 2 : 1).join('/');
  for (const directory of require.resolve.paths(module) ?? []) {
    const exported = exportsOf(path.join(directory, name));
    if (exported === undefined) continue;
    const target = targetOf(exported[`.${module.slice(name.length)}`]);
    return target === undefined ? undefined : path.join(directory, name, target);
  }
  return undefined;
}

/** What a package exports: subpath -> target. */
function exportsOf(directory: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = readFileSync(path.join(directory, 'package.json'), 'utf8');
    const { exports: exported } = JSON.parse(text) as { readonly exports?: string | Readonly<Record<string, unknown>> };
    const hasPaths = typeof exported === 'object' && Object.keys(exported).some((key) => key.startsWith('.'));
    return hasPaths ? exported : { '.': exported };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** In which `exports` of a package.json counts for us. */
const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  const matching = Object.entries(target).filter(([condition]) => CONDITIONS.includes(condition));
  return matching.map(([, inner]) => targetOf(inner)).find((file) => file !== undefined);
}
