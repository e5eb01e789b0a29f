/**
 * Restores the order of the messages of one client. autobahn-js sends each message with a request of its own, several at once, and
 * they arrive in any order; but it counts its request ids up from 1. So a request that comes too early waits for those before it:
 *
 *     the next id               -> passes, and takes along what waited for it
 *     a later id                -> waits for the missing ones, for 300 ms
 *     an earlier id             -> passes: whether it is wrong is up to the session
 *     an answer (YIELD, ERROR)  -> passes: its id is one of ours
 *     CANCEL                    -> waits where its call waits
 *     GOODBYE                   -> waits 300 ms for stragglers
 *
 * When what is missing does not come, when too much waits, or when an id is too far away, the client does not count in this way: all
 * that waits passes, by its ids, and nothing waits any more until its next session. Knows no requests of HTTP.
 */
import { CANCEL, GOODBYE, HELLO } from '../../wamp/message.js';
import type { PlaceReader } from './place.js';
import type { Post } from './requests.js';

/** Calls back after so many milliseconds. @returns a function that calls it off; harmless afterwards. */
export type After = (ms: number, callback: () => void) => () => void;

export interface OrderDeps {
  readonly placeOf: PlaceReader;
  /** A message may be worked off. */
  readonly release: (post: Post) => void;
  readonly after: After;
}

/** How long a message waits for those before it. */
export const PATIENCE_MS = 300;
/** So much may wait. A browser has six connections to a host. */
export const MAX_EARLY = 64;
export const MAX_EARLY_BYTES = 1024 * 1024;

/** What came too early under one id: a request, what cancels it, or both. */
interface Early {
  request: Post | undefined;
  readonly cancels: Post[];
}

/** One for each connection. */
export class SendOrder {
  readonly #deps: OrderDeps;
  #isOn = true;
  #expected = 1;
  readonly #early = new Map<number, Early>();
  #earlyCount = 0;
  #earlyBytes = 0;
  #goodbye: Post | undefined;
  #callOff: (() => void) | undefined;

  constructor(deps: OrderDeps) {
    this.#deps = deps;
  }

  /** Takes the next message that has come. */
  take(post: Post): void {
    const place = this.#deps.placeOf(post.data);
    if (place?.type === HELLO) this.#begin();
    if (place === undefined || !this.#isOn) return this.#deps.release(post);
    if (place.type === GOODBYE) return this.#awaitStragglers(post);
    const { requestId: id, type } = place;
    if (id === undefined || id < this.#expected) return this.#deps.release(post);
    if (id > this.#expected || type === CANCEL) return this.#keep(post, id, type);
    this.#deps.release(post);
    this.#goOn();
  }

  /** Nothing more will come: passes on what waits. */
  flush(): void {
    const early = [...this.#early].sort(([one], [other]) => one - other).map(([, each]) => each);
    const posts = early.flatMap(postsOf);
    if (this.#goodbye !== undefined) posts.push(this.#goodbye);
    this.drop();
    for (const post of posts) this.#deps.release(post);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#wait(false);
    this.#early.clear();
    this.#earlyCount = 0;
    this.#earlyBytes = 0;
    this.#goodbye = undefined;
  }

  /** A new session counts from 1 again. */
  #begin(): void {
    this.flush();
    this.#isOn = true;
    this.#expected = 1;
  }

  #keep(post: Post, id: number, type: number): void {
    const early = this.#early.get(id) ?? { request: undefined, cancels: [] };
    const isFull = this.#earlyCount >= MAX_EARLY || this.#earlyBytes + post.data.length > MAX_EARLY_BYTES;
    const isTwice = type !== CANCEL && early.request !== undefined;
    if (isFull || isTwice || id - this.#expected > MAX_EARLY) {
      this.#giveUp();
      return this.#deps.release(post);
    }
    if (type === CANCEL) early.cancels.push(post);
    else early.request = post;
    this.#early.set(id, early);
    this.#earlyCount += 1;
    this.#earlyBytes += post.data.length;
    if (this.#callOff === undefined) this.#wait(true);
  }

  /** The expected one has passed: what waited for it follows, and so on. */
  #goOn(): void {
    const posts: Post[] = [];
    for (let next = this.#early.get(this.#expected); ; next = this.#early.get(this.#expected)) {
      // At first it is what cancels the one that has passed.
      posts.push(...(next === undefined ? [] : postsOf(next)));
      this.#early.delete(this.#expected);
      this.#expected += 1;
      if (this.#early.get(this.#expected)?.request === undefined) break;
    }
    this.#earlyCount -= posts.length;
    for (const post of posts) this.#earlyBytes -= post.data.length;
    // Who waits now waits for another one, and has been patient for a shorter time.
    if (this.#goodbye === undefined && posts.length > 0) this.#wait(this.#earlyCount > 0);
    for (const post of posts) this.#deps.release(post);
  }

  #awaitStragglers(goodbye: Post): void {
    if (this.#goodbye !== undefined) return this.#deps.release(goodbye);
    this.#goodbye = goodbye;
    this.#wait(true);
  }

  #wait(isNeeded: boolean): void {
    this.#callOff?.();
    this.#callOff = isNeeded ? this.#deps.after(PATIENCE_MS, () => this.#overdue()) : undefined;
  }

  #overdue(): void {
    this.#callOff = undefined;
    this.#giveUp();
  }

  /** The client does not count up, or is slower than anybody waits for. */
  #giveUp(): void {
    this.#isOn = false;
    this.flush();
  }
}

function postsOf({ request, cancels }: Early): Post[] {
  return request === undefined ? cancels : [request, ...cancels];
}
