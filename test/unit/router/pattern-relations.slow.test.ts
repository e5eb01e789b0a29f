/**
 * A pattern is allowed when everything that it can match is: the rules of a role against URIs that are written out.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bySpecificity, covers, intersects } from '../../../src/router/pattern-relations.js';
import type { Pattern } from '../../../src/router/pattern-relations.js';
import { Role } from '../../../src/router/role.js';
import type { PermissionConfig } from '../../../src/router/schema.js';

const COMPONENTS = ['a', 'b', 'ab', 'ba', 'z', 'aa', 'az', 'bz', 'abz', 'baz', 'aaz'];

/** Every URI of up to three components from a small alphabet; `z` stands in no rule: there is always one more. */
const URIS = COMPONENTS.flatMap((first) => [
  first,
  ...COMPONENTS.flatMap((second) => [
    `${first}.${second}`,
    ...COMPONENTS.map((third) => `${first}.${second}.${third}`),
  ]),
]);

function matches({ uri, match }: Pattern, candidate: string): boolean {
  if (match === 'prefix') return candidate.startsWith(uri);
  if (match === 'exact') return candidate === uri;
  const components = candidate.split('.');
  const own = uri.split('.');
  return own.length === components.length && own.every((part, i) => part === '' || part === components[i]);
}

const literal = fc.constantFrom('a', 'b', 'ab');
const exact = fc.array(literal, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
const prefix = fc
  .tuple(fc.array(literal, { maxLength: 2 }), fc.constantFrom('', 'a', 'b', 'ab'))
  .map(([parts, last]) => [...parts, last].join('.'));
const wildcard = fc
  .array(fc.oneof(literal, fc.constant('')), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('.'));
const PATTERN = { exact, prefix, wildcard };

const pattern = (...kinds: (keyof typeof PATTERN)[]): fc.Arbitrary<Pattern> =>
  fc.oneof(...kinds.map((match) => PATTERN[match].map((uri) => ({ uri, match }))));

const rules = (...kinds: (keyof typeof PATTERN)[]): fc.Arbitrary<PermissionConfig[]> =>
  fc.array(
    fc.tuple(pattern(...kinds), fc.boolean()).map(([of, subscribe]) => ({ ...of, allow: { subscribe } })),
    { maxLength: 6 },
  );

const allowed = (decide: () => unknown): boolean => {
  try {
    decide();
    return true;
  } catch {
    return false;
  }
};

/** The answer for the pattern, and for everything that it matches. */
function answers(permissions: PermissionConfig[], open: boolean, wanted: Pattern) {
  const role = new Role({ name: 'user', permissions, 'allow-by-default': open });
  return {
    whole: allowed(() => role.authorizePattern('subscribe', wanted)),
    each: URIS.filter((uri) => matches(wanted, uri)).every((uri) => allowed(() => role.authorize('subscribe', uri))),
  };
}

describe('the authorization of patterns', () => {
  it('never allows a pattern that matches a URI which is denied', () => {
    fc.assert(
      fc.property(
        rules('exact', 'prefix', 'wildcard'),
        fc.boolean(),
        pattern('prefix', 'wildcard'),
        (permissions, open, wanted) => {
          const { whole, each } = answers(permissions, open, wanted);
          return !whole || each;
        },
      ),
      { numRuns: 3000 },
    );
  });

  // Wildcards may be refused although each of their URIs is allowed by a rule of its own: never the other way round.
  it('allows a prefix exactly when all of its URIs are allowed by exact and prefix rules', () => {
    fc.assert(
      fc.property(rules('exact', 'prefix'), fc.boolean(), pattern('prefix'), (permissions, open, wanted) => {
        const { whole, each } = answers(permissions, open, wanted);
        return whole === each;
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, PermissionConfig[], Pattern, boolean]>([
    ['the prefix of the rule', [allow('com.app.public.*')], { uri: 'com.app.public.', match: 'prefix' }, true],
    ['a longer prefix', [allow('com.app.public.*')], { uri: 'com.app.public.x', match: 'prefix' }, true],
    ['a broader prefix', [allow('com.app.public.*')], { uri: 'com.app.', match: 'prefix' }, false],
    ['the prefix without its dot', [allow('com.app.public.*')], { uri: 'com.app.public', match: 'prefix' }, false],
    ['everything', [allow('com.app.public.*')], { uri: '', match: 'prefix' }, false],
    ['a wildcard within', [allow('com.app.public.*')], { uri: 'com.app.public..x', match: 'wildcard' }, true],
    ['a wildcard beyond', [allow('com.app.public.*')], { uri: 'com.app..x', match: 'wildcard' }, false],
    ['a wildcard of the same shape', [allow('a..c', 'wildcard')], { uri: 'a..c', match: 'wildcard' }, true],
    ['a wildcard with fewer holes', [allow('a..', 'wildcard')], { uri: 'a.b.', match: 'wildcard' }, true],
    ['a wildcard with more holes', [allow('a.b.', 'wildcard')], { uri: 'a..', match: 'wildcard' }, false],
    ['a wildcard without holes', [allow('a.b')], { uri: 'a.b', match: 'wildcard' }, true],
    ['a prefix that is longer than any wildcard', [allow('a.', 'wildcard')], { uri: 'a.', match: 'prefix' }, false],
    ['around a denied URI', [allow('a.*'), { uri: 'a.secret', allow: {} }], { uri: 'a.', match: 'prefix' }, false],
    ['around a denied prefix', [allow('a.*'), { uri: 'a.b.*', allow: {} }], { uri: 'a..x', match: 'wildcard' }, false],
    ['beside a denied prefix', [allow('a.*'), { uri: 'a.b.*', allow: {} }], { uri: 'a.c.', match: 'prefix' }, true],
    [
      'around a denied wildcard, with one of another length beside it',
      [
        { uri: '..', match: 'wildcard', allow: { subscribe: true } },
        { uri: '', match: 'wildcard', allow: {} },
        { uri: '..a', match: 'wildcard', allow: {} },
      ],
      { uri: 'a.a.', match: 'wildcard' },
      false,
    ],
    [
      'below a rule that is overruled',
      [allow('a.b.*'), { uri: 'a.*', allow: {} }],
      { uri: 'a.b.', match: 'prefix' },
      true,
    ],
  ])('%s', (_what, permissions, wanted, expected) => {
    const role = new Role({ name: 'user', permissions });
    expect(allowed(() => role.authorizePattern('subscribe', wanted))).toBe(expected);
  });

  it('names the role, the action and the pattern', () => {
    const role = new Role({ name: 'user', permissions: [allow('a.b.*')] });
    expect(() => role.authorizePattern('register', { uri: 'a.', match: 'prefix' })).toThrow(
      /"user" is not authorized to register procedure "a."/,
    );
  });
});

function allow(uri: string, match?: 'wildcard'): PermissionConfig {
  const rule = { uri, allow: { subscribe: true } };
  return match === undefined ? rule : { ...rule, match };
}

describe('patterns', () => {
  const any = pattern('exact', 'prefix', 'wildcard');

  it('cover exactly what the URIs say, and never claim to be apart when they share one', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const ofA = URIS.filter((uri) => matches(a, uri));
        const ofB = URIS.filter((uri) => matches(b, uri));
        if (covers(a, b)) expect(ofB.every((uri) => ofA.includes(uri))).toBe(true);
        if (ofA.some((uri) => ofB.includes(uri))) expect([intersects(a, b), intersects(b, a)]).toEqual([true, true]);
        else expect([intersects(a, b), intersects(b, a)]).toEqual([false, false]);
      }),
      { numRuns: 3000 },
    );
  });

  it('are ordered as a look-up finds them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(any, { selector: ({ uri, match }) => `${match} ${uri}`, maxLength: 8 }),
        (patterns) => {
          const ordered = [...patterns].sort(bySpecificity);
          const role = new Role({
            name: 'user',
            // Each rule is known by what it discloses and allows: only the first that matches is asked for its word.
            permissions: patterns.map((of) => ({ ...of, allow: { call: ordered.indexOf(of) % 2 === 0 } })),
          });
          for (const uri of URIS.filter((_uri, i) => i % 7 === 0)) {
            const first = ordered.findIndex((of) => matches(of, uri));
            expect(allowed(() => role.authorize('call', uri))).toBe(first !== -1 && first % 2 === 0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
