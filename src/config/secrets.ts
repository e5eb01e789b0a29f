/**
 * Secrets outside the config: `"${NAME}"` names an environment variable, `{"file": "..."}` a file. A missing secret is an error
 * of the config. (Crossbar.io starts without it, and the clients concerned cannot log in.)
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { errorCode } from '../system/error.js';
import type { Cursor } from './cursor.js';
import { quote } from './schema-words.js';
import type { Environment } from './environment.js';

/** A secret, or a text that says why there is none. `doubt` is a warning. */
export type FoundSecret =
  { readonly secret: string; readonly doubt?: string } | { readonly problem: string; readonly secret?: undefined };

/** Reads the file of a secret, by its absolute path. */
export type SecretFiles = (file: string) => FoundSecret;

export interface SecretContext {
  /** The node directory, absolute. */
  readonly cbdir: string;
  readonly env: Environment;
  readonly secretFiles: SecretFiles;
}

/** Secrets are short: a larger file is a mistake. */
const MAX_SECRET_BYTES = 65_536;

/** @returns the secret at a place; undefined when the value there cannot be one. */
export function findSecret(place: Cursor, { cbdir, env, secretFiles }: SecretContext): FoundSecret | undefined {
  const text = place.text();
  const file = place.get('file').text();
  if (file !== undefined && file !== '') return notEmpty(secretFiles(resolve(cbdir, file)), `the file ${quote(file)}`);
  const name = text === undefined ? undefined : /^\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}$/.exec(text)?.[1];
  if (text === undefined || name === undefined) return text === undefined ? undefined : { secret: text };
  const secret = env[name];
  if (secret === undefined) return { problem: `the environment variable ${quote(name)} is not set` };
  return notEmpty({ secret }, `the environment variable ${quote(name)}`);
}

function notEmpty(found: FoundSecret, what: string): FoundSecret {
  return found.secret === '' ? { problem: `${what} is empty` } : found;
}

/** Reads the file of a secret. A line end at the end, as editors add it, is not part of the secret. */
export const readSecretFile: SecretFiles = (file) => {
  try {
    const { mode, size } = statSync(file);
    if (size > MAX_SECRET_BYTES) return { problem: `the file ${quote(file)} is too large for a secret` };
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if ((mode & 0o077) === 0) return { secret };
    return { secret, doubt: `the file ${quote(file)} may be read by others (chmod 600 makes it private)` };
  } catch (error) {
    const reason = errorCode(error) ?? 'unknown error';
    return { problem: `the file ${quote(file)} cannot be read: ${reason}` };
  }
};

/** @returns the same, but reads each file once: a pipe cannot be read again. */
export function readOnce(secretFiles: SecretFiles): SecretFiles {
  const known = new Map<string, FoundSecret>();
  return (file) => {
    const found = known.get(file) ?? secretFiles(file);
    known.set(file, found);
    return found;
  };
}

/** For callers that must not touch any file. */
export const noSecretFiles: SecretFiles = (file) => ({ problem: `the file ${quote(file)} is not read here` });
