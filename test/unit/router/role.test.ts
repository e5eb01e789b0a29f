import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/router/role.js';
import type { PermissionConfig } from '../../../src/router/schema.js';
import { testRealm } from '../../support/realm.js';

const ALL = { call: true, register: true, publish: true, subscribe: true };

function may(permissions: readonly PermissionConfig[], uri: string): boolean {
  try {
    return new Role({ name: 'user', permissions }).authorize('call', uri).call;
  } catch {
    return false;
  }
}

describe('static permissions', () => {
  it.each<[string, PermissionConfig[], string, boolean]>([
    ['no rule denies', [], 'a.b', false],
    ['exact', [{ uri: 'a.b', allow: ALL }], 'a.b', true],
    ['exact is exact', [{ uri: 'a.b', allow: ALL }], 'a.bc', false],
    ['prefix by match', [{ uri: 'a.', match: 'prefix', allow: ALL }], 'a.bc', true],
    ['prefix by asterisk', [{ uri: 'a.*', allow: ALL }], 'a.bc', true],
    ['asterisk in the middle', [{ uri: 'com.*.created', allow: ALL }], 'com.user.created', true],
    ['asterisk in the middle is one component', [{ uri: 'com.*.created', allow: ALL }], 'com.a.b.created', false],
    ['asterisk in the middle is no prefix', [{ uri: 'com.*.created', allow: ALL }], 'com.user.deleted', false],
    ['two asterisks', [{ uri: 'com.*.item.*', allow: ALL }], 'com.shop.item.sold', true],
    ['two asterisks are no prefix', [{ uri: 'com.*.item.*', allow: ALL }], 'com.shop.item.sold.now', false],
    ['two asterisks at the end', [{ uri: 'com.**', allow: ALL }], 'com.a.b', false],
    ['asterisk within a component', [{ uri: 'com.us*r.created', allow: ALL }], 'com.user.created', false],
    ['asterisk beside wildcard is itself', [{ uri: 'com.*', match: 'wildcard', allow: ALL }], 'com.user', false],
    ['asterisk beside wildcard', [{ uri: 'com.*', match: 'wildcard', allow: ALL }], 'com.*', true],
    ['asterisk beside exact is itself', [{ uri: 'com.*', match: 'exact', allow: ALL }], 'com.user', false],
    ['everything', [{ uri: '*', allow: ALL }], 'x', true],
    ['everything by the empty prefix', [{ uri: '', match: 'prefix', allow: ALL }], 'x', true],
    ['wildcard', [{ uri: 'a..c', match: 'wildcard', allow: ALL }], 'a.x.c', true],
    ['wildcard is component by component', [{ uri: 'a..c', match: 'wildcard', allow: ALL }], 'a.x.y.c', false],
    [
      'the longest prefix decides',
      [
        { uri: 'a.*', allow: ALL },
        { uri: 'a.b.*', allow: {} },
      ],
      'a.b.c',
      false,
    ],
    [
      'the longest prefix decides, whatever the order',
      [
        { uri: 'a.b.*', allow: {} },
        { uri: 'a.*', allow: ALL },
      ],
      'a.b.c',
      false,
    ],
    [
      'exact beats prefix',
      [
        { uri: 'a.*', allow: ALL },
        { uri: 'a.b', allow: {} },
      ],
      'a.b',
      false,
    ],
    [
      'exact beats wildcard',
      [
        { uri: 'a.', match: 'wildcard', allow: ALL },
        { uri: 'a.b', allow: {} },
      ],
      'a.b',
      false,
    ],
    [
      'wildcard beats prefix',
      [
        { uri: 'a.*', allow: ALL },
        { uri: 'a..x', match: 'wildcard', allow: {} },
      ],
      'a.b.x',
      false,
    ],
    [
      'an exact rule for another URI does not hide a prefix rule',
      [
        { uri: 'a.b', allow: {} },
        { uri: 'a.*', allow: ALL },
      ],
      'a.bc',
      true,
    ],
    [
      'the literal component beats the wildcard at the first difference',
      [
        { uri: 'a.b..', match: 'wildcard', allow: ALL },
        { uri: 'a..c.d', match: 'wildcard', allow: {} },
      ],
      'a.b.c.d',
      true,
    ],
    [
      'a dead end in the pattern tree is left again',
      [
        { uri: 'a.b.x', match: 'wildcard', allow: {} },
        { uri: 'a..c', match: 'wildcard', allow: ALL },
      ],
      'a.b.c',
      true,
    ],
    ['a rule allows only what it names', [{ uri: 'a.b', allow: { publish: true } }], 'a.b', false],
  ])('%s', (_what, permissions, uri, expected) => {
    expect(may(permissions, uri)).toBe(expected);
  });

  it('falls back to allow-by-default', () => {
    expect(new Role({ name: 'open', 'allow-by-default': true }).authorize('call', 'a.b').call).toBe(true);
    expect(() => new Role({ name: 'closed' }).authorize('call', 'a.b')).toThrow(
      /"closed" is not authorized to call procedure "a.b"/,
    );
  });

  it('answers a denied request with not_authorized, before it says whether the URI exists', () => {
    const { session } = testRealm({ name: 'user', permissions: [{ uri: 'free.*', allow: ALL }] });
    const a = session();
    for (const message of [
      [32, 1, {}, 'other.topic'],
      [64, 1, {}, 'other.procedure'],
      [48, 1, {}, 'other.procedure'],
      [16, 1, { acknowledge: true }, 'other.topic'],
    ]) {
      expect(
        a
          .tell(...message)
          .heard()[0]
          ?.slice(0, 5),
      ).toEqual([8, message[0], 1, {}, 'wamp.error.not_authorized']);
    }
    expect(a.tell(16, 2, {}, 'other.topic').heard()).toEqual([]);
    expect(a.tell(32, 3, {}, 'free.topic').heard()[0]?.[0]).toBe(33);
  });
});
