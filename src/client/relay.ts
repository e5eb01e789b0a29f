/** Requests that a client carries for others: their payloads go as they are, both ways, and an ERROR is an answer as any other. Types only. */
import type { Call, CancelMode, ErrorMessage, Publish, Published, Result } from '../wamp/message.js';

/** A request without the id that the session gives it. A PUBLISH asks to be acknowledged. */
export type Relayed = Omit<Publish, 'requestId'> | Omit<Call, 'requestId'>;

/** What the router, or a callee, says to it. */
export type RelayAnswer = Published | Result | ErrorMessage;

/** A request under way. */
export interface Relaying {
  /** Rejects when there is no answer: the session has ended, or the request is no proper one. */
  readonly answer: Promise<RelayAnswer>;
  /** Asks for the end of a call. With `kill` the answer comes when the callee has stopped. Harmless afterwards. */
  cancel(mode: CancelMode): void;
}
