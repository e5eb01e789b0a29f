/** docs/migration.md has every note and every refusal. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { refusalsIn, withTables } from '../../../src/config/migration.js';
import { nodeSchema, nodeSchemaTree } from '../../../src/config/schema.js';
import type { ConfigSchema } from '../../../src/schema/dialect.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const NOTED = path.join(ROOT, 'test/fixtures/config/noted');
const page = readFileSync(path.join(ROOT, 'docs/migration.md'), 'utf8');
const notes = readdirSync(NOTED)
  .filter((name) => name.endsWith('.expected.txt'))
  .flatMap((name) => readFileSync(path.join(NOTED, name), 'utf8').trimEnd().split('\n'));

describe('docs/migration.md', () => {
  it('is current (npm run generate)', () => {
    expect(withTables(page, notes)).toBe(page);
  });

  it('explains every note that the fixtures expect', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| '));
    const reasons = rows.map((row) => row.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '');
    const shape = (text: string): string => text.replaceAll(/\d+|"[^"]*"/g, '');
    const known = reasons.map((reason) => shape(reason.replace(/^a \w+ that is not there, /, '')));
    const unexplained = notes
      .map((line) => line.replace(/^[^ ]+ [^ ]+ /, ''))
      .filter((text) => !/^(?:unknown )?key "/.test(text))
      .filter((text) => !known.some((reason) => reason !== '' && shape(text).includes(reason)));
    expect(unexplained).toEqual([]);
  });

  it('says of at most 40 refusals what to do instead', () => {
    const refusals = refusalsIn(nodeSchemaTree);
    expect(refusals.length).toBeLessThanOrEqual(40);
    for (const { what, why } of refusals) {
      expect(why).not.toBe('');
      expect(page).toContain(`| ${what} | `);
      expect(page).toContain(` | ${why} |`);
    }
  });

  it('finds rows of every keyword, also in a schema that stands at several places', () => {
    const inner = {
      type: 'object',
      section: 'Inner',
      description: 'Inside.',
      unknownKeys: 'note',
      noEffect: { old: 'it is old' },
      notYet: { later: 'wait', never: 'wait' },
      refuses: { 'too much': 'take less' },
      properties: { only: { const: true, because: 'nothing else is built', description: 'One value.' } },
    } as const satisfies ConfigSchema;
    const root: ConfigSchema = { ...nodeSchema, refuses: {}, properties: { a: inner, b: inner } };
    const tree = { root, definitions: {} };
    const where = '[Inner](config.md#inner)';
    expect(refusalsIn(tree)).toEqual([
      { what: '`later`, `never`', where, why: 'wait' },
      { what: 'too much', where, why: 'take less' },
      { what: '`only` other than `true`', where, why: 'nothing else is built' },
    ]);
    const begin = page.slice(page.indexOf('<!-- Written by'));
    const written = withTables(
      begin,
      ['a.json:1:2: /a/0/name: found 3, taken as 4', 'a.json:1:2: /b/name: found 5, taken as 6'],
      tree,
    );
    expect(written).toContain(`| \`old\` | ${where} | it is old |`);
    expect(written).toContain(`in ${where}.`);
    expect(written.match(/taken as/g)).toHaveLength(1);
  });

  it('keeps what a human wrote around the tables', () => {
    expect(() => withTables('# No place', [])).toThrow('no place for the tables');
    expect(withTables(page, [])).toContain('# From Crossbar.io in five minutes');
  });
});
