/**
 * Callers of another node, of one callee of this one: the other node stands for them all. The dealer of this node sends it RESULT and
 * ERROR, which go to that node.
 */
import { EngineError } from '../../engine/engine.js';
import { ErrorUri } from '../../wamp/error.js';
import { ERROR, RESULT } from '../../wamp/message.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { ForeignSession } from './foreign-session.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { NodeRef } from '../node-ref.js';

export interface RemoteCallerDeps {
  readonly realm: string;
  readonly node: NodeRef;
  /** The session id of the callee. */
  readonly callee: number;
  /** @throws EngineError */
  readonly send: (kind: string, head: Dict, payload: Payload) => void;
  /** Called when no call of it is left. */
  readonly idle: () => void;
}

const TOO_LARGE: Dict = { d: {}, u: ErrorUri.PAYLOAD_SIZE_EXCEEDED };
const TOO_LARGE_TEXT = payloadOf(['the answer is larger than the cluster carries']);

export class RemoteCaller {
  readonly node: NodeRef;
  readonly session: ForeignSession;
  readonly #deps: RemoteCallerDeps;
  readonly #open = new Set<number>();

  constructor(deps: RemoteCallerDeps) {
    this.#deps = deps;
    this.node = deps.node;
    this.session = new ForeignSession({
      ...{ id: 0, authid: '', authrole: '', realm: deps.realm, node: deps.node.name },
      // Its own dealer has looked at what the caller announced.
      announced: () => true,
      send: (message) => this.#send(message),
    });
  }

  /** Whether a call is not over. */
  has(requestId: number): boolean {
    return this.#open.has(requestId);
  }

  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  begin(requestId: number): void {
    this.#open.add(requestId);
  }

  /** The callee was not asked. */
  refused(requestId: number, error: string, payload: Payload): void {
    this.#answer(requestId, 'error', { d: {}, u: error }, payload, true);
  }

  /** The callee has no room for a call that may not wait. It was not asked. */
  busy(requestId: number): void {
    this.#answer(requestId, 'busy', {}, NO_PAYLOAD, true);
  }

  /** The callee is one no more, and was not asked: its registration is over, though the node of the caller does not know it yet. */
  gone(requestId: number): void {
    this.#answer(
      requestId,
      'error',
      { d: {}, u: ErrorUri.UNAVAILABLE, g: true },
      payloadOf(['the callee has left']),
      true,
    );
  }

  #send(message: RouterMessage): void {
    if (message.type === RESULT) {
      const isFinal = message.details['progress'] !== true;
      this.#answer(message.requestId, 'yield', { d: message.details }, message.payload, isFinal);
    } else if (message.type === ERROR) {
      this.#answer(message.requestId, 'error', { d: message.details, u: message.error }, message.payload, true);
    }
  }

  #answer(requestId: number, kind: string, head: Dict, payload: Payload, isFinal: boolean): void {
    if (isFinal) this.#open.delete(requestId);
    try {
      this.#deps.send(kind, { c: this.#deps.callee, i: requestId, ...head }, payload);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.fault === 'too_large') return this.#tooLarge(requestId);
      // The link is down: the other node finds out when it is up again that the answer was lost.
    }
    if (isFinal && this.#open.size === 0) this.#deps.idle();
  }

  #tooLarge(requestId: number): void {
    this.#open.delete(requestId);
    this.#answer(requestId, 'error', TOO_LARGE, TOO_LARGE_TEXT, true);
  }
}
