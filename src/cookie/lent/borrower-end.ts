/**
 * A borrower, as the owner of the stores has it: does what it asks, and tells it who was logged out. A borrower that says what makes no sense
 * is cut off, and so is one that reads nothing; nobody else notices.
 */
import type { Socket } from 'node:net';
import { BadRecord } from '../../system/stream/record-reader.js';
import { messageOf } from '../../system/error.js';
import { CookieStoreError } from '../error.js';
import { HereAsked } from './here-asked.js';
import { idsIn, Kind, MAX_REQUEST_BYTES, MAX_UNDER_WAY, MAX_UNDER_WAY_BYTES, requestIn } from './records.js';
import { fittingText, LentStream } from './stream.js';
import type { Logger } from '../../log/logger.js';
import type { CookieStore } from '../store.js';
import type { LentStreamDeps } from './stream.js';
import type { ListRequest, Loan, Refusal, Request, SingleRequest } from './records.js';

/** The stores that are lent. */
export interface Lendable {
  /** @returns what a borrower learns of the store of this key; undefined when there is none. */
  loanOf(key: string): Loan | undefined;
  /** @returns the store of this number. */
  at(store: number): CookieStore | undefined;
}

/** What the end of a borrower is made with. */
export interface BorrowerEndDeps extends Pick<LentStreamDeps, 'maxUnsentBytes'> {
  readonly stores: Lendable;
  readonly log: Logger;
  /** The borrower is gone. Called once. @param why undefined where it just ended */
  readonly gone: (why: string | undefined) => void;
}

/** More watches than stores are a mistake. */
const MAX_WATCHES = 1024;

interface Watching {
  readonly asked: HereAsked;
  readonly end: () => void;
}

/** One borrower. */
export class BorrowerEnd {
  readonly #deps: BorrowerEndDeps;
  readonly #stream: LentStream;
  // requests that are not answered yet, and their lengths in bytes
  readonly #underWay = new Map<number, number>();
  #underWayBytes = 0;
  readonly #watches = new Map<number, Watching>();
  /** One list after the other: each of them is kept until it was sent. */
  #lists: Promise<void> = Promise.resolve();

  constructor(socket: Socket, deps: BorrowerEndDeps) {
    this.#deps = deps;
    const gone = (why: string | undefined): void => {
      for (const watch of [...this.#watches.keys()]) this.#unwatch(watch);
      deps.gone(why);
    };
    const onRecord = (kind: Kind, number: number, content: Buffer): void => this.#onRecord(kind, number, content);
    // A part of the cookies with an open connection is as short as a request.
    const bounds = { maxRecordBytes: MAX_REQUEST_BYTES + 1024, ...deps };
    this.#stream = new LentStream(socket, { ...bounds, onRecord, gone });
  }

  /** Cuts it off. Idempotent. */
  end(why?: string): void {
    this.#stream.end(why);
  }

  #onRecord(kind: Kind, number: number, content: Buffer): void {
    if (kind === Kind.ASK) this.#asked(number, content);
    else if (kind === Kind.HERE || kind === Kind.ALL_HERE) {
      const ids = idsIn(content);
      // It may have ended the watch meanwhile.
      this.#watches.get(number)?.asked.heard(ids, content.length, kind === Kind.ALL_HERE);
    } else throw new BadRecord('a borrower says what borrowers do not');
  }

  #asked(number: number, content: Buffer): void {
    if (this.#underWay.has(number)) throw new BadRecord('a request has the number of another');
    const { length } = content;
    if (this.#underWay.size >= MAX_UNDER_WAY || this.#underWayBytes + length > MAX_UNDER_WAY_BYTES) {
      throw new BadRecord('too many requests at once');
    }
    const request = requestIn(content);
    this.#underWay.set(number, length);
    this.#underWayBytes += length;
    void this.#work(number, request);
  }

  /** Never rejects. */
  async #work(number: number, request: Request): Promise<void> {
    try {
      if (request.do === 'list' || request.do === 'unreturned') await this.#sendList(number, request);
      else this.#answer(number, await this.#do(number, request));
    } catch (error) {
      this.#refuse(number, error);
    }
  }

  #do(number: number, request: SingleRequest): Promise<unknown> | Loan | undefined {
    if (request.do === 'borrow') return this.#loan(request.key);
    if (request.do === 'unwatch') return this.#unwatch(request.watch);
    const store = this.#store(request.store);
    switch (request.do) {
      case 'get':
        return store.get(request.cbtid);
      case 'latest':
        return store.latest?.(request.cbtid);
      case 'create':
        return store.create(request.record);
      case 'update':
        return store.update(request.cbtid, request.change);
      case 'rotate':
        return store.rotate(request.cbtid, request.successor, request.rotated, request.returned);
      case 'delete':
        return store.delete(request.cbtid, request.deleted, request.isTold);
      case 'evict':
        return store.evict(request.cbtid);
      case 'entries':
        return store.entries?.();
      case 'compact':
        return store.compact?.();
      case 'watch':
        return this.#watch(number, store);
    }
  }

  #loan(key: string): Loan {
    const loan = this.#deps.stores.loanOf(key);
    if (loan === undefined) throw new CookieStoreError('this cookie store is not lent');
    return loan;
  }

  #store(number: number): CookieStore {
    const store = this.#deps.stores.at(number);
    if (store === undefined) throw new CookieStoreError('this cookie store is not lent');
    return store;
  }

  #watch(number: number, store: CookieStore): undefined {
    if (this.#watches.size >= MAX_WATCHES) throw new CookieStoreError('this cookie store is watched too often');
    const asked = new HereAsked(() => this.#stream.put(Kind.WHO, number));
    // The borrower knows which of them have a connection, and is told of others as well.
    const end = store.watch?.(
      (among) => among ?? asked.ask(),
      (cbtid) => this.#stream.put(Kind.GONE, number, cbtid),
    );
    if (end === undefined) throw new CookieStoreError('this cookie store cannot be watched');
    this.#watches.set(number, { asked, end });
  }

  #unwatch(number: number): undefined {
    const watching = this.#watches.get(number);
    this.#watches.delete(number);
    watching?.end();
    watching?.asked.end();
  }

  async #sendList(number: number, request: ListRequest): Promise<void> {
    const before = this.#lists;
    const sent = this.#sendAfter(before, number, request);
    this.#lists = sent.catch(() => undefined); // the borrower is told, and the next one need not wait
    await sent;
  }

  async #sendAfter(before: Promise<void>, number: number, request: ListRequest): Promise<void> {
    await before;
    if (this.#stream.isGone) return;
    const store = this.#store(request.store);
    const items = await (request.do === 'list' ? store.list() : store.unreturned());
    await this.#stream.putAll({ part: Kind.PART, last: Kind.VALUE }, number, items, () => this.#done(number));
  }

  #answer(number: number, value: unknown): void {
    const text = value === undefined ? '' : fittingText(value);
    this.#done(number);
    this.#stream.put(Kind.VALUE, number, text);
  }

  #refuse(number: number, error: unknown): void {
    this.#done(number);
    this.#stream.put(Kind.REFUSED, number, JSON.stringify(this.#refusalOf(error)));
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof CookieStoreError) {
      const { message, cause } = error;
      return { message, ...(cause !== undefined && { cause: messageOf(cause) }) };
    }
    this.#deps.log.error({ err: error }, 'a lent cookie store has failed');
    return { message: 'the cookie store has failed', cause: messageOf(error) };
  }

  #done(number: number): void {
    this.#underWayBytes -= this.#underWay.get(number) ?? 0;
    this.#underWay.delete(number);
  }
}
