/**
 * Values on their way into a component and out of it. They are copied, so that nobody changes what others hold: the same
 * event goes to many, and is encoded whenever a client gets it. What comes out must be what a message can carry. Pure.
 */
import { MAX_NESTING } from '../serializer/wire-payload.js';
import { define } from '../serializer/dict.js';
import { payloadOf } from '../wamp/payload.js';
import { Result } from './api.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Args, Kwargs } from './api.js';

/**
 * @returns a payload of copies. Objects with a `toJSON` become what it returns, members that are undefined are left out.
 * @throws TypeError for what no message can carry: functions, symbols, maps, and lists that contain themselves.
 */
export function payloadFrom(args: readonly unknown[] = [], kwargs: Readonly<Kwargs> = {}): Payload {
  if (!Array.isArray(args)) throw new TypeError('args must be an array');
  if (typeof kwargs !== 'object') throw new TypeError('kwargs must be an object');
  const named = copy(kwargs, 'kwargs', 1) as Kwargs;
  return payloadOf(copy(args, 'args', 1) as Args, Object.keys(named).length === 0 ? undefined : named);
}

/** @returns copies of the values of a payload: a component may do with them what it likes. */
export function valuesOf({ args, kwargs }: Payload): { readonly args: Args; readonly kwargs: Kwargs } {
  return { args: copy(args, 'args', 1) as Args, kwargs: copy(kwargs ?? {}, 'kwargs', 1) as Kwargs };
}

/** @returns what a caller gets for a RESULT: autobahn's rule. */
export function resultOf(payload: Payload): unknown {
  const { args, kwargs } = valuesOf(payload);
  if (args.length > 1 || Object.keys(kwargs).length > 0) return new Result(args, kwargs);
  return args.length === 0 ? null : args[0];
}

/** @returns what a callee sends for the value that an endpoint returned. @throws TypeError as {@link payloadFrom}. */
export function resultPayload(value: unknown): Payload {
  if (isResult(value)) return payloadFrom(value.args, value.kwargs);
  return value === undefined ? payloadFrom() : payloadFrom([value]);
}

/** Also that of autobahn-js, and that of another copy of this package. */
function isResult(value: unknown): value is Result {
  if (value instanceof Result) return true;
  if (typeof value !== 'object' || value === null || !('args' in value) || !Array.isArray(value.args)) return false;
  return (Object.getPrototypeOf(value) as object | null)?.constructor.name === 'Result';
}

function copy(value: unknown, place: string, depth: number): unknown {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'function':
    case 'symbol':
      throw new TypeError(`${place} is a ${typeof value}, which no message can carry`);
    case 'object':
      return value === null ? null : copyObject(value, place, depth);
    default:
      return value;
  }
}

function copyObject(value: object, place: string, depth: number): unknown {
  if (depth > MAX_NESTING) throw new TypeError(`${place} is nested too deep (allowed: ${MAX_NESTING} levels)`);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((item, index) => copy(item, `${place}[${index}]`, depth + 1));
  if (hasToJson(value)) return copy(value.toJSON(), place, depth + 1);
  const kind = Object.prototype.toString.call(value);
  if (kind !== '[object Object]') throw new TypeError(`${place} is a ${kind.slice(8, -1)}, which no message can carry`);
  return copyDict(value as Dict, place, depth);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function copyDict(dict: Dict, place: string, depth: number): Dict {
  const copied: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(dict)) {
    if (member !== undefined) define(copied, key, copy(member, `${place}.${key}`, depth + 1));
  }
  return copied;
}
