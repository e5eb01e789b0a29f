/**
 * Checks the request ids of clients, on realms with `strict_request_ids`. The specification asks for ids that count up by one
 * from 1, in one sequence for all kinds of request (section "IDs"). The check is off by default, because some clients draw
 * their ids at random.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { nextId } from '../wamp/id.js';
import * as m from '../wamp/message.js';
import type { ClientMessage } from '../wamp/message.js';
import type { RouterSession } from './session.js';

/** The last request id of each session. */
export class RequestIds {
  // session -> its last request id; only sessions that have sent a request
  readonly #last = new Map<RouterSession, number>();
  readonly #isCalling: (session: RouterSession, requestId: number) => boolean;

  /** @param isCalling whether a CALL with this id continues a call that is not over: it repeats the id. */
  constructor(isCalling: (session: RouterSession, requestId: number) => boolean) {
    this.#isCalling = isCalling;
  }

  /** @throws ProtocolViolation when the id of a request does not follow the last one. */
  check(session: RouterSession, message: ClientMessage): void {
    if (!isRequest(message)) return;
    const { requestId } = message;
    const expected = nextId(this.#last.get(session) ?? 0);
    if (requestId === expected) {
      this.#last.set(session, requestId);
    } else if (message.type !== m.CALL || !this.#isCalling(session, requestId)) {
      throw new ProtocolViolation(`the request id must be ${expected}, got ${requestId}`);
    }
  }

  forget(session: RouterSession): void {
    this.#last.delete(session);
  }
}

/** @returns whether a message takes a new request id. CANCEL, YIELD and ERROR repeat the id of another message. */
function isRequest(
  message: ClientMessage,
): message is m.Publish | m.Subscribe | m.Unsubscribe | m.Call | m.Register | m.Unregister {
  switch (message.type) {
    case m.PUBLISH:
    case m.SUBSCRIBE:
    case m.UNSUBSCRIBE:
    case m.CALL:
    case m.REGISTER:
    case m.UNREGISTER:
      return true;
    default:
      return false;
  }
}
