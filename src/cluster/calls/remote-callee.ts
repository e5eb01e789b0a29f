/**
 * A callee of another node. The dealer of this node sends it INVOCATION and INTERRUPT, which go to its node; what comes back from there
 * is its YIELD and ERROR. It goes when it is a callee of nothing any more and has answered everything.
 */
import { EngineError } from '../../engine/engine.js';
import { wampErrorOf } from '../realm-events.js';
import { ErrorUri } from '../../wamp/error.js';
import { ERROR, INTERRUPT, INVOCATION } from '../../wamp/message.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { quoted } from '../../wamp/uri.js';
import { ForeignSession } from './foreign-session.js';
import type { RegistrationClaim } from '../../router/uplink.js';
import type { ErrorMessage, Invocation, RouterMessage, Yield } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { NodeRef } from '../node-ref.js';

export interface RemoteCalleeDeps {
  readonly realm: string;
  readonly node: NodeRef;
  readonly callee: RegistrationClaim['callee'];
  /** See `Scheduler`. */
  readonly elapsed: () => number;
  /** @throws EngineError */
  readonly send: (kind: string, head: Dict, payload: Payload, token?: string) => void;
  /** Hands its answer to the realm. Not called within the dealer. */
  readonly answer: (session: ForeignSession, message: Yield | ErrorMessage) => void;
  /** Tells the realm that there was no room for an INVOCATION. Not called within the dealer. */
  readonly busy: (session: ForeignSession, requestId: number) => void;
  /** Called when nothing may be left of it: see {@link RemoteCallee.isOver}. */
  readonly idle: () => void;
}

/** Of an entry of the directory: its key, its URI, and whether nobody shares the procedure. */
interface Held {
  readonly key: string;
  readonly uri: string;
  readonly isSingle: boolean;
}

export class RemoteCallee {
  readonly node: NodeRef;
  readonly session: ForeignSession;
  readonly #deps: RemoteCalleeDeps;
  // registration id -> what it is called for
  readonly #entries = new Map<number, Held>();
  // the id of an INVOCATION that has no final answer -> what it is for, and when it was sent
  readonly #open = new Map<number, { readonly held: Held | undefined; readonly sentMs: number }>();

  constructor(deps: RemoteCalleeDeps) {
    this.#deps = deps;
    this.node = deps.node;
    const { id, authid, authrole } = deps.callee;
    this.session = new ForeignSession({
      ...{ id, authid, authrole, realm: deps.realm, node: deps.node.name },
      announced: (role, feature) => feature !== 'registration_revocation' && deps.callee.announced(role, feature),
      send: (message) => this.#send(message),
      tryInvoke: (invocation) => this.#invoke(invocation, true),
    });
  }

  /** Whether nothing is left of it. */
  get isOver(): boolean {
    return this.#entries.size === 0 && this.#open.size === 0;
  }

  /** The ids of INVOCATIONs that have no final answer. */
  get open(): readonly number[] {
    return [...this.#open.keys()];
  }

  /** @returns those of {@link RemoteCallee.open} that were sent after a moment, in milliseconds of the scheduler. */
  sentAfter(ms: number): readonly number[] {
    return [...this.#open].filter(([, { sentMs }]) => sentMs > ms).map(([id]) => id);
  }

  /** @returns whether it is a callee of this registration already: by an entry that is over at its node, and not deleted yet. */
  holds(registration: number, held: Held): boolean {
    const isKnown = this.#entries.has(registration);
    this.#entries.set(registration, held);
    return isKnown;
  }

  /** @returns false where another entry has taken the place of this one. */
  drops(registration: number, key: string): boolean {
    return this.#entries.get(registration)?.key === key && this.#entries.delete(registration);
  }

  /** Its node sent an answer. An answer to what is over is dropped. */
  answered(message: Yield | ErrorMessage): void {
    if (!this.#open.has(message.requestId)) return;
    if (message.type === ERROR || message.options.progress !== true) this.#close(message.requestId);
    this.#deps.answer(this.session, message);
  }

  /** Its node had no room for an INVOCATION. */
  busy(requestId: number): void {
    if (!this.#open.has(requestId)) return;
    this.#close(requestId);
    this.#deps.busy(this.session, requestId);
  }

  /** An INVOCATION has no answer, and will have none. */
  failed(requestId: number, error: string, text: string): void {
    const payload = payloadOf([text]);
    this.answered({ type: ERROR, requestType: INVOCATION, requestId, details: {}, error, payload });
  }

  /** Its node has no such callee any more: of a procedure that it did not share, this is what a node alone says. */
  gone(requestId: number): void {
    const held = this.#open.get(requestId)?.held;
    if (held?.isSingle !== true) return this.failed(requestId, ErrorUri.UNAVAILABLE, 'the callee has left');
    this.failed(requestId, ErrorUri.NO_SUCH_PROCEDURE, `no callee registered for procedure ${quoted(held.uri)}`);
  }

  #send(message: RouterMessage): void {
    if (message.type === INVOCATION) this.#invoke(message, false);
    else if (message.type === INTERRUPT) this.#interrupt(message.requestId, message.options);
  }

  #invoke({ requestId, registration, details, payload }: Invocation, isTrial: boolean): void {
    const entry = this.#entries.get(registration);
    const isMore = this.#open.has(requestId);
    this.#open.set(requestId, { held: entry ?? this.#open.get(requestId)?.held, sentMs: this.#deps.elapsed() });
    const fail = (error: string, text: string): void => queueMicrotask(() => this.failed(requestId, error, text));
    if (entry === undefined) return fail(ErrorUri.UNAVAILABLE, 'the callee has left');
    const head = {
      c: this.session.id,
      i: requestId,
      e: entry.key,
      u: entry.uri,
      d: details,
      ...(isMore && { m: true }),
      ...(isTrial && { t: true }),
    };
    try {
      this.#deps.send('call', head, payload, `${this.session.id}-${requestId}`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const { uri, args } = wampErrorOf(error);
      fail(uri, String(args[0]));
    }
  }

  #close(requestId: number): void {
    this.#open.delete(requestId);
    // The dealer may be in the middle of something.
    if (this.isOver) queueMicrotask(() => this.#deps.idle());
  }

  #interrupt(requestId: number, options: Dict): void {
    if (!this.#open.has(requestId)) return;
    // With `kill` an answer comes; else nobody waits for one.
    if (options['mode'] !== 'kill') this.#close(requestId);
    try {
      this.#deps.send('cancel', { c: this.session.id, i: requestId, o: options }, NO_PAYLOAD);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // The link is down: what becomes of the call is found out when it is up again.
    }
  }
}
