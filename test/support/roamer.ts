/**
 * A client of autobahn-js that knows the addresses of several nodes: when its connection ends it goes to the next one, and plays its part
 * there. autobahn-js itself comes back to one address only, so there is a Connection for each attempt.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autobahn from 'autobahn';
import type { Session } from 'autobahn';

/** Before the next attempt. */
const PAUSE_MS = 20;

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

/** The connection ended before the answer came: autobahn-js says nothing then. */
export class ConnectionLost extends Error {}

/** One session of a roamer. */
export interface Stay {
  readonly session: Session;
  /** The index of its node. */
  readonly at: number;
  /** @returns the same, rejected with {@link ConnectionLost} when the connection ends before. */
  readonly until: <T>(answer: Promise<T>) => Promise<T>;
}

export interface RoamerOptions {
  readonly urls: readonly string[];
  /** The index of the first node, and by how many it goes on when one is gone. */
  readonly first: number;
  readonly step: number;
  /** What it does first in each session. */
  readonly begin?: (stay: Stay) => Promise<unknown>;
}

export class Roamer {
  readonly #options: RoamerOptions;
  #at: number;
  #connection: autobahn.Connection | undefined;
  #stay: Stay | undefined;
  #isOver = false;
  #wake: (() => void)[] = [];
  #onEnd: () => void = () => undefined;
  /** What must not be. */
  readonly faults: string[] = [];

  constructor(options: RoamerOptions) {
    this.#options = options;
    this.#at = options.first;
    this.#open();
  }

  /** Its session, once it has begun its part there; undefined as long as it has none. */
  get present(): Stay | undefined {
    return this.#stay;
  }

  /** @returns the same, when there is one. */
  async stay(): Promise<Stay> {
    while (this.#stay === undefined) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.#stay;
  }

  /** Says goodbye. Resolves when its connection has ended. */
  async leave(): Promise<void> {
    await this.stay();
    const ended = new Promise<void>((resolve) => (this.#onEnd = resolve));
    this.#isOver = true;
    this.#connection?.close();
    await ended;
  }

  #open(): void {
    const { urls, begin } = this.#options;
    const at = this.#at;
    let lose: (why: ConnectionLost) => void = () => undefined;
    const ended = new Promise<never>((_resolve, reject) => (lose = reject));
    ended.catch(() => undefined);
    const connection = new autobahn.Connection({ realm: 'realm1', url: urls[at] ?? '', use_es6_promises: true });
    this.#connection = connection;
    connection.onopen = (session) => {
      const stay: Stay = { session, at, until: (answer) => Promise.race([answer, ended]) };
      void this.#arrive(stay, begin);
    };
    connection.onclose = () => {
      lose(new ConnectionLost('the connection ended'));
      this.#stay = undefined;
      if (this.#isOver) this.#onEnd();
      else void this.#goOn();
      return true;
    };
    connection.open();
  }

  async #arrive(stay: Stay, begin: RoamerOptions['begin']): Promise<void> {
    try {
      await stay.until(Promise.resolve(begin?.(stay)));
    } catch (error) {
      if (!(error instanceof ConnectionLost)) this.faults.push(`could not begin: ${reasonOf(error)}`);
      return;
    }
    this.#stay = stay;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #goOn(): Promise<void> {
    this.#at = (this.#at + this.#options.step) % this.#options.urls.length;
    await delay(PAUSE_MS);
    this.#open();
  }
}

/** @returns the URI of an error of WAMP; for another one, what it says. */
export function reasonOf(error: unknown): string {
  return error instanceof autobahn.Error ? error.error : String(error);
}
