/** From the JSON of a user of somebody else to a principal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isSameUser, mapUser, parseUser, valueAt } from '../../../../src/auth/mapping/mapping.js';
import type { MappingConfig } from '../../../../src/auth/mapping/schema.js';

const CONFIG: MappingConfig = { authid: 'user.id', role: 'member', extra: {} };
const mapped = (user: unknown, config: Partial<MappingConfig> = {}) => mapUser(user, { ...CONFIG, ...config });
const authidOf = (id: unknown, config: Partial<MappingConfig> = {}): string | undefined =>
  mapped({ user: { id } }, config)?.authid;
const roleOf = (role: unknown, otherwise?: string): string | undefined =>
  mapped(
    { user: { id: 'joe' }, role },
    {
      role: {
        path: 'role',
        map: { root: 'admin', staff: 'member', '1': 'first', true: 'yes', null: 'nothing' },
        ...(otherwise !== undefined && { default: otherwise }),
      },
    },
  )?.authrole;

describe('the authid of a user', () => {
  it.each([
    ['joe', 'joe'],
    [42, '42'],
    [0, '0'],
    [-1, '-1'],
    ['äöü', 'äöü'],
    ['a'.repeat(1024), 'a'.repeat(1024)],
  ])('%j is %s', (id, authid) => {
    expect(authidOf(id)).toBe(authid);
  });

  it.each([undefined, null, '', true, {}, [], ['joe'], NaN, Infinity, 1.5, 'a'.repeat(1025)])('is not %j', (id) => {
    expect(authidOf(id)).toBeUndefined();
  });

  it('is not a number that was rounded: others would have the same', () => {
    expect(authidOf(JSON.parse('9007199254740993'))).toBeUndefined();
    expect(authidOf(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
  });

  it('has what is put before it', () => {
    expect(authidOf('joe', { authid_prefix: 'web:' })).toBe('web:joe');
    expect(authidOf('', { authid_prefix: 'web:' })).toBeUndefined();
  });
});

describe('the role of a user', () => {
  it.each([
    ['root', 'admin'],
    [['other', 'staff', 'root'], 'admin'],
    [['staff'], 'member'],
    [1, 'first'],
    [true, 'yes'],
  ])('%j is mapped to %s', (value, role) => {
    expect(roleOf(value)).toBe(role);
  });

  it.each([undefined, null, 'admin', 'trusted', [], [['root']], { root: true }, 'constructor', '__proto__'])(
    'is never what stands there: %j',
    (value) => {
      expect(roleOf(value)).toBeUndefined();
      expect(roleOf(value, 'guest')).toBe('guest');
    },
  );

  it('is the first of the config that is in a list, also for many', () => {
    expect(roleOf(Array.from({ length: 10_000 }, (_, i) => `group${i}`).concat('staff'))).toBe('member');
  });
});

describe('the rest of a user', () => {
  it('is what is there of it', () => {
    const user = { user: { id: 'joe', name: 'Joe', mails: ['a@example.com'] } };
    const extra = { name: 'user.name', mail: 'user.mails.0', age: 'user.age' };
    expect(mapped(user, { extra })?.authextra).toEqual({ name: 'Joe', mail: 'a@example.com' });
    expect(mapped(user, { extra: { age: 'user.age' } })?.authextra).toBeUndefined();
  });

  it('may be demanded', () => {
    const require = { 'user.verified': true };
    expect(mapped({ user: { id: 'joe', verified: true } }, { require })?.authid).toBe('joe');
    for (const verified of [undefined, false, 'true', 1, [true]]) {
      expect(mapped({ user: { id: 'joe', verified } }, { require })).toBeUndefined();
    }
  });

  it('has names of its own only', () => {
    const user = parseUser('{"user":{"id":"joe"},"__proto__":{"name":"x"}}');
    const extra = { a: 'constructor.name', b: 'user.__proto__', c: 'toString', ['__proto__']: 'user.id' };
    expect(mapped(user, { extra })?.authextra ?? {}).not.toHaveProperty('a');
    expect(Object.getPrototypeOf(mapped(user, { extra: { ['__proto__']: 'user' } })?.authextra ?? {})).toBe(
      Object.prototype,
    );
  });
});

describe('a path', () => {
  it.each([
    ['a.b', { a: { b: 1 } }, 1],
    ['a.b', { 'a.b': 2, a: { b: 1 } }, 2],
    ['https://example.com/claims.roles', { 'https://example.com/claims.roles': ['x'] }, ['x']],
    ['a.1', { a: ['x', 'y'] }, 'y'],
    ['a.length', { a: 'text' }, undefined],
    ['a.b.c', { a: { 'b.c': 3 } }, 3],
    ['constructor', {}, undefined],
    ['a', null, undefined],
    ['a', 'text', undefined],
  ])('%s of %j', (path, value, found) => {
    expect(valueAt(value, path)).toEqual(found);
  });
});

describe('the JSON of a user', () => {
  it.each(['', '{', 'null', '[]', '"text"', '1'])('is not %j', (text) => {
    expect(parseUser(text)).toBeUndefined();
  });

  it('never makes more of a user than a text, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const found = mapped(value, { authid: 'a.b', role: { path: 'c', map: { x: 'member' } } });
        expect(found === undefined || (found.authid.length > 0 && found.authrole === 'member')).toBe(true);
      }),
    );
  });
});

describe('a user', () => {
  const joe = { authid: 'joe', authrole: 'member', realm: undefined, authextra: undefined };

  it('is the same whatever else is known of him', () => {
    expect(isSameUser(joe, { ...joe, authextra: { name: 'Joe' } })).toBe(true);
  });

  it.each([{ authid: 'mary' }, { authrole: 'admin' }, { realm: 'realm2' }])('is another one with %j', (other) => {
    expect(isSameUser(joe, { ...joe, ...other })).toBe(false);
  });
});
