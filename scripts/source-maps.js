// Source maps that name lines only: a stack in the log needs the file and the line, and the columns are three quarters of a map.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { decode, encode } from '@jridgewell/sourcemap-codec';

/**
 * Rewrites every map below a directory, without columns and names.
 *
 * @param {string} directory
 */
export function shortenMaps(directory) {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js.map')) continue;
    const file = path.join(directory, name);
    const map = JSON.parse(readFileSync(file, 'utf8'));
    const mappings = encode(decode(map.mappings).map(lineStarts));
    writeFileSync(file, JSON.stringify({ ...map, names: [], mappings }));
  }
}

/**
 * @param {import('@jridgewell/sourcemap-codec').SourceMapSegment[]} segments of one line of the code
 * @returns {import('@jridgewell/sourcemap-codec').SourceMapSegment[]} those where another line of a source begins
 */
function lineStarts(segments) {
  let place = '';
  return segments.flatMap(([column, source, line, sourceColumn]) => {
    if (source === undefined || line === undefined || sourceColumn === undefined) return [];
    const isSame = place === `${source}:${line}`;
    place = `${source}:${line}`;
    // Always the same column: a difference of none is the shortest.
    return isSame ? [] : [[column, source, line, 0]];
  });
}
