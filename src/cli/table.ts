/** What commands print for people and for programs: tables, and lines that wait for who reads them. */
import { once } from 'node:events';

import { errorCode } from '../system/error.js';

/** Names come from outside: nothing in them may move the cursor or turn the text around. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** @param rows - the headings first. @returns lines in which each column is as wide as its widest text. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const [headings = []] = rows;
  const widths = headings.map((_, column) => rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0));
  const lines = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/**
 * Writes to standard output. Resolves when more may be written: what a slow reader has not taken does not fill the memory. A
 * reader that goes away, as `head` does, has seen enough, and ends the command.
 */
export async function print(text: string): Promise<void> {
  if (!isWatched) {
    isWatched = true;
    process.stdout.on('error', onFailure);
  }
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

let isWatched = false;

function onFailure(error: Error): void {
  if (errorCode(error) === 'EPIPE') process.exit();
  process.stderr.write(`crossbar-ts: standard output cannot be written: ${error.message}\n`);
  process.exit(1);
}

/** @returns a number of things in words: `1 session`, `2 sessions`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
