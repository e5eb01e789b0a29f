/** Filters of MQTT as subscriptions of WAMP. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { planFilter } from '../../../src/mqtt/filters.js';
import type { Pattern } from '../../../src/mqtt/filters.js';
import { escapedTopics, plainTopics } from '../../../src/mqtt/topics.js';
import { isValidUri } from '../../../src/wamp/uri.js';

function patterns(filter: string, mapping = escapedTopics): readonly string[] | undefined {
  return planFilter(filter, mapping)?.patterns.map(({ match, uri }) => `${match} ${uri}`);
}

describe('a filter', () => {
  it.each([
    ['a/b', ['exact a.b']],
    ['a/b c', ['exact a.b%20c']],
    ['/', ['exact %.%']],
    ['a/+/c', ['wildcard a..c']],
    ['+', ['wildcard ']],
    ['+/+', ['wildcard .']],
    ['/+', ['wildcard %.']],
    ['a/#', ['prefix a.', 'exact a']],
    ['a//#', ['prefix a.%.', 'exact a.%']],
    ['/#', ['prefix %.']],
    ['#', ['prefix ']],
    ['+/#', ['prefix ']],
    ['+/+/#', ['prefix ']],
    ['a/+/#', ['prefix a.']],
    ['a/b/+/c/#', ['prefix a.b.']],
    [`a/${'+/'.repeat(30)}b`, [`wildcard a.${'.'.repeat(30)}b`]],
    [`a/${'+/'.repeat(31)}b`, ['prefix a.']],
  ])('%s needs %j', (filter, expected) => {
    expect(patterns(filter)).toEqual(expected);
  });

  it.each(['', 'a#', 'a/#/b', 'a+', '+a/b', '##', 'a/b#', '\0', 'x'.repeat(1025), `+/${'x'.repeat(1025)}/#/`])(
    '%j is refused',
    (filter) => {
      expect(patterns(filter)).toBeUndefined();
    },
  );

  it.each([
    ['a.b/+', ['wildcard a.b.']],
    ['a.b', ['exact a.b']],
    ['%/#', ['prefix %.', 'exact %']],
    ['a//b', undefined],
    ['a b', undefined],
    ['+/a b', undefined],
  ])('as in Crossbar.io: %s needs %j', (filter, expected) => {
    expect(patterns(filter, plainTopics)).toEqual(expected);
  });
});

describe('what a filter means', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+', 'a/b/c', false],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['/+', '/a', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['#', 'wamp/session/on_join', false],
    ['+/session/on_join', 'wamp/session/on_join', false],
    ['+/x', 'crossbar/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['wamp/#', 'wamp/session/on_join', true],
  ])('%s, %s: %s', (filter, topic, expected) => {
    expect(planFilter(filter, escapedTopics)?.matches(topic)).toBe(expected);
  });

  it('in the way of Crossbar.io, what is divided in the URI is divided here', () => {
    expect(planFilter('a.b/+', plainTopics)?.matches('a/b/c')).toBe(true);
  });

  it('is refused at once when no topic is so long, and with more levels than are compared for each event', () => {
    expect(planFilter(`${'a'.repeat(1023)}/#`, escapedTopics)).toBeDefined();
    expect(planFilter('a'.repeat(1027), escapedTopics)).toBeUndefined();
    expect(planFilter('+/'.repeat(32_767), escapedTopics)).toBeUndefined();
    const levels = (count: number): string => Array.from({ length: count }, () => 'a').join('/');
    expect(planFilter(`${levels(199)}/+`, escapedTopics)).toBeDefined();
    expect(planFilter(`${levels(200)}/+`, escapedTopics)).toBeUndefined();
    expect(planFilter(levels(300), escapedTopics)).toBeDefined();
  });

  it('is never more than what is subscribed to', () => {
    const level = fc.constantFrom('', 'a', 'b', 'a.b', ' ', '%', '$x', 'wamp');
    const filters = fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 5 });
    const named = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));
    fc.assert(
      fc.property(filters, fc.boolean(), named, (levels, open, topic) => {
        const plan = planFilter([...levels, ...(open ? ['#'] : [])].join('/'), escapedTopics);
        if (plan === undefined || topic === '') return;
        expect(plan.patterns.every(({ match, uri }) => isValidUri(uri, 'loose', match))).toBe(true);
        const uri = escapedTopics.uriOf(topic);
        if (plan.matches(topic)) expect(plan.patterns.some((pattern) => covers(pattern, uri))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

/** As the router compares. */
function covers({ match, uri: pattern }: Pattern, uri: string): boolean {
  if (match === 'exact') return uri === pattern;
  if (match === 'prefix') return uri.startsWith(pattern);
  const wanted = pattern.split('.');
  const components = uri.split('.');
  return (
    wanted.length === components.length && wanted.every((part, index) => part === '' || part === components[index])
  );
}
