/** The keyword arguments of `wamp.subscription.get_events` (section "Event History"), checked. */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { isId } from '../../wamp/id.js';
import type { Dict } from '../../wamp/payload.js';

/** Which events are asked for: those that meet all conditions. Times are milliseconds since 1970, publications are their ids. */
export interface HistoryQuery {
  /** The most events in the answer: the first ones in its order. */
  readonly limit: number;
  /** The newest event first. */
  readonly reverse: boolean;
  readonly topic: string | undefined;
  readonly fromTime: number;
  readonly afterTime: number;
  readonly beforeTime: number;
  readonly untilTime: number;
  readonly fromPublication: number | undefined;
  readonly afterPublication: number | undefined;
  readonly beforePublication: number | undefined;
  readonly untilPublication: number | undefined;
}

/** @throws WampError `wamp.error.invalid_argument`. Unknown keys are ignored. */
export function historyQuery(kwargs: Dict = {}): HistoryQuery {
  return {
    limit: optional(kwargs, 'limit', isCount, 'a positive integer') ?? Infinity,
    reverse: optional(kwargs, 'reverse', isBoolean, 'a boolean') ?? false,
    topic: optional(kwargs, 'topic', isString, 'a topic URI'),
    fromTime: time(kwargs, 'from_time') ?? -Infinity,
    afterTime: time(kwargs, 'after_time') ?? -Infinity,
    beforeTime: time(kwargs, 'before_time') ?? Infinity,
    untilTime: time(kwargs, 'until_time') ?? Infinity,
    fromPublication: publication(kwargs, 'from_publication'),
    afterPublication: publication(kwargs, 'after_publication'),
    beforePublication: publication(kwargs, 'before_publication'),
    untilPublication: publication(kwargs, 'until_publication'),
  };
}

function optional<T>(
  kwargs: Dict,
  key: string,
  check: (value: unknown) => value is T,
  expected: string,
): T | undefined {
  const value = kwargs[key];
  // Clients that fill a form send null for an empty field.
  if (value === undefined || value === null) return undefined;
  if (!check(value)) throw new WampError(ErrorUri.INVALID_ARGUMENT, `${key} must be ${expected}`);
  return value;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isString = (value: unknown): value is string => typeof value === 'string';
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
const isTime = (value: unknown): value is string =>
  isString(value) && RFC_3339.test(value) && !Number.isNaN(Date.parse(value));

function time(kwargs: Dict, key: string): number | undefined {
  const text = optional(kwargs, key, isTime, 'a time like 2026-01-31T12:00:00.000Z');
  return text === undefined ? undefined : Date.parse(text);
}

function publication(kwargs: Dict, key: string): number | undefined {
  return optional(kwargs, key, isId, 'a publication id');
}
