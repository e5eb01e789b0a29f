import { describe, expect, it } from 'vitest';
import { isKept, isKeptForOthers, keepConnection } from '../../../src/http/kept-connections.js';

describe('a connection that a service keeps', () => {
  it('stays as long as it is needed', () => {
    const connection = {};
    let isNeeded = true;
    expect(isKept(connection)).toBe(false);
    keepConnection(connection, { mount: '/lp', isNeeded: () => isNeeded });
    expect(isKept(connection)).toBe(true);
    isNeeded = false;
    expect(isKept(connection)).toBe(false);
  });

  it.each([
    ['/lp', '/lp/id/receive', false],
    ['/lp', '/lp', false],
    ['/lp', '/lpx/open', true],
    ['/lp', '/', true],
    ['/a/lp', '/a', true],
    ['/', '/id/receive', false],
  ])('at %s, is for others where %s is asked for: %s', (mount, path, isForOthers) => {
    const connection = {};
    expect(isKeptForOthers(connection, path)).toBe(false);
    keepConnection(connection, { mount, isNeeded: () => true });
    expect(isKeptForOthers(connection, path)).toBe(isForOthers);
  });
});
