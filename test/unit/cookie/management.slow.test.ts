/** Files that are no cookie files, some of them large, and commands that are to import them. */
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { silentLogger } from '../../../src/log/logger.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { managedStores } from '../../support/managed-stores.js';

describe('an import', () => {
  const inDirectory = (make: (file: string) => void) => (): string => {
    const file = path.join(temporaryDirectory(), 'file');
    make(file);
    return file;
  };
  const fifo = inDirectory((file) => void execFileSync('mkfifo', [file]));
  const zeros = (bytes: number) =>
    inDirectory((file) => {
      writeFileSync(file, '');
      truncateSync(file, bytes);
    });
  const garbage = inDirectory((file) => writeFileSync(file, `${'this is no cookie '.repeat(20)}\n`.repeat(50_000)));

  it.each([
    ['a device that has no end', () => '/dev/zero', 'is no regular file'],
    ['a pipe that nobody writes to', fifo, 'is no regular file'],
    ['more than there can be', zeros(2 ** 31), 'is larger than 1024 MiB'],
    ['one line without end', zeros(64 * 1024 * 1024), 'has a line of more than 16 MiB'],
    ['something else', garbage, 'has more than 16 MiB of lines that cannot be read'],
    ['nothing', () => path.join(temporaryDirectory(), 'absent'), 'cannot be read: ENOENT'],
  ])('of %s is refused', async (_what, make, text) => {
    const { management } = await managedStores(silentLogger(), [[]]);
    await expect(management.import(make())).rejects.toThrow(text);
  });
});
