import { describe, expect, it } from 'vitest';
import { CallError, Result } from '../../../src/client/api.js';
import { payloadFrom, resultOf, resultPayload, valuesOf } from '../../../src/client/values.js';
import { MAX_NESTING } from '../../../src/serializer/wire-payload.js';

describe('what a component sends', () => {
  it('is copied: what the component does to it later changes nothing', () => {
    const list = [1];
    const bytes = new Uint8Array([1, 2]);
    const payload = payloadFrom([{ list }, bytes], { list });
    list.push(2);
    bytes[0] = 9;
    expect(payload).toEqual({ args: [{ list: [1] }, new Uint8Array([1, 2])], kwargs: { list: [1] } });
  });

  it('has the values that messages carry', () => {
    const date = new Date('2026-01-01T00:00:00Z');
    class Point {
      x = 1;
      y = undefined;
    }
    const { args } = payloadFrom([undefined, null, true, 1n, date, new Point(), [undefined], Object.create(null)]);
    expect(args).toEqual([null, null, true, 1n, '2026-01-01T00:00:00.000Z', { x: 1 }, [null], {}]);
    expect(Object.keys(args[5] as object)).toEqual(['x']);
  });

  it('keeps a key that is called like the prototype', () => {
    const { args } = payloadFrom([JSON.parse('{"__proto__": {"a": 1}}')]);
    expect(Object.getPrototypeOf(args[0])).toBe(Object.prototype);
    expect(JSON.stringify(args[0])).toBe('{"__proto__":{"a":1}}');
  });

  it.each([
    [() => 1, 'args[0] is a function, which no message can carry'],
    [Symbol('x'), 'args[0] is a symbol, which no message can carry'],
    [new Map(), 'args[0] is a Map, which no message can carry'],
    [{ a: [new Error('x')] }, 'args[0].a[0] is a Error, which no message can carry'],
    [Promise.resolve(), 'args[0] is a Promise, which no message can carry'],
  ])('is refused when it is none: %s', (value, text) => {
    expect(() => payloadFrom([value])).toThrow(new TypeError(text));
  });

  it('is refused when it contains itself, or is nested deeper than the serializers go', () => {
    const ring: unknown[] = [];
    ring.push(ring);
    expect(() => payloadFrom(ring)).toThrow('is nested too deep (allowed: 64 levels)');
    const nested = (levels: number): unknown[] => (levels === 1 ? [] : [nested(levels - 1)]);
    expect(() => payloadFrom(nested(MAX_NESTING))).not.toThrow();
    expect(() => payloadFrom(nested(MAX_NESTING + 1))).toThrow('nested too deep');
  });

  it('must be a list and a dictionary', () => {
    expect(() => payloadFrom('text' as never)).toThrow('args must be an array');
    expect(() => payloadFrom([], 'text' as never)).toThrow('kwargs must be an object');
  });
});

describe('what a component gets', () => {
  it('is its own: others see nothing of what it does to it', () => {
    const payload = payloadFrom([{ a: 1 }], { b: [1] });
    const { args, kwargs } = valuesOf(payload);
    (args[0] as { a: number }).a = 2;
    kwargs.b = 3;
    expect(payload).toEqual({ args: [{ a: 1 }], kwargs: { b: [1] } });
  });
});

describe('a result', () => {
  it.each([
    [[], undefined, null],
    [[7], undefined, 7],
    [[[7]], undefined, [7]],
    [[1, 2], undefined, new Result([1, 2])],
    [[], { a: 1 }, new Result([], { a: 1 })],
    [[1], { a: 1 }, new Result([1], { a: 1 })],
  ])('of %j and %j is %j for the caller', (args, kwargs, expected) => {
    expect(resultOf(payloadFrom(args, kwargs))).toEqual(expected);
  });

  it('may be several values, also in the class of another library', () => {
    const Other = { Result: class Result extends Array<never> {} }.Result;
    const other = Object.assign(Object.create(Other.prototype) as object, { args: [1, 2], kwargs: {} });
    expect(resultPayload(new Result([1, 2], { a: 3 }))).toEqual({ args: [1, 2], kwargs: { a: 3 } });
    expect(resultPayload(other)).toEqual({ args: [1, 2], kwargs: undefined });
    expect(resultPayload(undefined)).toEqual({ args: [], kwargs: undefined });
    expect(resultPayload({ args: [1] })).toEqual({ args: [{ args: [1] }], kwargs: undefined });
  });
});

it('a CallError says in its message what its first argument says', () => {
  expect(new CallError('com.app.error', ['no such shop', 1]).message).toBe('com.app.error: no such shop');
  expect(new CallError('com.app.error', [1]).message).toBe('com.app.error');
});
