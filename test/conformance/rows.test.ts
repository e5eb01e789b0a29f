/** Every row of the checklist has a test that is there, or a reason why it has none. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { PLAYED_BY } from './rows-tests.js';
import { EXPECTED, NOT_HELD, ROWS } from './rows.js';

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

/** Titles stand in one kind of quotes or another; names of vectors as JSON has them. */
function holds(file: string, title: string): boolean {
  if (file.endsWith('.json')) return title !== '' && textOf(file).includes(JSON.stringify(title));
  return title !== '' && textOf(file).includes(title);
}

describe('the rows of the checklist', () => {
  it(`are ${EXPECTED.length}, each once`, () => {
    expect(EXPECTED).toHaveLength(432);
    expect(EXPECTED.filter((id, i) => EXPECTED.indexOf(id) !== i)).toEqual([]);
  });

  it('are all held, but for those that say why not', () => {
    const held = ROWS.map(({ id }) => id);
    expect(held.filter((id, i) => held.indexOf(id) !== i)).toEqual([]);
    expect([...held, ...Object.keys(NOT_HELD)].sort()).toEqual([...EXPECTED].sort());
  });

  it('are not held in 0 cases', () => {
    expect(Object.values(NOT_HELD)).toHaveLength(0);
  });

  it.each(ROWS)('$id ($what) is held by tests that are there', ({ what, tests }) => {
    expect(what).not.toBe('');
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter(({ file, title }) => !holds(file, title))).toEqual([]);
  });

  it.each(Object.entries(PLAYED_BY))('the vectors of %s are played', (fixture, { file, title }) => {
    expect(holds(file, title)).toBe(true);
    expect(textOf(file)).toContain(path.basename(fixture));
  });
});
