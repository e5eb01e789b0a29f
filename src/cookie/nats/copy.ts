/**
 * The copy of a bucket that a node keeps, and how far it has got. Who writes waits until the own write was told: then everything that
 * was written before is known as well.
 */
import { CookieStoreError } from '../error.js';
import { Table } from './table.js';
import { keyOf } from './values.js';
import type { Bucket, Change, Loss } from '../../engine/engine.js';

/** How long a change that was written may take until it is told, in milliseconds: a watch that lost its server is renewed before. */
const TOLD_WITHIN_MS = 5000;

interface Waiter {
  readonly revision: number;
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface CopyDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** A cookie was logged out. Not called for what was there before. */
  readonly onGone: (hash: string) => void;
}

/** What {@link Copy.follow} finds. */
export interface CopyListener {
  /** Called once: values of the bucket are lost, and the copy tells nothing any more. */
  readonly onLost: (loss: Loss) => void;
}

export class Copy {
  readonly table = new Table();
  /** Keys of nodes that found out whether they are up to date, with their values. */
  readonly probes = new Map<string, Uint8Array>();
  readonly #deps: CopyDeps;
  #applied = 0;
  // by revision
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #endWatch: (() => void) | undefined;
  #isComplete = false;
  /** Nothing more is told. */
  #isOver = false;

  constructor(deps: CopyDeps) {
    this.#deps = deps;
  }

  /** Begins to follow. Resolves when everything that is there is known. Rejects with EngineError. */
  async follow(bucket: Bucket, { onLost }: CopyListener): Promise<void> {
    this.#endWatch = await bucket.watch(
      (change) => this.#apply(change),
      (loss) => {
        this.#isOver = true;
        onLost(loss);
      },
    );
    this.#isComplete = true;
  }

  /** Resolves when a change is known that was written with `revision`. Rejects when that takes too long, or {@link end} comes first. */
  reach(revision: number): Promise<void> {
    if (this.#isOver) return Promise.reject(untold());
    if (this.#applied >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { revision, deadlineMs: performance.now() + TOLD_WITHIN_MS, resolve, reject };
      let index = this.#waiters.length;
      while (index > 0 && (this.#waiters[index - 1]?.revision ?? 0) > revision) index -= 1;
      this.#waiters.splice(index, 0, waiter);
      this.#timer ??= setInterval(() => this.#giveUp(performance.now()), 1000).unref();
    });
  }

  /** Whoever waits is refused: the link was lost. What they wrote is written all the same. */
  interrupt(): void {
    this.#giveUp(Infinity);
  }

  /** Idempotent. */
  end(): void {
    this.#isOver = true;
    this.#endWatch?.();
    this.interrupt();
  }

  #apply({ key, value, revision }: Change): void {
    const place = keyOf(key);
    const now = this.#deps.clock();
    if (place !== undefined && 'probe' in place) {
      if (value !== undefined) this.probes.set(place.probe, value);
    } else if (place?.version === 'seen') this.table.seen(place.hash, value, now);
    else if (place !== undefined) {
      const gone = this.table.version(place.hash, place.version, value, now);
      if (gone?.told === true && this.#isComplete) this.#deps.onGone(place.hash);
    }
    this.#applied = Math.max(this.#applied, revision);
    this.#letGo();
  }

  #letGo(): void {
    let count = 0;
    for (const { revision, resolve } of this.#waiters) {
      if (revision > this.#applied) break;
      count += 1;
      resolve();
    }
    if (count > 0) this.#waiters.splice(0, count);
    if (this.#waiters.length === 0) this.#rest();
  }

  #giveUp(nowMs: number): void {
    const late = this.#waiters.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    this.#waiters = this.#waiters.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const { reject } of late) reject(untold());
    if (this.#waiters.length === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @returns the error of a change of which nobody knows whether it counts. */
export function untold(): CookieStoreError {
  const cause = new Error('NATS does not tell what was written');
  return new CookieStoreError('it is unknown how the cookie store stands', { cause });
}
