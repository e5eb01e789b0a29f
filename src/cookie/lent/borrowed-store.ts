/**
 * A cookie store that another process of the node has open. It keeps nothing: each call is one request to the owner, in the order of the calls,
 * and durable means what it means there. What the store of the owner refuses is refused here with the same words.
 */
import { CookieStoreError } from '../error.js';
import { deepFreeze, ownChange, ownRecord } from '../record-copy.js';
import { Watchers } from '../watchers.js';
import { ANSWERS } from './records.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore, Here } from '../store.js';
import type { OwnerLink } from './owner-link.js';
import type { Loan, Request } from './records.js';

/** A store of the owner. */
export class BorrowedStore implements CookieStore {
  readonly #owner: OwnerLink;
  readonly #key: string;
  #loan: Loan | undefined;
  #isClosed = false;
  // what is under way, for `close`
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #watchers = new Watchers();
  #endWatch: (() => void) | undefined;
  /** Where the store of the owner has it; known when this one is open. */
  entries?: () => Promise<number>;
  /** As {@link entries}. */
  latest?: (cbtid: string) => Promise<CookieEntry | undefined>;
  /** As {@link entries}. */
  compact?: () => Promise<Compaction>;

  /** @param key see `keys.ts`. */
  constructor(owner: OwnerLink, key: string) {
    this.#owner = owner;
    this.#key = key;
  }

  async open(): Promise<void> {
    const loan = await this.#owner.borrow(this.#key);
    const { store } = loan;
    // From the beginning, and not when somebody asks for it: the owner would not know of that for a moment.
    this.#endWatch = await this.#owner.watch(store, {
      here: () => this.#watchers.here(),
      onGone: (cbtid) => this.#watchers.gone([cbtid]),
    });
    this.#loan = loan;
    if (loan.entries) this.entries = () => this.#ask(() => ({ do: 'entries', store }), ANSWERS.count);
    if (loan.latest) {
      this.latest = async (cbtid) => deepFreeze(await this.#ask(() => ({ do: 'latest', store, cbtid }), ANSWERS.entry));
    }
    if (loan.compact) this.compact = () => this.#ask(() => ({ do: 'compact', store }), ANSWERS.compaction);
  }

  async get(cbtid: string): Promise<CookieEntry | undefined> {
    return deepFreeze(await this.#ask((store) => ({ do: 'get', store, cbtid }), ANSWERS.entry));
  }

  create(record: CookieRecord): Promise<void> {
    return this.#ask((store) => ({ do: 'create', store, record: ownRecord(record) }), ANSWERS.nothing);
  }

  async update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    const request = (store: number): Request => ({ do: 'update', store, cbtid, change: ownChange(change) });
    return deepFreeze(await this.#ask(request, ANSWERS.record));
  }

  async rotate(cbtid: string, successor: string, rotated: string, returned = true): Promise<CookieRecord> {
    const request = (store: number): Request => ({ do: 'rotate', store, cbtid, successor, rotated, returned });
    return deepFreeze(await this.#ask(request, ANSWERS.record));
  }

  async delete(cbtid: string, deleted: string, isTold = true): Promise<CookieEntry | undefined> {
    const request = (store: number): Request => ({ do: 'delete', store, cbtid, deleted, isTold });
    return deepFreeze(await this.#ask(request, ANSWERS.entry));
  }

  unreturned(): Promise<readonly string[]> {
    return this.#ask((store) => ({ do: 'unreturned', store }), ANSWERS.ids);
  }

  evict(cbtid: string): Promise<void> {
    return this.#ask((store) => ({ do: 'evict', store, cbtid }), ANSWERS.nothing);
  }

  async list(): Promise<readonly CookieRecord[]> {
    const records = await this.#ask((store) => ({ do: 'list', store }), ANSWERS.records);
    return records.map((record) => deepFreeze(record));
  }

  watch(here: Here, onGone: (cbtid: string) => void): () => void {
    return this.#watchers.add(here, onGone);
  }

  /** Gives it back: the store of the owner stays open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.end();
    this.#endWatch?.();
    await Promise.allSettled(this.#underWay);
  }

  #open(): Loan {
    if (this.#isClosed) throw new CookieStoreError('the cookie store is closed');
    if (this.#loan === undefined) throw new CookieStoreError('the cookie store is not open');
    return this.#loan;
  }

  /** Asks in the turn of the call, so that requests leave in order. */
  async #ask<T>(request: (store: number) => Request, isAnswer: (value: unknown) => value is T): Promise<T> {
    const asked = this.#owner.ask(request(this.#open().store), isAnswer);
    this.#underWay.add(asked);
    try {
      return await asked;
    } finally {
      this.#underWay.delete(asked);
    }
  }
}
