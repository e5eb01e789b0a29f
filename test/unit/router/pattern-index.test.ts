import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PatternIndex, matches } from '../../../src/router/pattern-index.js';
import type { Match } from '../../../src/wamp/uri.js';

interface Row {
  readonly match: Match;
  readonly pattern: string;
  readonly matches: readonly string[];
  readonly not: readonly string[];
}

const { subscriptions } = JSON.parse(
  readFileSync(new URL('../../fixtures/wamp/own-vectors/matching.json', import.meta.url), 'utf8'),
) as { subscriptions: Row[] };

describe('the pattern table', () => {
  it.each(subscriptions.map((row) => [row.match, row.pattern, row] as const))('%s "%s"', (match, pattern, row) => {
    const index = new PatternIndex<string>();
    index.set(match, pattern, 'here');
    for (const uri of row.matches) {
      expect(index.matching(uri), uri).toEqual(['here']);
      expect(matches(match, pattern, uri), uri).toBe(true);
    }
    for (const uri of row.not) {
      expect(index.matching(uri), uri).toEqual([]);
      expect(matches(match, pattern, uri), uri).toBe(false);
    }
    index.delete(match, pattern);
    for (const uri of row.matches) expect(index.matching(uri), uri).toEqual([]);
    expect(index.hasPatterns).toBe(false);
  });

  it('holds with all patterns on file at once', () => {
    const index = new PatternIndex<Row>();
    for (const row of subscriptions) index.set(row.match, row.pattern, row);
    for (const uri of new Set(subscriptions.flatMap((row) => [...row.matches, ...row.not]))) {
      expect(new Set(index.matching(uri)), uri).toEqual(
        new Set(subscriptions.filter((row) => row.matches.includes(uri))),
      );
    }
  });
});

describe('the pattern index', () => {
  it('lists exact, then prefixes, the longest first, then wildcards, literal components first', () => {
    const index = new PatternIndex<string>();
    const patterns: [Match, string][] = [
      ['wildcard', '..c'],
      ['wildcard', 'a..c'],
      ['wildcard', 'a.b.'],
      ['prefix', ''],
      ['prefix', 'a.b'],
      ['prefix', 'a.'],
      ['exact', 'a.b.c'],
    ];
    for (const [match, uri] of patterns) index.set(match, uri, `${match} ${uri}`);
    expect(index.matching('a.b.c')).toEqual([
      'exact a.b.c',
      'prefix a.b',
      'prefix a.',
      'prefix ',
      'wildcard a.b.',
      'wildcard a..c',
      'wildcard ..c',
    ]);
  });

  it('keeps the same URI apart by kind, replaces, and finds what is filed', () => {
    const index = new PatternIndex<number>();
    const kinds = ['exact', 'prefix', 'wildcard'] as const;
    kinds.forEach((match, i) => index.set(match, 'a.b', i));
    expect(kinds.map((match) => index.get(match, 'a.b'))).toEqual([0, 1, 2]);
    index.set('prefix', 'a.b', 7);
    index.set('wildcard', 'a.b', 8);
    expect(index.matching('a.b')).toEqual([0, 7, 8]);
    expect(kinds.map((match) => index.get(match, 'a.c'))).toEqual([undefined, undefined, undefined]);
    expect(index.get('wildcard', 'a.b.c')).toBeUndefined();
  });

  it('deletes one pattern and leaves its neighbours', () => {
    const index = new PatternIndex<string>();
    index.set('wildcard', 'a..c', 'long');
    index.set('wildcard', 'a.', 'short');
    index.set('prefix', 'ab', 'ab');
    index.set('prefix', 'cd', 'cd');
    for (const unknown of ['a..d', 'x', 'a..c.d', '']) index.delete('wildcard', unknown);
    for (const unknown of ['ax', 'abc', '']) index.delete('prefix', unknown);
    index.delete('wildcard', 'a.');
    index.delete('wildcard', 'a.');
    index.delete('prefix', 'ab');
    expect(index.matching('a.b')).toEqual([]);
    expect(index.matching('a.b.c')).toEqual(['long']);
    expect(index.matching('abc')).toEqual([]);
    expect(index.matching('cde')).toEqual(['cd']);
    index.delete('wildcard', 'a..c');
    index.delete('prefix', 'cd');
    expect(index.hasPatterns).toBe(false);
  });
});
