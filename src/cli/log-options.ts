/**
 * The options of `start` by which the log goes to a file: `--logtofile`, `--logdir`, `--logmaxsize`, `--logkeep`.
 */
import path from 'node:path';
import { InvalidArgumentError } from 'commander';

import { NodeError } from '../node/error.js';
import { messageOf } from '../system/error.js';
import { isFile } from '../system/line-file.js';
import { LogFile } from './log-file.js';
import type { LogFault, LogFileOptions } from './log-file.js';

/** What is asked for. */
export interface LogFileWords {
  readonly logtofile?: boolean;
  /** Relative to the node directory, or to the state directory. */
  readonly logdir?: string;
  /** In bytes. */
  readonly logmaxsize?: number;
  readonly logkeep?: number;
}

/** Crossbar.io's name. */
const LOG_FILE = 'node.log';

/** How many logs that were set aside are kept, by default. */
export const LOGS_KEPT = 5;

/** A log that is set aside after each line is none. */
const MIN_BYTES = 4096;

/** What is said of it. */
const FAULTS: Readonly<Record<LogFault, string>> = {
  write: 'cannot be written, lines of it are lost',
  'set aside': 'cannot be set aside or opened anew, it goes on in the file that it has',
};

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** @param directory where relative paths start. @returns undefined where the log goes to standard output. @throws NodeError when the file cannot be opened. */
export function logFileOf(words: LogFileWords, directory: string): LogFile | undefined {
  const { logtofile = false, logdir, logmaxsize: maxBytes, logkeep: keep = LOGS_KEPT } = words;
  if (!logtofile && logdir === undefined) {
    if (maxBytes === undefined) return undefined;
    throw new NodeError('ERR_NODE_DIRECTORY', '--logmaxsize is about a log in a file: it needs --logtofile');
  }
  const file = path.resolve(directory, logdir ?? '.', LOG_FILE);
  try {
    return new LogFile({ file, maxBytes, keep, failed: sayer(file) });
  } catch (cause) {
    throw new NodeError('ERR_NODE_DIRECTORY', `the log ${file} cannot be opened: ${messageOf(cause)}`, { cause });
  }
}

/** @returns standard output where it leads to a file; undefined where it is a pipe or a terminal. */
export function stdoutFile(): LogFile | undefined {
  if (!isFile(process.stdout)) return undefined;
  const { fd } = process.stdout;
  const file = 'on standard output';
  return new LogFile({ file, fd, keep: 0, failed: sayer(file) });
}

function sayer(file: string): LogFileOptions['failed'] {
  return (what, error) => {
    process.stderr.write(`crossbar-ts: the log ${file} ${FAULTS[what]}: ${messageOf(error)}\n`);
  };
}

/** For commander. @returns a size like `10M` in bytes. */
export function byteCount(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([kmg]?)b?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
  if (digits === '' || bytes < MIN_BYTES) {
    throw new InvalidArgumentError(`A size is a number of bytes, or one with K, M or G, of at least ${MIN_BYTES}.`);
  }
  return bytes;
}
