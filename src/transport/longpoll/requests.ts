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

/** A request with a message of the client, or a batch. */
export interface Post {
  readonly data: Buffer;
  /** Answers: all has been routed, or is not needed any more. @param refusal why it was no message. */
  answer(refusal?: string): void;
}
