import { describe, expect, it } from 'vitest';

import { MAX_TARGET_LENGTH, firstSegment, isMountItself, parseTarget } from '../../../src/http/target.js';

describe('a request target', () => {
  it.each([
    ['/', '/', ''],
    ['/a/b', '/a/b', ''],
    ['/a?b=c', '/a', '?b=c'],
    ['/?', '/', '?'],
    ['/a?b?c', '/a', '?b?c'],
    ['/a?../%zz', '/a', '?../%zz'],
    ['//a', '//a', ''],
    ['/a%20b', '/a%20b', ''],
    ['/%E2%98%83', '/%E2%98%83', ''],
    ['/a%2Fb', '/a%2Fb', ''],
    ['/%252e%252e', '/%252e%252e', ''],
    ['/...', '/...', ''],
    ['/.well-known/x', '/.well-known/x', ''],
    ['/a..b', '/a..b', ''],
    ['http://example.com/a?b', '/a', '?b'],
    ['HTTP://example.com:8080/a', '/a', ''],
    ['https://example.com', '/', ''],
    ['http://example.com?x', '/', '?x'],
  ])('%j is the path %j and the query %j', (target, path, query) => {
    expect(parseTarget(target)).toEqual({ path, query });
  });

  it.each([
    ['', 'no path'],
    ['a/b', 'no path'],
    ['*', 'no path'],
    ['example.com:443', 'no path'],
    ['ftp://example.com/a', 'no path'],
    ['http://', 'no path'],
    ['/a#b', 'must be encoded'],
    ['/a b', 'must be encoded'],
    ['/ä', 'must be encoded'],
    ['/\x80', 'must be encoded'],
    ['/a?ä', 'must be encoded'],
    ['/%', 'percent-encoding'],
    ['/%2', 'percent-encoding'],
    ['/%zz', 'percent-encoding'],
    ['/%ff', 'percent-encoding'],
    ['/%c0%ae', 'percent-encoding'],
    ['/%ed%a0%80', 'percent-encoding'],
    ['/%00', 'control character'],
    ['/a%0d%0ab', 'control character'],
    ['/%7f', 'control character'],
    ['/.', 'dot segment'],
    ['/..', 'dot segment'],
    ['/a/../b', 'dot segment'],
    ['/%2e%2e/etc', 'dot segment'],
    ['/.%2E/etc', 'dot segment'],
    ['http://example.com/../x', 'dot segment'],
  ])('%j is refused: %s', (target, reason) => {
    expect(parseTarget(target)).toEqual({ status: 400, text: expect.stringContaining(reason) });
  });

  it('is refused when it is too long, whatever it says', () => {
    expect(parseTarget(`/${'a'.repeat(MAX_TARGET_LENGTH - 1)}`)).toHaveProperty('path');
    expect(parseTarget(`/${'a'.repeat(MAX_TARGET_LENGTH)}`)).toMatchObject({ status: 414 });
  });
});

describe('the first segment of a path', () => {
  it.each([
    ['', '', ''],
    ['/', '', ''],
    ['/a', 'a', ''],
    ['/a/', 'a', '/'],
    ['/a/b/c', 'a', '/b/c'],
    ['//a', '', '/a'],
    ['/%77s/x', 'ws', '/x'],
    ['/a%2Fb/c', 'a/b', '/c'],
  ])('of %j is %j, and %j is left', (path, segment, rest) => {
    expect(firstSegment(path)).toEqual({ segment, rest });
  });
});

it('takes a path with and without slash for the mount itself', () => {
  expect(['', '/', '//', '/a'].map(isMountItself)).toEqual([true, true, false, false]);
});
