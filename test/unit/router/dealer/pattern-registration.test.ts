import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';

interface Vectors {
  readonly registrations: readonly { readonly key: string; readonly match: string; readonly pattern: string }[];
  readonly calls: readonly { readonly procedure: string; readonly string_prefix: string | null }[];
}
const { registrations, calls } = JSON.parse(
  readFileSync('test/fixtures/wamp/own-vectors/matching.json', 'utf8'),
) as Vectors;

describe('pattern-based registration', () => {
  it.each(calls)('sends a call of $procedure to $string_prefix', ({ procedure, string_prefix: key }) => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    for (const [i, { match, pattern }] of registrations.entries()) b.tell(64, i + 1, { match }, pattern);
    const keys = new Map(b.heard().map(([, requestId, id]) => [id, registrations[Number(requestId) - 1]?.key]));
    a.tell(48, 1, {}, procedure, [1]);
    if (key === null) {
      expect(a.heard()[0]?.slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.no_such_procedure']);
      return;
    }
    const [invocation] = b.heard();
    expect(keys.get(invocation?.[2])).toBe(key);
    const exact = registrations.find((registration) => registration.key === key)?.match === 'exact';
    expect(invocation).toEqual([68, 1, invocation?.[2], exact ? {} : { procedure }, [1]]);
  });

  it('keeps one URI apart under different match policies, and takes each away alone', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, { match: 'prefix' }, 'com.a').tell(64, 2, { match: 'wildcard' }, 'com.a').tell(64, 3, {}, 'com.a');
    expect(b.heard()).toEqual([
      [65, 1, 1],
      [65, 2, 2],
      [65, 3, 3],
    ]);
    const called = (id: number) => {
      a.tell(48, id, {}, 'com.a');
      return b.heard()[0]?.[2];
    };
    expect(called(1)).toBe(3);
    b.tell(66, 4, 3).heard();
    expect(called(2)).toBe(1);
    b.tell(66, 5, 1).heard();
    expect(called(3)).toBe(2);
    b.tell(66, 6, 2).heard();
    a.heard();
    a.tell(48, 4, {}, 'com.a');
    expect(a.heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
  });

  it('refuses to call an invalid URI although a prefix fits it', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, { match: 'prefix' }, 'com.').heard();
    expect(a.tell(48, 1, {}, 'com.a b').heard()[0]?.[4]).toBe('wamp.error.invalid_uri');
    expect(b.heard()).toEqual([]);
  });

  it('lets patterns include the URIs of the router, but does not ask them for these', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, { match: 'prefix' }, '').tell(64, 2, { match: 'prefix' }, 'wam');
    b.tell(64, 3, { match: 'wildcard' }, '.session.none');
    expect(b.heard().map(([type]) => type)).toEqual([65, 65, 65]);
    for (const [i, uri] of ['wamp', 'wamp.session.none'].entries()) {
      expect(a.tell(48, i + 1, {}, uri).heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
    }
    a.tell(48, 3, {}, 'wampum.list').tell(48, 4, {}, 'com.x');
    expect(b.heard().map(([, , registration, details]) => [registration, details])).toEqual([
      [2, { procedure: 'wampum.list' }],
      [1, { procedure: 'com.x' }],
    ]);
  });
});
