/**
 * What a cluster needs of the system that carries it: messages by subject, and small values that all nodes see alike. An engine
 * knows nothing of WAMP. Every engine passes `test/contract/engine.ts`.
 *
 * A subject is a row of tokens with dots between them (`subjects.ts` makes them). In a pattern `*` stands for any one token, and `>`
 * at its end for one or more.
 */

/** What went wrong. */
export type EngineFault =
  /** The engine cannot be reached, or cannot serve: nothing was sent, or it is unknown whether a value was written. */
  | 'unavailable'
  /** Somebody else was first. Nothing was written. */
  | 'conflict'
  /** The message is larger than {@link Engine.maxMessageBytes}. Nothing was sent. */
  | 'too_large'
  /** The engine refuses: rights that are missing, a bucket that is set up in another way. Trying again does not help. */
  | 'refused';

/** Everything that an engine rejects with, or throws. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code = 'ERR_CLUSTER_ENGINE';
  readonly fault: EngineFault;

  constructor(fault: EngineFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** @returns whether somebody else was first. */
export function isConflict(error: unknown): boolean {
  return error instanceof EngineError && error.fault === 'conflict';
}

/** A message that arrived. */
export interface EngineMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where the sender wants its answer. */
  readonly reply: string | undefined;
  /**
   * Nobody was subscribed to what was sent with this subject as its `reply`: it surely reached nobody. `data` is empty. Of a
   * message for which it does not come it is unknown.
   */
  readonly undelivered: boolean;
}

/** A key has another value, or none any more. */
export interface Change {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  /** The place of this change among all of the bucket: it grows. */
  readonly revision: number;
}

/** What of the values of a bucket is lost: all; or some that were told, because a server that lacked them leads now. */
export type Loss = 'all' | 'some';

/** How a bucket is set up. All nodes say the same. */
export interface BucketOptions {
  /** Whether values survive the restart of the whole engine. */
  readonly durable: boolean;
  /**
   * @returns whether a value of this key stays for a minute at least, unless another one, or a mark, takes its place. One that is gone
   *   earlier was lost. By default nobody says so of any key.
   */
  readonly isLasting?: (key: string) => boolean;
}

/**
 * Values by key, which all nodes see alike. A key is a row of tokens like a subject. Changes have one order for all.
 *
 * There is no update by revision: nats-server 2.9 with three copies lets both of two such updates succeed, in a quarter of all cases
 * where they meet. What must happen once is a {@link Bucket.create}, and everything else has one writer, or the last one wins.
 */
export interface Bucket {
  /** @returns the newest value, as every finished write left it; undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Writes the first value of a key: of several nodes that try, one succeeds.
   * @returns the revision. Rejects with `conflict` when there is a value, or was one that was deleted and not erased.
   */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Writes a value, whatever is there. @returns the revision. */
  put(key: string, value: Uint8Array): Promise<number>;
  /** Deletes a value, whatever is there, and leaves a mark, so that watchers are told. @returns the revision. */
  delete(key: string): Promise<number>;
  /** Removes value or mark without a trace, and without telling watchers. Resolves where there is none. */
  erase(key: string): Promise<void>;
  /**
   * Follows all keys that there are and will be. Resolves when everything that was there has been told: `value` is undefined for the
   * marks of keys that were deleted.
   * @param onChange is told each change once, in order; of several changes of a key that came before, or while the link was down, only
   *   the last.
   * @param onGone is called once when values are lost: the engine came back without them, or somebody deleted the bucket. The
   *   watch is over then, and what is written by this object may be lost, too: ask the engine for the bucket again.
   * @returns ends it.
   */
  watch(onChange: (change: Change) => void, onGone?: (loss: Loss) => void): Promise<() => void>;
}

/**
 * The link of one node to the engine.
 *
 * - Messages of one node to one subscriber come in the order in which they were sent, whatever their subjects.
 * - A message reaches each subscription at most once. While the link is down messages are lost.
 * - A subscription sees what other nodes publish some time after {@link Engine.subscribe}: `barrier.ts` finds out when.
 * - The link comes back by itself, with its subscriptions and watches, until it is closed.
 */
export interface Engine {
  /** How large `data` may be, in bytes. */
  readonly maxMessageBytes: number;
  /** What answers, for people: the name and version of a server, say. */
  readonly description: string;
  /** Whether the link is up, as far as this side knows. */
  readonly isUp: boolean;
  /**
   * Sends a message.
   * @param reply where an answer is wanted: an `undelivered` message comes there when nobody is subscribed to `subject`.
   * @throws EngineError `unavailable` while the link is down; `too_large`.
   */
  publish(subject: string, data: Uint8Array, reply?: string): void;
  /**
   * @param receive is called with each message, in a turn of its own and never within a call of this interface. It must not throw.
   * @returns ends the subscription: nothing is received afterwards.
   */
  subscribe(pattern: string, receive: (message: EngineMessage) => void): () => void;
  /** Resolves when the engine has everything that was sent and subscribed before. Rejects with `unavailable`. */
  flush(): Promise<void>;
  /** @returns a bucket, which is made if it is not there. Rejects with `unavailable` or `refused`. */
  bucket(name: string, options: BucketOptions): Promise<Bucket>;
  /** @param listener is told when the link goes down, and when it is up again. */
  onLink(listener: (isUp: boolean) => void): void;
  /** Sends what waits, and ends the link. Idempotent; never rejects. Nothing is received afterwards. */
  close(): Promise<void>;
}
