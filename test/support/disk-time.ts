/** The time of the disk. A test with another date has it from a library, which the times of files do not come from. */
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Now, as a file would have it that is written now: milliseconds since 1970. */
export function diskNow(): number {
  const directory = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-time-'));
  const { mtimeMs } = statSync(directory);
  rmdirSync(directory);
  return Math.ceil(mtimeMs);
}
