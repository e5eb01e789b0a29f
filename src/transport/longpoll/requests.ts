/**
 * The requests of a client of long-poll, as the transport sees them. It knows no HTTP: who answers makes a {@link Poll} of each
 * request for messages, and a {@link Post} of each that brings some.
 */

/**
 * How a poll ends without a message: there was none for a while, the session is over, or it is over and the client is to come
 * back.
 */
export type PollEnd = 'nothing' | 'gone' | 'unavailable';

/** A request that waits for messages. It is answered once. */
export interface Poll {
  /** Whether somebody waits for the answer. */
  readonly isOpen: boolean;
  /**
   * Answers with messages.
   * @param done is called once, in a later turn: whether the system has taken all of them.
   */
  send(messages: readonly Buffer[], done: (isSent: boolean) => void): void;
  /** Answers without. Harmless when nobody waits. @param text one sentence for people. */
  end(how: PollEnd, text?: string): void;
  /** Cuts an answer that is under way. */
  cut(): void;
}

/**
 * What became of a message, or a batch: it was routed, or is not needed any more; it was none; or it came to nothing, because the
 * session is over.
 */
export type PostEnd = 'taken' | 'refused' | Exclude<PollEnd, 'nothing'>;

/** A request with a message of the client, or a batch. */
export interface Post {
  readonly data: Buffer;
  /** Harmless when nobody waits, or for a second time. @param text one sentence for people. */
  answer(how: PostEnd, text?: string): void;
}
