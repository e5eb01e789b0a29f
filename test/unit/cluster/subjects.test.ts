/** What WAMP calls a URI as a subject: nothing is lost, and patterns match the same. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { patternTokens, Subjects, tokenOf, uriTokens } from '../../../src/cluster/subjects.js';
import { isSame, keyOf, nodeOf } from '../../../src/cluster/node-ref.js';
import { Interest } from '../../../src/engine/memory/interest.js';
import type { Match } from '../../../src/wamp/uri.js';

const part = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'com', '*', '>', '=', '%', 'ä', 'a-b_C9', ' '),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);
const uri = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((each) => each.replaceAll('.', '')).join('.'));

it('writes any text as one token, and no two alike', () => {
  expect(['com', 'a-b_C9', '', 'a/b', 'ä', '='].map(tokenOf)).toEqual(['com', 'a-b_C9', '=', 'a=2fb', '=c3=a4', '=3d']);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
      expect(tokenOf(one)).toMatch(/^[A-Za-z0-9_=-]+$/);
      expect(tokenOf(one) === tokenOf(other)).toBe(one === other);
    }),
  );
});

function matches(pattern: string, match: Match, topic: string): boolean {
  if (match === 'exact') return pattern === topic;
  if (match === 'prefix') return topic.startsWith(pattern);
  const [parts, own] = [pattern.split('.'), topic.split('.')];
  return parts.length === own.length && parts.every((each, index) => each === '' || each === own[index]);
}

it('a pattern of WAMP is a pattern of subjects: exact and wildcard to the letter, prefix with more at most', () => {
  fc.assert(
    fc.property(uri, uri, fc.constantFrom<Match>('exact', 'prefix', 'wildcard'), (pattern, topic, match) => {
      const interest = new Interest<string>();
      interest.add(patternTokens({ uri: pattern, match }), 'x');
      const found = interest.of(uriTokens(topic)).length > 0;
      const isMeant = matches(pattern, match, topic);
      if (match === 'prefix') expect(found || !isMeant).toBe(true);
      else expect(found).toBe(isMeant);
    }),
    { numRuns: 2000 },
  );
});

it('names the subjects of a cluster', () => {
  const subjects = new Subjects('my cluster');
  expect(subjects.heartbeat).toBe('w.my=20cluster.hb');
  expect(subjects.node('n.1', 7)).toBe('w.my=20cluster.n.n=2e1.7');
  expect(subjects.events('realm1')).toBe('w.my=20cluster.e.realm1.');
});

it('reads the key of a node back, and nothing else', () => {
  for (const name of ['a', '', 'n.1', 'ä/=', '%41']) {
    const node = { name, epoch: 1_767_225_600_000 };
    const read = nodeOf(keyOf(node));
    expect(read).toEqual(node);
    expect(read !== undefined && isSame(read, node)).toBe(true);
  }
  for (const key of [
    '',
    'a',
    'a.b',
    'a.0',
    'a.1.2',
    'a.-1',
    'a.1.5',
    'a=.1',
    'a=zz.1',
    'a=41.1',
    'ä.1',
    'a.9007199254740993',
  ]) {
    expect(nodeOf(key), key).toBeUndefined();
  }
});
