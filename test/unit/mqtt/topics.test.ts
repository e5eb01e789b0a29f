/** Topics of MQTT and URIs of WAMP. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { escapedTopics, isHiddenTopic, plainTopics, topicFault } from '../../../src/mqtt/topics.js';
import { isValidUri } from '../../../src/wamp/uri.js';

/** Topics as clients may name them, with much of what is special. */
const topics = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '.', '%', ' ', '%41', '%2E', '%2F', '\u00a0', '\u3000', '\ufeff', '$', 'a', 'é', '😀'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join('').replaceAll(/[\0+#]/g, ''))
  .filter((topic) => topic !== '');

describe('a topic and its URI', () => {
  it.each([
    ['a', 'a'],
    ['dev/a.b/c d', 'dev.a%2Eb.c%20d'],
    ['/lead//x', '%.lead.%.x'],
    ['/', '%.%'],
    ['100%/x', '100%25.x'],
    ['%', '%25'],
    ['tab\there', 'tab%09here'],
    ['a\u3000b', 'a%E3%80%80b'],
    ['$SYS/broker/load', '$SYS.broker.load'],
    ['grün/😀', 'grün.😀'],
  ])('%s is %s', (topic, uri) => {
    expect(escapedTopics.uriOf(topic)).toBe(uri);
    expect(escapedTopics.topicOf(uri)).toBe(topic);
  });

  it.each([
    ['a.100%', 'a/100%'],
    ['a.%41', 'a/%41'],
    ['a.b%2ec', 'a/b%2ec'],
    ['a.%FF', 'a/%FF'],
    ['a.%2F', 'a/%2F'],
    ['a.%00', 'a/%00'],
  ])('the URI %s, which no topic has, is shown as %s', (uri, topic) => {
    expect(escapedTopics.topicOf(uri)).toBe(topic);
  });

  it.each(['a.b/c', 'a.b+c', 'a.b\0', 'a.\ud800', '%', 'x'.repeat(1025)])('%j is not shown at all', (uri) => {
    expect(escapedTopics.topicOf(uri)).toBeUndefined();
  });

  it('finds back, is the only one with it, and is a valid URI', () => {
    fc.assert(
      fc.property(topics, (topic) => {
        const uri = escapedTopics.uriOf(topic);
        if (uri.length > 1024) return;
        expect(isValidUri(uri, 'loose')).toBe(true);
        expect(escapedTopics.topicOf(uri)).toBe(topic);
      }),
    );
  });

  it('what is shown of a URI is a topic that a client may name', () => {
    const components = fc.constantFrom('%', '%41', '%2', 'a', '%2E', '%20', '%C3', '%E3%80%80', '+', 'b/c', '\0', '😀');
    fc.assert(
      fc.property(fc.array(components, { minLength: 1, maxLength: 6 }), (parts) => {
        const topic = escapedTopics.topicOf(parts.join('.'));
        if (topic !== undefined) expect(topicFault(topic)).toBeUndefined();
      }),
    );
  });
});

describe('as in Crossbar.io', () => {
  it.each([
    ['a/b', 'a.b', 'a/b'],
    ['a.b/c', 'a.b.c', 'a/b/c'],
    ['a%2E', 'a%2E', 'a%2E'],
  ])('%s is %s and comes back as %s', (topic, uri, back) => {
    expect(plainTopics.uriOf(topic)).toBe(uri);
    expect(plainTopics.topicOf(uri)).toBe(back);
  });

  it.each(['a//b', '/a', 'a b'])('%s has no URI', (topic) => {
    expect(isValidUri(plainTopics.uriOf(topic), 'loose')).toBe(false);
  });
});

it.each([
  ['', 'the topic is empty'],
  ['a\0', 'the topic has a NUL in it'],
  ['a/+', 'the topic has a wildcard in it'],
  ['a#', 'the topic has a wildcard in it'],
  ['a/b', undefined],
])('%j: %s', (topic, fault) => {
  expect(topicFault(topic)).toBe(fault);
});

it.each([
  ['$SYS/x', true],
  ['wamp/session/on_join', true],
  ['wamp', true],
  ['crossbar/x', true],
  ['wampum', false],
  ['a/$x', false],
])('a wildcard at the beginning does not mean %s: %s', (topic, hidden) => {
  expect(isHiddenTopic(topic)).toBe(hidden);
});
