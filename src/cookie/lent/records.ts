/**
 * What the owner of cookie stores and a borrower say to each other: records (`system/stream/record-reader.ts`) with JSON in them.
 *
 *     borrower: ASK n ..              owner: VALUE n, or REFUSED n; before it, of a list, PART n ..
 *     owner:    GONE w id             the watch w is told of a logout
 *     owner:    WHO w                 borrower: HERE w .., ALL_HERE w: its cookies with an open connection
 *
 * The numbers of requests are given by the borrower, and given again only when they are answered. A watch has the number of the request for it.
 */
import { BadRecord } from '../../system/stream/record-reader.js';
import { fits, isFlag, isNumber, isObject, isText, isTexts, jsonIn, maybe, oneOf } from '../../system/stream/shapes.js';
import type { Check, Shape } from '../../system/stream/shapes.js';
import type { Compaction, CookieAuth, CookieChange, CookieForward, CookieRecord, LoginSource } from '../store.js';

/** The kinds of records. What comes from borrowers is below 32. */
export const Kind = {
  /** A request. Content: a {@link Request}. */
  ASK: 1,
  /** Some of the cookies with an open connection. Content: their ids. */
  HERE: 2,
  /** The last of them, as {@link Kind.HERE}. */
  ALL_HERE: 3,

  /** What a request has led to; nothing for what is undefined. */
  VALUE: 32,
  /** Some of a list. The last ones come as its {@link Kind.VALUE}. */
  PART: 33,
  /** A request has failed. Content: a {@link Refusal}. */
  REFUSED: 34,
  /** A cookie was logged out. Content: its id as it is. */
  GONE: 35,
  /** Which cookies have an open connection? */
  WHO: 36,
} as const;

/** Of one kind. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What a request is about, by the number of the store. */
interface OfStore {
  readonly store: number;
}

/** A request about one cookie. */
interface OfCookie extends OfStore {
  readonly cbtid: string;
}

/** A request for a list, which is sent in parts. */
export type ListRequest = (OfStore & { readonly do: 'list' }) | (OfStore & { readonly do: 'unreturned' });

/** A request for one answer. */
export type SingleRequest =
  | { readonly do: 'borrow'; readonly key: string }
  | (OfCookie & { readonly do: 'get' })
  | (OfCookie & { readonly do: 'latest' })
  | (OfCookie & { readonly do: 'evict' })
  | (OfStore & { readonly do: 'create'; readonly record: CookieRecord })
  | (OfCookie & { readonly do: 'update'; readonly change: CookieChange })
  | (OfCookie & {
      readonly do: 'rotate';
      readonly successor: string;
      readonly rotated: string;
      readonly returned: boolean;
    })
  | (OfCookie & { readonly do: 'delete'; readonly deleted: string; readonly isTold: boolean })
  | (OfStore & { readonly do: 'entries' })
  | (OfStore & { readonly do: 'compact' })
  | (OfStore & { readonly do: 'watch' })
  /** Ends the watch of this number. */
  | { readonly do: 'unwatch'; readonly watch: number };

/** What a borrower may ask: the methods of a `CookieStore`, and what there is by a key. */
export type Request = ListRequest | SingleRequest;

/** What a borrower learns of a store. */
export interface Loan {
  /** The same for all keys that lead to the same store. */
  readonly store: number;
  /** Whether it has these methods. */
  readonly entries: boolean;
  readonly compact: boolean;
  readonly latest: boolean;
}

/** A CookieStoreError. */
export interface Refusal {
  readonly message: string;
  /** The store failed. */
  readonly cause?: string | undefined;
}

/** How long a request may be, in bytes: a login is no longer than the message that it came in. */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** The same of an answer: a record that was there before is in it. */
export const MAX_ANSWER_BYTES = 2 * MAX_REQUEST_BYTES;
/** How many requests of a borrower may be under way, and how long they may be together, in bytes. */
export const MAX_UNDER_WAY = 65_536;
export const MAX_UNDER_WAY_BYTES = 2 * MAX_REQUEST_BYTES;
/** How much may wait for the other end before it is given up, in bytes. */
export const MAX_UNSENT_BYTES = 128 * 1024 * 1024;
/** Lists go in parts of about so many bytes. */
export const PART_BYTES = 64 * 1024;

const maybeNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const SOURCE: Shape<LoginSource> = {
  ...{ provider: maybe(isText), issuer: maybe(isText), subject: maybe(isText), sid: maybe(isText) },
  expires: maybe(isText),
};
const AUTH: Shape<CookieAuth> = {
  ...{ authid: isText, authrole: isText, authmethod: isText, authrealm: isText, authextra: maybeNull(isObject) },
  ...{ credential: maybe(isText), source: maybe((value) => fits(value, SOURCE)) },
};
const isAuth: Check = maybeNull((value) => fits(value, AUTH));
const RECORD: Shape<CookieRecord> = {
  ...{ cbtid: isText, created: isText, modified: maybeNull(isText), max_age: isNumber, auth: isAuth },
  ...{ seen: maybeNull(isText), rotated: maybeNull(isText), returned: isFlag },
};
const FORWARD: Shape<CookieForward> = {
  ...{ cbtid: isText, moved_to: isText, moved: isText, returned: maybe((value) => value === false) },
};
const isRecord = (value: unknown): value is CookieRecord => fits(value, RECORD);

const isChange: Check = (value) => {
  if (!isObject(value)) return false;
  if ('auth' in value) return fits(value, { auth: isAuth, modified: isText });
  if ('seen' in value) return isText(value.seen);
  return 'returned' in value && value.returned === true;
};

const STORE = { store: isNumber };
const COOKIE = { ...STORE, cbtid: isText };
const REQUESTS: Readonly<Record<Request['do'], Readonly<Record<string, Check>>>> = {
  borrow: { key: isText },
  get: COOKIE,
  latest: COOKIE,
  evict: COOKIE,
  create: { ...STORE, record: isRecord },
  update: { ...COOKIE, change: isChange },
  rotate: { ...COOKIE, successor: isText, rotated: isText, returned: isFlag },
  delete: { ...COOKIE, deleted: isText, isTold: isFlag },
  ...{ unreturned: STORE, list: STORE, entries: STORE, compact: STORE, watch: STORE },
  unwatch: { watch: isNumber },
};
const isWord = oneOf(REQUESTS);

/** @returns what a borrower asks. @throws BadRecord */
export function requestIn(content: Buffer): Request {
  const value = jsonIn(content);
  if (!isObject(value) || !('do' in value) || !isWord(value.do)) throw new BadRecord('a record is no request');
  const request = value as Request;
  if (!fits(request, REQUESTS[request.do])) throw new BadRecord(`a record is no request to ${request.do}`);
  return request;
}

/** @returns some of a list of ids. @throws BadRecord */
export function idsIn(content: Buffer): readonly string[] {
  const value = jsonIn(content);
  if (!isTexts(value)) throw new BadRecord('a record is no list of cookies');
  return value as readonly string[];
}

/** @returns why a request has failed. @throws BadRecord */
export function refusalIn(content: Buffer): Refusal {
  const value = jsonIn(content);
  if (!fits<Refusal>(value, { message: isText, cause: maybe(isText) })) throw new BadRecord('a record is no refusal');
  return value;
}

/** What an answer must be, by what was asked. */
export const ANSWERS = {
  loan: (value: unknown): value is Loan =>
    fits<Loan>(value, { store: isNumber, entries: isFlag, compact: isFlag, latest: isFlag }),
  entry: (value: unknown): value is CookieRecord | CookieForward | undefined =>
    value === undefined || isRecord(value) || fits(value, FORWARD),
  record: isRecord,
  records: (value: unknown): value is readonly CookieRecord[] => Array.isArray(value) && value.every(isRecord),
  ids: (value: unknown): value is readonly string[] => isTexts(value),
  count: (value: unknown): value is number => isNumber(value),
  compaction: (value: unknown): value is Compaction => fits<Compaction>(value, { before: isNumber, after: isNumber }),
  nothing: (value: unknown): value is undefined => value === undefined,
};
