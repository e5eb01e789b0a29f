/**
 * The checksum at the end of a line of the cookie file: `..., "crc": "90e1c5b4"}`. It covers every byte in front of it,
 * so that no flipped bit goes unnoticed. To Crossbar.io it is one more key that it does not know.
 */
import { crc32 } from 'node:zlib';

const SEAL_CHARACTERS = 20;
const SEAL = /, "crc": "([0-9a-f]{8})"\}$/;

/** @param line an object as JSON with a line feed, in ASCII. */
export function sealed(line: string): string {
  const text = line.slice(0, -2);
  return `${text}, "crc": "${checksum(text)}"}\n`;
}

/** @param line without line feed. @returns whether it ends like one with a checksum, right or wrong. */
export function hasSeal(line: string): boolean {
  return line.slice(-SEAL_CHARACTERS).startsWith(', "crc": "');
}

/** @param line without line feed. @returns whether it ends in its own checksum. */
export function isSealIntact(line: string): boolean {
  const found = SEAL.exec(line);
  return found !== null && found[1] === checksum(line.slice(0, found.index));
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
