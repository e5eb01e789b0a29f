/** What `init` writes: the files of a template with all that was chosen, made before the first of them is written. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import { CONFIG_NAMES } from '../../config/load.js';
import { NodeError } from '../../node/error.js';
import { errorCode, messageOf } from '../../system/error.js';
import { filledConfig, filledPage, newUsers } from './fill.js';
import type { Choices, NewUser } from './fill.js';
import { CONFIG } from './template.js';
import type { Template } from './template.js';

/** The files of a new node. */
export interface Plan {
  /** The text of the config. */
  readonly config: string;
  /** All others. */
  readonly files: readonly NewFile[];
  /** Users of the config. */
  readonly users: readonly NewUser[];
}

interface NewFile {
  /** Relative to the new directory. */
  readonly name: string;
  readonly content: Uint8Array | string;
}

/** What was done; names are relative to the new directory. */
export interface Written {
  readonly written: readonly string[];
  /** They were there already. */
  readonly skipped: readonly string[];
  /** Whether the config is the one of the plan, and so its users are. */
  readonly hasConfig: boolean;
}

/** @returns every file as it will be written. */
export async function planOf({ files }: Template, choices: Choices): Promise<Plan> {
  const textOf = (source: string): string => readFileSync(source, 'utf8');
  const config = files.find(({ name }) => name === CONFIG);
  const text = config === undefined ? '' : textOf(config.source);
  const users = await newUsers(text);
  return {
    config: filledConfig(text, choices, users),
    files: files
      .filter((file) => file !== config)
      .map(({ name, source }) => {
        const isPage = /(?<!\.min)\.(html|js)$/.test(name);
        return { name, content: isPage ? filledPage(textOf(source), choices) : contentOf(name, source) };
      }),
    users,
  };
}

/** A file that the package has compressed only is unpacked. */
function contentOf(name: string, source: string): Uint8Array {
  const content = readFileSync(source);
  return source.endsWith('.gz') && !name.endsWith('.gz') ? gunzipSync(content) : content;
}

/** Writes what is not there yet below `to`. @throws NodeError when something is in the way. */
export function write({ config, files, users }: Plan, to: string): Written {
  const written: string[] = [];
  const skipped: string[] = [];
  const add = (name: string, content: Uint8Array | string, mode?: number): void => {
    (writeIfMissing(path.join(to, name), content, mode) ? written : skipped).push(name);
  };
  const other = CONFIG_NAMES.map((name) => `.crossbar/${name}`).find((name) => existsSync(path.join(to, name)));
  if (other === undefined) {
    // A key that is there belongs to another salt.
    for (const { name } of users) refuseOld(path.join(to, keyFile(name)));
    add(CONFIG, config);
    for (const { name, key } of users) add(keyFile(name), `${key}\n`, 0o600);
  } else skipped.push(other);
  for (const { name, content } of files) add(name, content);
  return { written, skipped, hasConfig: other === undefined };
}

/** As the templates name it in `secret`. */
function keyFile(user: string): string {
  return `.crossbar/secrets/${user}.key`;
}

function refuseOld(file: string): void {
  if (!existsSync(file)) return;
  throw new NodeError(
    'ERR_NODE_DIRECTORY',
    `${file} is there, but no config that it belongs to: remove one or bring back the other`,
  );
}

function writeIfMissing(target: string, content: Uint8Array | string, mode = 0o666): boolean {
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content, { flag: 'wx', mode });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && existsSync(target)) return false;
    throw new NodeError('ERR_NODE_DIRECTORY', `${target} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
