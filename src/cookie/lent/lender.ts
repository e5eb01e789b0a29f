/**
 * Lends open cookie stores to other processes of the node, over a socket. They have the methods of `CookieStore`, and nothing of `LiveCookies`:
 * each process has sessions of its own, and joins them to the records itself, as nodes do that share a database. So a logout, a new id or a
 * login counts in all of them by what the store itself says (`watch`), and no second road has to agree with it.
 */
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { BorrowerEnd } from './borrower-end.js';
import type { Logger } from '../../log/logger.js';
import type { CookieStore } from '../store.js';
import type { BorrowerEndDeps, Lendable } from './borrower-end.js';
import type { Loan } from './records.js';

/** What a lender is made with. */
export interface LenderDeps extends Pick<BorrowerEndDeps, 'maxUnsentBytes'> {
  readonly log: Logger;
}

/** The owner of the stores, for the others. */
export class Lender implements Lendable {
  readonly #deps: LenderDeps;
  readonly #server: Server;
  readonly #borrowers = new Set<BorrowerEnd>();
  // a store has its place here as its number
  readonly #stores: CookieStore[] = [];
  // see `keys.ts`
  readonly #numbers = new Map<string, number>();

  private constructor(deps: LenderDeps) {
    this.#deps = deps;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /**
   * Listens, for this user alone.
   * @param file of the socket, in a directory that nobody else can look into.
   * @throws the error of the system (rejects).
   */
  static async start(file: string, deps: LenderDeps): Promise<Lender> {
    const lender = new Lender(deps);
    try {
      await lender.#listen(file);
      return lender;
    } catch (error) {
      lender.end();
      throw error;
    }
  }

  async #listen(file: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(file, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    // Such as too many open files: who comes tries again, or ends.
    this.#server.on('error', (err) => this.#deps.log.error({ err }, 'a process could not borrow cookie stores'));
    await chmod(file, 0o600);
  }

  /** How many borrowers there are. */
  get size(): number {
    return this.#borrowers.size;
  }

  /**
   * Lends a store from now on.
   * @param key by which borrowers ask for it; several may lead to one store.
   * @param store open, and with a `watch`.
   */
  lend(key: string, store: CookieStore): void {
    const known = this.#stores.indexOf(store);
    this.#numbers.set(key, known === -1 ? this.#stores.push(store) - 1 : known);
  }

  loanOf(key: string): Loan | undefined {
    const number = this.#numbers.get(key);
    const store = number === undefined ? undefined : this.at(number);
    if (number === undefined || store === undefined) return undefined;
    return {
      store: number,
      entries: store.entries !== undefined,
      compact: store.compact !== undefined,
      latest: store.latest !== undefined,
    };
  }

  at(store: number): CookieStore | undefined {
    return this.#stores[store];
  }

  /** Lends nothing any more, and cuts all off. The stores stay open. Idempotent. */
  end(): void {
    this.#server.close();
    for (const borrower of [...this.#borrowers]) borrower.end();
  }

  #accept(socket: Socket): void {
    const { log } = this.#deps;
    const borrower: BorrowerEnd = new BorrowerEnd(socket, {
      ...this.#deps,
      stores: this,
      gone: (problem) => {
        this.#borrowers.delete(borrower);
        if (problem !== undefined) log.warn({ problem }, 'a process that borrows cookie stores was lost');
      },
    });
    this.#borrowers.add(borrower);
  }
}
