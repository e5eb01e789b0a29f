/**
 * Calls of one realm between nodes. Its directory tells which sessions of other nodes are callees; the dealer sees each as a session,
 * and what it sends them goes to their nodes. When frames of a node were lost, both sides find out which calls that concerns, so that
 * every caller gets its one answer.
 *
 *     node of the caller                               node of the callee
 *     dealer -> RemoteCallee --- call, cancel ---> RemoteCaller -> dealer -> callee
 *     dealer <- RemoteCallee <-- yield, error ---- RemoteCaller <- dealer <- callee
 *     dealer <- RemoteCallee <------- busy ------- RemoteCaller <- dealer, when the call may not wait, and the callee has no room
 */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { CALL, CANCEL, ERROR, INVOCATION, YIELD } from '../../wamp/message.js';
import { isDict, payloadOf } from '../../wamp/payload.js';
import { isSame, keyOf } from '../node-ref.js';
import { RemoteCallee } from './remote-callee.js';
import { RemoteCaller } from './remote-caller.js';
import type { Realm } from '../../router/realm.js';
import type { Scheduler } from '../../router/observer.js';
import type { RouterSession } from '../../router/session.js';
import type { RegistrationClaim } from '../../router/uplink.js';
import type { ErrorMessage, Yield } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Logger } from '../../log/logger.js';
import type { HeldEntry } from '../directory/entry.js';
import type { RegistrationListener } from '../directory/listener.js';
import type { Frame } from '../frame.js';
import type { NodeRef } from '../node-ref.js';

/** The realm, as the other nodes reach it. */
export type CallRealm = Pick<Realm, 'cut' | 'elsewhere' | 'forget' | 'name' | 'receive'>;

export interface RealmCallsDeps {
  readonly realm: () => CallRealm;
  /** @returns the claim of this node that has a key in the directory. */
  readonly claimOf: (key: string) => RegistrationClaim | undefined;
  /** Sends a frame of this realm. @throws EngineError */
  readonly send: (to: NodeRef, kind: string, head: Dict, payload: Payload, token?: string) => void;
  readonly log: Logger;
  readonly scheduler: Pick<Scheduler, 'elapsed'>;
}

/** A call, as both nodes call it: the session id of the callee, and the id of its INVOCATION in the node of the caller. */
export type CallId = readonly [callee: number, invocation: number];

export class RealmCalls implements RegistrationListener {
  readonly #deps: RealmCallsDeps;
  // node and session id -> callee of another node
  readonly #callees = new Map<string, RemoteCallee>();
  // node of the callers and session id of the callee -> callers of another node
  readonly #callers = new Map<string, RemoteCaller>();

  constructor(deps: RealmCallsDeps) {
    this.#deps = deps;
  }

  /** How many sessions of other nodes the dealer knows. */
  get size(): { readonly callees: number; readonly callers: number } {
    return { callees: this.#callees.size, callers: this.#callers.size };
  }

  added({ key, node, claim, place, birth }: HeldEntry): void {
    const callee = this.#calleeOf(node, claim);
    const { elsewhere } = this.#deps.realm();
    const { id, createdMs } = birth;
    if (callee.holds(id, { key, uri: claim.uri, isSingle: claim.invoke === 'single' })) {
      elsewhere.dismiss(callee.session, claim);
    }
    elsewhere.admit(callee.session, claim, { id, place, createdMs });
  }

  removed({ key, node, claim, birth }: HeldEntry): void {
    const callee = this.#callees.get(sessionKey(node, claim.callee.id));
    if (callee?.drops(birth.id, key) !== true) return;
    this.#deps.realm().elsewhere.dismiss(callee.session, claim);
    this.#retire(callee);
  }

  superseded(claim: RegistrationClaim): void {
    this.#deps.realm().elsewhere.revokeClaim(claim, ErrorUri.UNREGISTERED);
  }

  /** This node has cleaned up behind the node of a callee: see `LostCallees`. */
  cleaned({ claim, birth }: HeldEntry, isLast: boolean): void {
    this.#deps.realm().elsewhere.lost(claim.callee.id, { id: birth.id, uri: claim.uri }, isLast);
  }

  /** A frame of another node. */
  received(from: NodeRef, kind: string, { head, payload }: Frame): void {
    const { c: callee, i: id, d: details, u: uri } = head;
    if (typeof callee !== 'number' || typeof id !== 'number') return;
    const dict = isDict(details) ? details : {};
    if (kind === 'call') this.#called(from, [callee, id], head, dict, payload);
    else if (kind === 'cancel') this.#canceled(from, [callee, id], isDict(head['o']) ? head['o'] : {});
    else if (kind === 'yield') this.#answered(from, callee, { type: YIELD, requestId: id, options: dict, payload });
    else if (kind === 'busy') this.#callees.get(sessionKey(from, callee))?.busy(id);
    else if (kind === 'error' && head['g'] === true) this.#callees.get(sessionKey(from, callee))?.gone(id);
    else if (kind === 'error') {
      const error = String(uri);
      const message = { type: ERROR, requestType: INVOCATION, requestId: id, details: dict, error, payload } as const;
      this.#answered(from, callee, message);
    }
  }

  /** A call surely reached nobody: another callee may be asked. */
  undelivered(to: NodeRef, [callee, invocation]: CallId): void {
    this.#callees
      .get(sessionKey(to, callee))
      ?.failed(invocation, ErrorUri.UNAVAILABLE, 'the node of the callee is away');
  }

  /** @returns the calls to a node that have no answer. */
  openAt(node: NodeRef): readonly CallId[] {
    const callees = [...this.#callees.values()].filter((callee) => isSame(callee.node, node));
    return callees.flatMap(({ session, open }) => open.map((invocation) => [session.id, invocation] as const));
  }

  /** @returns which of the calls of a node are unknown here. */
  unknownOf(node: NodeRef, calls: readonly CallId[]): readonly CallId[] {
    return calls.filter(
      ([callee, invocation]) => this.#callers.get(sessionKey(node, callee))?.has(invocation) !== true,
    );
  }

  /** Calls have gone with frames that were lost, in one direction or the other: whether the callee was asked nobody knows. */
  lost(node: NodeRef, calls: readonly CallId[]): void {
    for (const [callee, invocation] of calls) {
      this.#callees
        .get(sessionKey(node, callee))
        ?.failed(invocation, ErrorUri.CANCELED, 'the call was lost between two nodes');
    }
  }

  /** A node is away: calls that were sent to it after a moment are over. Whether one was delivered nobody knows, so no other is asked. */
  unheard(node: NodeRef, afterMs: number): void {
    for (const callee of [...this.#callees.values()]) {
      if (!isSame(callee.node, node)) continue;
      for (const id of callee.sentAfter(afterMs))
        callee.failed(id, ErrorUri.CANCELED, 'the node of the callee is away');
    }
  }

  /** A node has gone: who waits for it has an answer now, and who works for it is told to stop. */
  forget(node: NodeRef): void {
    for (const [key, callee] of [...this.#callees])
      if (isSame(callee.node, node)) this.#end(this.#callees, key, callee.session);
    for (const [key, caller] of [...this.#callers])
      if (isSame(caller.node, node)) this.#end(this.#callers, key, caller.session);
  }

  /** This node has left the cluster. */
  end(): void {
    for (const [key, { session }] of [...this.#callees]) this.#end(this.#callees, key, session);
    for (const [key, { session }] of [...this.#callers]) this.#end(this.#callers, key, session);
  }

  #end(map: Map<string, unknown>, key: string, session: RouterSession): void {
    map.delete(key);
    this.#deps.realm().forget(session);
  }

  #called(from: NodeRef, [calleeId, requestId]: CallId, head: Dict, options: Dict, payload: Payload): void {
    const { e: key, u: procedure, m: isMore, t: isTrial } = head;
    const caller = this.#callerOf(from, calleeId);
    // The rest of a call that is over.
    if (isMore === true && !caller.has(requestId)) return this.#idle(caller, sessionKey(from, calleeId));
    const claim = typeof key === 'string' ? this.#deps.claimOf(key) : undefined;
    caller.begin(requestId);
    if (claim === undefined) return caller.gone(requestId);
    try {
      const message = { type: CALL, requestId, options, procedure: String(procedure), payload } as const;
      const { elsewhere } = this.#deps.realm();
      if (!elsewhere.forward(caller.session, claim, message, isTrial !== true)) caller.busy(requestId);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      caller.refused(requestId, error.uri, payloadOf(error.args, error.kwargs));
    }
  }

  #canceled(from: NodeRef, [calleeId, requestId]: CallId, options: Dict): void {
    const caller = this.#callers.get(sessionKey(from, calleeId));
    if (caller?.has(requestId) !== true) return;
    this.#deps.realm().receive(caller.session, { type: CANCEL, requestId, options });
  }

  #answered(from: NodeRef, calleeId: number, message: Yield | ErrorMessage): void {
    this.#callees.get(sessionKey(from, calleeId))?.answered(message);
  }

  #calleeOf(node: NodeRef, { callee }: RegistrationClaim): RemoteCallee {
    const key = sessionKey(node, callee.id);
    let known = this.#callees.get(key);
    if (known === undefined) {
      const made: RemoteCallee = new RemoteCallee({
        realm: this.#deps.realm().name,
        node,
        callee,
        elapsed: () => this.#deps.scheduler.elapsed(),
        send: (kind, head, payload, token) => this.#deps.send(node, kind, head, payload, token),
        answer: (session, message) => this.#pass(session, message),
        busy: (session, requestId) => this.#deps.realm().elsewhere.busy(session, requestId),
        idle: () => this.#retire(made),
      });
      this.#callees.set(key, made);
      known = made;
    }
    return known;
  }

  #callerOf(node: NodeRef, callee: number): RemoteCaller {
    const key = sessionKey(node, callee);
    let known = this.#callers.get(key);
    if (known === undefined) {
      const caller: RemoteCaller = new RemoteCaller({
        realm: this.#deps.realm().name,
        node,
        callee,
        send: (kind, head, payload) => this.#deps.send(node, kind, head, payload),
        // The dealer is in the middle of something.
        idle: () => queueMicrotask(() => this.#idle(caller, key)),
      });
      this.#callers.set(key, caller);
      known = caller;
    }
    return known;
  }

  /** What a callee said goes to the dealer, as if it were here. */
  #pass(session: RouterSession, message: Yield | ErrorMessage): void {
    try {
      this.#deps.realm().receive(session, message);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#deps.log.warn({ err: error }, 'another node sent an answer that is none');
    }
  }

  #idle(caller: RemoteCaller, key: string): void {
    if (this.#callers.get(key) === caller && !caller.isBusy) this.#end(this.#callers, key, caller.session);
  }

  #retire(callee: RemoteCallee): void {
    const isKnown = this.#callees.get(sessionKey(callee.node, callee.session.id)) === callee;
    if (isKnown && callee.isOver) this.#end(this.#callees, sessionKey(callee.node, callee.session.id), callee.session);
  }
}

function sessionKey(node: NodeRef, session: number): string {
  return `${keyOf(node)} ${session}`;
}
