/**
 * The link of a cookie store to its bucket, and whether the copy of the node may be believed. A node that writes a value of its own and is
 * told it knows everything that was written before. Such a proof is good for some seconds. So a copy is believed neither while the link is
 * down, nor when the watch is silent, nor in a process that was stopped for a while.
 *
 * After a long time without proof the copy is made anew: of what was erased meanwhile nobody is told. NATS may have lost the last values
 * in that time, so those that this node was told lately are put back. So it is at once when values of the bucket are lost: nothing is
 * believed until there is a bucket again, and a copy of it. When only some are lost, all that this node knows are put back first.
 */
import { randomBytes } from 'node:crypto';
import { Copy } from './copy.js';
import { isProbe, probeKey } from './values.js';
import { EngineError } from '../../engine/engine.js';
import type { CopyDeps } from './copy.js';
import { putBack } from './put-back.js';
import type { Bucket, Engine, Loss } from '../../engine/engine.js';

/** How long a proof is good, and how old it may get before there is another, in milliseconds. */
const GOOD_MS = 5000;
const RENEW_MS = 2000;

/** After so long without proof the copy is made anew, in milliseconds. Marks stay for longer than that (`EVICTED_MS`). */
const RELOAD_AFTER_MS = 20_000;

/** What was told in this time before the last proof may be lost, in milliseconds, when there is none for long. */
const LATELY_MS = 30_000;

/** A cookie is erased an hour after it is over at the earliest, and a probe when its node ends. */
const BUCKET = { durable: true, isLasting: (key: string) => !isProbe(key) };

const LOST = 'the values of the bucket are lost';

export interface BucketLinkDeps extends CopyDeps {
  /** The copy may be believed again: what was logged out meanwhile may not have been told. */
  readonly onCaughtUp: () => void;
  /** Values that the bucket had lost were put back. */
  readonly onPutBack: (count: number) => void;
}

export class BucketLink {
  readonly engine: Engine;
  readonly #name: string;
  #bucket: Bucket;
  /** What of the bucket is lost, when there is no copy of it yet that is true. */
  #loss: Loss | undefined;
  readonly #deps: BucketLinkDeps;
  readonly #probe = probeKey(randomBytes(9).toString('base64url'));
  #timer: NodeJS.Timeout | undefined;
  #copy: Copy;
  /** The values were lost while this copy, which is not in use, was loaded. */
  #lostCopy: Copy | undefined;
  // when the last proof began; -Infinity while the link is down
  #provenMs = performance.now();
  #lastProvenMs = performance.now();
  #attempt: Promise<void> | undefined;

  private constructor(engine: Engine, name: string, bucket: Bucket, deps: BucketLinkDeps) {
    this.engine = engine;
    this.#name = name;
    this.#bucket = bucket;
    this.#deps = deps;
    this.#copy = new Copy(deps);
    engine.onLink((isUp) => (isUp ? this.#prove() : this.#down()));
  }

  /** @param engine which is the link's from now on. Rejects with EngineError; then it is closed. */
  static async open(engine: Engine, name: string, deps: BucketLinkDeps): Promise<BucketLink> {
    try {
      const link = new BucketLink(engine, name, await engine.bucket(name, BUCKET), deps);
      await link.#begin();
      return link;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Another one after the values were lost. */
  get bucket(): Bucket {
    return this.#bucket;
  }

  /** What is known now; {@link current} says whether that is up to date. */
  get copy(): Copy {
    return this.#copy;
  }

  /** @returns undefined when the copy may be believed at once. The promise rejects when it may not be soon. */
  current(): Promise<void> | undefined {
    if (!this.engine.isUp) return Promise.reject(new Error('the link to NATS is down'));
    return this.#loss === undefined && performance.now() - this.#provenMs <= GOOD_MS ? undefined : this.#proof();
  }

  /** Resolves when everything is known that was written before. Rejects with EngineError or CookieStoreError. */
  async barrier(): Promise<void> {
    const copy = this.#copy;
    const begunMs = performance.now();
    await copy.reach(await this.#writeProbe());
    if (this.#loss !== undefined) throw new EngineError('unavailable', LOST);
    // Only where the link was there all the time.
    if (this.engine.isUp && copy === this.#copy) this.#provenMs = this.#lastProvenMs = begunMs;
  }

  /** @returns the revision. */
  #writeProbe(): Promise<number> {
    return this.#bucket.put(this.#probe, Buffer.from(String(this.#deps.clock())));
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#copy.end();
    if (this.engine.isUp) await this.#bucket.erase(this.#probe).catch(() => undefined); // old ones are swept
    await this.engine.close();
  }

  async #begin(): Promise<void> {
    await this.#follow(this.#copy);
    this.#provenMs = this.#lastProvenMs = performance.now();
    this.#timer = setInterval(() => this.#prove(), RENEW_MS).unref();
  }

  #down(): void {
    this.#provenMs = -Infinity;
    this.#copy.interrupt();
  }

  #follow(copy: Copy): Promise<void> {
    return copy.follow(this.#bucket, { onLost: (loss) => this.#lost(copy, loss) });
  }

  #lost(copy: Copy, loss: Loss): void {
    if (copy !== this.#copy) return void (this.#lostCopy = copy);
    this.#loss = loss;
    this.#down();
    this.#prove();
  }

  #prove(): void {
    if (!this.engine.isUp || (this.#loss === undefined && performance.now() - this.#provenMs < RENEW_MS)) return;
    // Who needs it hears of a failure; the timer tries again.
    this.#proof().catch(() => undefined);
  }

  #proof(): Promise<void> {
    this.#attempt ??= this.#catchUp().finally(() => (this.#attempt = undefined));
    return this.#attempt;
  }

  async #catchUp(): Promise<void> {
    const nowMs = performance.now();
    const wasGood = nowMs - this.#provenMs <= GOOD_MS;
    if (this.#loss !== undefined || nowMs - this.#lastProvenMs > RELOAD_AFTER_MS) await this.#loadAnew();
    await this.barrier();
    if (!wasGood) this.#deps.onCaughtUp();
  }

  async #loadAnew(): Promise<void> {
    const copy = new Copy(this.#deps);
    try {
      if (this.#loss !== undefined) this.#bucket = await this.engine.bucket(this.#name, BUCKET);
      // A bucket that takes no writes is not copied: each copy costs NATS a consumer, and visitors ask again and again.
      await this.#writeProbe();
      await this.#follow(copy);
      if (this.#loss !== 'all') await this.#putBack(copy);
      if (this.#lostCopy === copy) throw new EngineError('unavailable', LOST);
    } catch (error) {
      copy.end();
      throw error;
    }
    this.#copy.end();
    this.#copy = copy;
    this.#loss = undefined;
  }

  async #putBack(copy: Copy): Promise<void> {
    const nowMs = this.#deps.clock();
    const sinceMs = this.#loss === 'some' ? -Infinity : nowMs - (performance.now() - this.#lastProvenMs) - LATELY_MS;
    const tables = { before: this.#copy.table, now: copy.table, sinceMs };
    const { count, revision } = await putBack(this.#bucket, tables, nowMs);
    await copy.reach(revision);
    if (count > 0) this.#deps.onPutBack(count);
  }
}
