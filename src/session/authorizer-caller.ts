/**
 * Calls an authorizer. To the dealer it is a session like any other; it never joins the realm, so nobody sees it, counts
 * it or can kill it. One call at a time: the next request is looked at when this one is decided.
 */
import { CALL, CANCEL, ERROR, NO_DETAILS, RESULT } from '../wamp/message.js';
import { nextId } from '../wamp/id.js';
import { payloadOf } from '../wamp/payload.js';
import { Role } from '../router/role.js';
import { AuthorizerFault } from './authorizer-verdict.js';
import type { Scheduler } from '../router/observer.js';
import type { Realm } from '../router/realm.js';
import type { RouterSession, SessionDetails } from '../router/session.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Payload } from '../wamp/payload.js';

/** Authorizers answer in milliseconds. One that does not holds up its client, which must be told some time. */
export const AUTHORIZER_DEADLINE_MS = 5000;

/** Nobody can have this role by authentication: it belongs to no realm. */
const TRUSTED = new Role({ name: 'trusted', 'allow-by-default': true });

interface Pending {
  readonly requestId: number;
  readonly resolve: (result: Payload) => void;
  readonly reject: (fault: AuthorizerFault) => void;
  readonly stopClock: () => void;
}

export class AuthorizerCaller implements RouterSession {
  readonly id: number;
  readonly authid = 'authorizer-caller';
  readonly authrole = TRUSTED.name;
  readonly role = TRUSTED;
  readonly #realm: Realm;
  readonly #scheduler: Scheduler;
  #lastRequestId = 0;
  #pending: Pending | undefined;

  /** @param id a session id of its own: callees that are shown their caller see it. */
  constructor(id: number, realm: Realm, scheduler: Scheduler) {
    this.id = id;
    this.#realm = realm;
    this.#scheduler = scheduler;
  }

  get details(): SessionDetails {
    const { id, authid, authrole } = this;
    const transport = { peer: 'router' };
    const authmethod = 'trusted';
    return { session: id, realm: this.#realm.name, authid, authrole, authmethod, authprovider: 'router', transport };
  }

  /**
   * Settles after the router is done with what it is doing: nothing is routed in the middle of something else. It never
   * settles when {@link stop} comes first.
   * @throws AuthorizerFault (rejects) when there is no such procedure, it fails, or it is too slow.
   */
  call(procedure: string, args: readonly unknown[]): Promise<Payload> {
    const requestId = (this.#lastRequestId = nextId(this.#lastRequestId));
    return new Promise((resolve, reject) => {
      const stopClock = this.#scheduler.after(AUTHORIZER_DEADLINE_MS, () => this.#overdue(requestId));
      this.#pending = { requestId, resolve, reject, stopClock };
      this.#realm.receive(this, { type: CALL, requestId, options: NO_DETAILS, procedure, payload: payloadOf(args) });
    });
  }

  /** Drops the call under way: nobody waits for it any more. */
  stop(): void {
    this.#take()?.stopClock();
    this.#realm.forget(this);
  }

  send(message: RouterMessage): void {
    if (message.type !== RESULT && message.type !== ERROR) return;
    if (message.requestId !== this.#pending?.requestId) return;
    const pending = this.#take();
    pending?.stopClock();
    if (message.type === RESULT) pending?.resolve(message.payload);
    else pending?.reject(new AuthorizerFault(message.error));
  }

  announced(): boolean {
    return false;
  }

  /** Ends with the session that it asks for, and only then. */
  kill(): void {
    return;
  }

  #overdue(requestId: number): void {
    const pending = this.#take();
    pending?.reject(new AuthorizerFault(`no answer within ${AUTHORIZER_DEADLINE_MS} ms`));
    this.#realm.receive(this, { type: CANCEL, requestId, options: { mode: 'killnowait' } });
  }

  #take(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}
