import { describe, expect, it } from 'vitest';

import { Cursor } from '../../../src/config/cursor.js';
import { markedPlaces } from '../../../src/config/walk.js';
import type { ConfigSchema } from '../../../src/schema/dialect.js';

const file = { type: 'string', is: 'file', description: 'A file.' } as const satisfies ConfigSchema;
const plain = { type: 'string', description: 'No mark.' } as const satisfies ConfigSchema;
const section = { type: 'object', inherited: true, description: 'Holds below.' } as const satisfies ConfigSchema;

function object(properties: Readonly<Record<string, ConfigSchema>>, more: Partial<ConfigSchema> = {}): ConfigSchema {
  return { type: 'object', description: 'An object.', properties, ...more };
}

/** What is marked, as `pointer: keyword`. */
function marksIn(value: unknown, root: ConfigSchema, definitions: Readonly<Record<string, ConfigSchema>> = {}) {
  return markedPlaces(new Cursor(value), { root, definitions });
}

function pointersIn(...args: Parameters<typeof marksIn>): string[] {
  return marksIn(...args).map(({ place }) => place.path.join('/'));
}

describe('a walk along a schema', () => {
  it('finds what is marked in objects, lists and free keys, and nothing that is not there', () => {
    const root = object({
      one: file,
      missing: file,
      other: plain,
      list: { type: 'array', items: file, description: 'Files.' },
      free: { type: 'object', additionalProperties: file, description: 'Files by name.' },
    });
    const value = { one: 'a', other: 'b', list: ['c', 'd'], free: { x: 'e' }, unknown: 'f' };
    expect(pointersIn(value, root)).toEqual(['one', 'list/0', 'list/1', 'free/x']);
  });

  it('goes through schemas that contain themselves', () => {
    const tree: ConfigSchema = object({ file }, { additionalProperties: { $ref: '#/definitions/tree' } });
    const value = { file: 'a', x: { constructor: { file: 'b' } } };
    expect(pointersIn(value, tree, { tree })).toEqual(['file', 'x/constructor/file']);
  });

  it('chooses a variant by its type, and finds nothing where that is wrong', () => {
    const variant = (word: string, key: string) => object({ type: { const: word, description: 'Word.' }, [key]: file });
    const root: ConfigSchema = {
      type: 'object',
      description: 'Variants.',
      oneOf: [variant('a', 'one'), variant('b', 'two')],
    };
    expect(pointersIn({ type: 'b', one: 'x', two: 'y' }, root)).toEqual(['two']);
    for (const type of ['c', undefined, 7]) expect(pointersIn({ type, one: 'x', two: 'y' }, root)).toEqual([]);
    expect(pointersIn({ type: 'c', one: 'x' }, variant('a', 'one'))).toEqual([]);
  });

  it('never fails on what stands in the wrong place', () => {
    const root = object({ list: { type: 'array', items: object({ file }), description: 'List.' } });
    for (const list of [7, 'x', null, {}, [7, null, [], { file: {} }]]) {
      expect(() => marksIn({ list }, root)).not.toThrow();
    }
    for (const value of [7, 'x', null, []]) expect(marksIn(value, root)).toEqual([]);
  });

  it('knows the object around a place', () => {
    const inner = object({ file });
    const [mark] = marksIn({ in: { file: 'x' } }, object({ in: inner }));
    expect(mark?.around).toBe(inner);
    expect(mark?.holder.path).toEqual(['in']);
    mark?.holder.set('file', 'y');
    expect(mark?.holder.value).toEqual({ file: 'y' });
  });
});

describe('a section that is handed down', () => {
  const leaf = object({ section, file });
  const root = object({
    before: leaf,
    section,
    free: { type: 'object', additionalProperties: leaf, description: 'Leaves.' },
    beside: { ...leaf, below: 'free' },
  });
  const inForceAt = (value: unknown, pointer: string, schema = root) => {
    const mark = marksIn(value, schema).find(({ place }) => place.path.join('/') === pointer);
    return mark?.inForce.get('section')?.path.join('/');
  };

  it('holds in the object around it and below, whatever the order of the keys', () => {
    const value = { before: { file: 'a' }, section: {}, free: { x: { file: 'b' } } };
    expect(inForceAt(value, 'before/file')).toBe('section');
    expect(inForceAt(value, 'free/x/file')).toBe('section');
  });

  it('gives way to one of its own', () => {
    const value = { section: {}, before: { file: 'a', section: {} }, free: { x: { file: 'b' } } };
    expect(inForceAt(value, 'before/file')).toBe('before/section');
    expect(inForceAt(value, 'free/x/file')).toBe('section');
  });

  it('does not hold beside or above, but where a key says that it is below', () => {
    const schema = object({ a: object({ section }), b: { ...leaf, below: 'a' }, c: leaf });
    const value = { a: { section: {} }, b: { file: 'x' }, c: { file: 'y' } };
    expect(inForceAt(value, 'b/file', schema)).toBe('a/section');
    expect(inForceAt(value, 'c/file', schema)).toBeUndefined();
  });

  it('comes before what it holds for', () => {
    expect(pointersIn({ before: { file: 'a' }, section: {} }, root)).toEqual(['section', 'before/file']);
  });
});

it('a place knows the entrance that it belongs to', () => {
  const entrance = object({ file }, { clients: { by: 'door', browsers: false } });
  const marks = marksIn({ in: { file: 'x' }, file: 'y' }, object({ in: entrance, file }));
  expect(marks.map(({ place, entrance: door }) => [place.path.join('/'), door?.path.join('/')])).toEqual([
    ['in', 'in'],
    ['in/file', 'in'],
    ['file', undefined],
  ]);
});
