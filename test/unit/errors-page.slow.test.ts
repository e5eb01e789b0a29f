/** docs/errors.md is current, and says something of everything in it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

import { CloseUri, ErrorUri } from '../../src/wamp/error.js';
import { ENDINGS } from '../../src/transport/endings.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/errors.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
  .map((line) => line.slice(2, -2).split(' | '));

describe('the page of errors', () => {
  it('is current (npm run generate)', async () => {
    const script = pathToFileURL(path.join(ROOT, 'scripts/errors.js')).href;
    const { errorsPage } = (await import(script)) as { errorsPage: () => string };
    expect(page).toBe(errorsPage());
  });

  it.each([...Object.values(ErrorUri), ...Object.values(CloseUri)])('has %s', (uri) => {
    expect(rows.filter(([name]) => name === `\`${uri}\``)).toHaveLength(1);
  });

  it('has the code of every ending', () => {
    const codes = rows.map(([code]) => Number(code)).filter((code) => code >= 1000);
    expect(codes).toEqual(
      Object.values(ENDINGS)
        .map(({ code }) => code)
        .sort(),
    );
  });

  it('says something of everything', () => {
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter((cells) => (cells.at(-1) ?? '').length < 4)).toEqual([]);
  });
});
