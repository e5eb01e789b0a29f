/**
 * Calls procedures on behalf of the router itself: authorizers and authenticators. To the dealer it is a session like any
 * other; it never joins the realm, so nobody sees it, counts it or can kill it.
 */
import { CallFault, ErrorUri } from '../wamp/error.js';
import { CALL, CANCEL, ERROR, NO_DETAILS, RESULT } from '../wamp/message.js';
import { nextId } from '../wamp/id.js';
import { payloadOf } from '../wamp/payload.js';
import { Role, TRUSTED_ROLE } from '../router/role.js';
import type { Scheduler } from '../router/observer.js';
import type { RealmAccess } from '../router/access.js';
import type { RouterSession, SessionDetails, SessionStatus } from '../router/session.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Payload } from '../wamp/payload.js';

/** An authenticator or authorizer answers in milliseconds. The client that waits for a slower one gets an error. */
export const CALL_DEADLINE_MS = 5000;

/** Nobody can have this role by authentication: it belongs to no realm. It has the name of the one that every realm has. */
export const TRUSTED = new Role({ name: TRUSTED_ROLE, 'allow-by-default': true });

interface Pending {
  readonly resolve: (result: Payload) => void;
  readonly reject: (fault: CallFault) => void;
  readonly stopClock: () => void;
}

export interface RouterCallerOptions {
  /** A session id of its own: callees that are shown their caller see it. */
  readonly id: number;
  readonly authid: string;
  /** Decides what it may call. */
  readonly role?: Role;
  readonly realm: RealmAccess;
  readonly scheduler: Scheduler;
}

/** A session of the router in one realm, which does nothing but call. */
export class InternalCaller implements RouterSession {
  readonly id: number;
  readonly authid: string;
  readonly role: Role;
  keptBytes = 0;
  readonly #realm: RealmAccess;
  readonly #scheduler: Scheduler;
  #lastRequestId = 0;
  // CALL request id -> who waits for it
  readonly #pending = new Map<number, Pending>();

  constructor({ id, authid, role = TRUSTED, realm, scheduler }: RouterCallerOptions) {
    this.id = id;
    this.authid = authid;
    this.role = role;
    this.#realm = realm;
    this.#scheduler = scheduler;
  }

  get authrole(): string {
    return this.role.name;
  }

  get details(): SessionDetails {
    const { id, authid, authrole } = this;
    const transport = { peer: 'router' };
    const authmethod = 'trusted';
    return { session: id, realm: this.#realm.name, authid, authrole, authmethod, authprovider: 'router', transport };
  }

  get status(): SessionStatus {
    return { name: this.authid, joinedMs: 0, waitingBytes: undefined, received: 0, sent: 0 };
  }

  /**
   * Settles after the router is done with what it is doing: nothing is routed in the middle of something else. It never
   * settles when {@link stop} comes first.
   * @throws CallFault (rejects) when there is no such procedure, it fails, or it is too slow.
   */
  call(procedure: string, args: readonly unknown[]): Promise<Payload> {
    const requestId = (this.#lastRequestId = nextId(this.#lastRequestId));
    return new Promise((resolve, reject) => {
      const stopClock = this.#scheduler.after(CALL_DEADLINE_MS, () => this.#overdue(requestId));
      this.#pending.set(requestId, { resolve, reject, stopClock });
      this.#realm.receive(this, { type: CALL, requestId, options: NO_DETAILS, procedure, payload: payloadOf(args) });
    });
  }

  /** Drops the calls under way: nobody waits for them any more. */
  stop(): void {
    for (const { stopClock } of this.#pending.values()) stopClock();
    this.#pending.clear();
    this.#realm.forget(this);
  }

  send(message: RouterMessage): void {
    if (message.type !== RESULT && message.type !== ERROR) return;
    const pending = this.#take(message.requestId);
    pending?.stopClock();
    if (message.type === RESULT) pending?.resolve(message.payload);
    else pending?.reject(new CallFault(message.error, { uri: message.error, payload: message.payload }));
  }

  announced(): boolean {
    return false;
  }

  /** It ends with the part of the router that it calls for, and not before. */
  kill(): void {
    return;
  }

  #overdue(requestId: number): void {
    const pending = this.#take(requestId);
    pending?.reject(new CallFault(`no answer within ${CALL_DEADLINE_MS} ms`, { uri: ErrorUri.TIMEOUT }));
    this.#realm.receive(this, { type: CANCEL, requestId, options: { mode: 'killnowait' } });
  }

  #take(requestId: number): Pending | undefined {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    return pending;
  }
}
