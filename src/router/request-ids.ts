/**
 * The request ids of clients, for realms that take the specification at its word (section "IDs": session scope ids count
 * up by one from 1, in one sequence for all kinds of request). Off by default, because clients in use draw them at random.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { nextId } from '../wamp/id.js';
import * as m from '../wamp/message.js';
import type { ClientMessage } from '../wamp/message.js';
import type { RouterSession } from './session.js';

export class RequestIds {
  // session -> its last request id; only sessions that ever requested anything
  readonly #last = new Map<RouterSession, number>();
  readonly #isCalling: (session: RouterSession, requestId: number) => boolean;

  /** @param isCalling whether a CALL with this id goes on with one that is there: such a part repeats its id. */
  constructor(isCalling: (session: RouterSession, requestId: number) => boolean) {
    this.#isCalling = isCalling;
  }

  /** @throws ProtocolViolation when the id of a request is not the one behind the last. */
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

/** The messages that take an id of their own; CANCEL, YIELD and ERROR repeat that of another. */
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
