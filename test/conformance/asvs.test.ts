/** Every row of the checklist for logins (OWASP ASVS 5.0) has tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { REQUIREMENTS } from './asvs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const texts = new Map<string, string>();
/** A file of this repository; what is not there has no text. */
function textOf(file: string): string {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const found = path.join(ROOT, file);
  const text = existsSync(found) ? readFileSync(found, 'utf8') : '';
  texts.set(file, text);
  return text;
}

/** @returns whether a file has a string that is this title and nothing else. */
function holds(file: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => textOf(file).includes(`${quote}${title}${quote}`));
}

describe('the checklist for logins', () => {
  it('has each of its rows once', () => {
    const ids = REQUIREMENTS.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(ids).toHaveLength(15);
  });

  it.each(REQUIREMENTS)('$id: $what', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter(([file, title]) => !holds(file, title))).toEqual([]);
  });

  it('wants whole titles, in files that are there', () => {
    const title = 'are all held, but for those that say why not';
    expect(holds('test/conformance/rows.test.ts', title)).toBe(true);
    expect(holds('test/conformance/rows.test.ts', title.slice(0, 12))).toBe(false);
    expect(holds('test/conformance/no-such.test.ts', title)).toBe(false);
  });
});
