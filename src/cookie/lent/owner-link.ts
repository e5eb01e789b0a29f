/**
 * The owner of cookie stores, as a borrower has it. When it is gone everything that is under way and everything later rejects, for good: a
 * borrower is a process of the node that has the stores, and ends with it. A new owner would know nothing of the sessions here.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { BadRecord } from '../../system/stream/record-reader.js';
import { jsonIn } from '../../system/stream/shapes.js';
import { messageOf } from '../../system/error.js';
import { CookieStoreError } from '../error.js';
import {
  ANSWERS,
  Kind,
  MAX_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  MAX_UNDER_WAY,
  MAX_UNDER_WAY_BYTES,
  refusalIn,
} from './records.js';
import { LentStream } from './stream.js';
import type { Logger } from '../../log/logger.js';
import type { Loan, Request } from './records.js';
import type { LentStreamDeps } from './stream.js';

/** What the link of a borrower is made with. */
export interface OwnerLinkDeps extends Pick<LentStreamDeps, 'maxUnsentBytes'> {
  readonly log: Logger;
  /** The owner is gone. Called once, also after {@link OwnerLink.end}. @param why undefined where it just ended */
  readonly gone?: (why: string | undefined) => void;
}

/** A request that is not answered yet. */
interface UnderWay {
  readonly bytes: number;
  /** @throws BadRecord when that is no answer to it. */
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CookieStoreError) => void;
  /** What has come of a list. */
  parts: unknown[] | undefined;
}

/** What is watched. */
export interface Watched {
  /** @returns the ids of all cookies with an open connection. Never rejects. */
  readonly here: () => Promise<readonly string[]>;
  /** A cookie was logged out, which may have no connection here. */
  readonly onGone: (cbtid: string) => void;
}

interface Watching extends Watched {
  /** The owner waits for an answer to its question. */
  isAsked: boolean;
}

const MAX_NUMBER = 2 ** 32 - 1;

/** The stream to the owner. */
export class OwnerLink {
  readonly #stream: LentStream;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #watches = new Map<number, Watching>();
  #underWayBytes = 0;
  #lastNumber = 0;
  #why: string | undefined;

  constructor(socket: Socket, deps: OwnerLinkDeps) {
    const gone = (why: string | undefined): void => {
      this.#gone(why);
      deps.gone?.(why);
    };
    const onRecord = (kind: Kind, number: number, content: Buffer): void => this.#onRecord(kind, number, content);
    this.#stream = new LentStream(socket, { ...deps, maxRecordBytes: MAX_ANSWER_BYTES + 1024, onRecord, gone });
  }

  /** @param file of the socket of the owner. @throws CookieStoreError (rejects) when nobody is there. */
  static async connect(file: string, deps: OwnerLinkDeps): Promise<OwnerLink> {
    const socket = connect(file);
    try {
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    } catch (cause) {
      throw new CookieStoreError(`the process that has the cookie stores is not there: ${messageOf(cause)}`, { cause });
    }
    return new OwnerLink(socket, deps);
  }

  /** How many requests are not answered yet. */
  get size(): number {
    return this.#underWay.size;
  }

  /** @returns what there is by a key. @throws CookieStoreError (rejects) when it is not lent. */
  borrow(key: string): Promise<Loan> {
    return this.ask({ do: 'borrow', key }, ANSWERS.loan);
  }

  /**
   * Asks the owner.
   * @param isAnswer whether something is an answer to it.
   * @throws CookieStoreError (rejects) as the store of the owner does; with a cause when the owner is gone, or has too much to do.
   */
  ask<T>(request: Request, isAnswer: (value: unknown) => value is T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answered = (value: unknown): void => {
        if (!isAnswer(value)) throw new BadRecord(`a record is no answer to ${request.do}`);
        resolve(value);
      };
      this.#send(request, answered, reject);
    });
  }

  /**
   * Watches a store. Resolves when the owner knows it: from then on nothing is missed.
   * @returns a function that ends the watch.
   * @throws CookieStoreError (rejects) as {@link ask}.
   */
  watch(store: number, watched: Watched): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        if (!this.#watches.delete(number)) return;
        const ignored = (): void => undefined;
        this.#send({ do: 'unwatch', watch: number }, ignored, ignored);
      };
      const refused = (error: CookieStoreError): void => {
        this.#watches.delete(number);
        reject(error);
      };
      const number = this.#send({ do: 'watch', store }, () => resolve(end), refused);
      this.#watches.set(number, { ...watched, isAsked: false });
    });
  }

  /** Cuts the link. Idempotent. */
  end(): void {
    this.#stream.end();
  }

  /** @returns the number of the request. */
  #send(request: Request, resolve: UnderWay['resolve'], reject: UnderWay['reject']): number {
    const number = this.#nextNumber();
    const text = JSON.stringify(request);
    // No character takes more than three bytes.
    const bytes = text.length * 3 > MAX_REQUEST_BYTES ? Buffer.byteLength(text) : text.length * 3;
    const refusal = this.#stream.isGone ? this.#ownerGone() : this.#refusalOf(bytes);
    if (refusal !== undefined) {
      queueMicrotask(() => reject(refusal));
      return number;
    }
    this.#underWay.set(number, { bytes, resolve, reject, parts: undefined });
    this.#underWayBytes += bytes;
    this.#stream.put(Kind.ASK, number, text);
    return number;
  }

  #refusalOf(bytes: number): CookieStoreError | undefined {
    if (bytes > MAX_REQUEST_BYTES) {
      return new CookieStoreError(`the login cannot be stored: it is larger than ${MAX_REQUEST_BYTES} bytes`);
    }
    if (this.#underWay.size < MAX_UNDER_WAY && this.#underWayBytes + bytes <= MAX_UNDER_WAY_BYTES) return undefined;
    const cause = new Error(`${this.#underWay.size} requests wait for it`);
    return new CookieStoreError('the cookie store has too much to do', { cause });
  }

  /** A watch keeps its number. */
  #nextNumber(): number {
    do this.#lastNumber = this.#lastNumber === MAX_NUMBER ? 1 : this.#lastNumber + 1;
    while (this.#underWay.has(this.#lastNumber) || this.#watches.has(this.#lastNumber));
    return this.#lastNumber;
  }

  #onRecord(kind: Kind, number: number, content: Buffer): void {
    switch (kind) {
      case Kind.VALUE:
        return this.#value(number, content);
      case Kind.PART:
        return this.#part(this.#askedBy(number), content);
      case Kind.REFUSED: {
        const { message, cause } = refusalIn(content);
        const { reject } = this.#answered(number);
        return reject(new CookieStoreError(message, cause === undefined ? {} : { cause: new Error(cause) }));
      }
      case Kind.GONE:
        return this.#watches.get(number)?.onGone(content.toString());
      case Kind.WHO:
        return this.#answerWho(number);
      default:
        throw new BadRecord('an owner says what owners do not');
    }
  }

  #value(number: number, content: Buffer): void {
    const value = content.length === 0 ? undefined : jsonIn(content);
    const { resolve, parts } = this.#askedBy(number);
    // Before the answer counts: when it is none, the request is still under way, and ends with the link.
    resolve(parts === undefined ? value : [...parts, ...listOf(value)]);
    this.#answered(number);
  }

  #part(underWay: UnderWay, content: Buffer): void {
    underWay.parts ??= [];
    for (const item of listOf(jsonIn(content))) underWay.parts.push(item);
  }

  #askedBy(number: number): UnderWay {
    const underWay = this.#underWay.get(number);
    if (underWay === undefined) throw new BadRecord('an answer without a request');
    return underWay;
  }

  #answered(number: number): UnderWay {
    const underWay = this.#askedBy(number);
    this.#underWay.delete(number);
    this.#underWayBytes -= underWay.bytes;
    return underWay;
  }

  #answerWho(number: number): void {
    const watching = this.#watches.get(number);
    // The owner does not know yet that it has ended, and then waits no longer.
    if (watching === undefined) return;
    if (watching.isAsked) throw new BadRecord('a question before the last was answered');
    watching.isAsked = true;
    void this.#sendHere(number, watching);
  }

  async #sendHere(number: number, watching: Watching): Promise<void> {
    const cbtids = await watching.here();
    const kinds = { part: Kind.HERE, last: Kind.ALL_HERE };
    await this.#stream.putAll(kinds, number, cbtids, () => (watching.isAsked = false));
  }

  #ownerGone(): CookieStoreError {
    const cause = new Error(this.#why ?? 'it has ended');
    return new CookieStoreError('the process that has the cookie stores is gone', { cause });
  }

  #gone(why: string | undefined): void {
    this.#why = why;
    this.#watches.clear();
    const all = [...this.#underWay.values()];
    this.#underWay.clear();
    this.#underWayBytes = 0;
    for (const { reject } of all) reject(this.#ownerGone());
  }
}

/** @throws BadRecord when it is none. */
function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadRecord('a record is no list');
  return value;
}
