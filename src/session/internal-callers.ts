/**
 * The calls that the router makes for one transport: to authenticators, on any realm, in any role.
 */
import { CallFault, ErrorUri, WampError } from '../wamp/error.js';
import { payloadOf } from '../wamp/payload.js';
import { quoted } from '../wamp/uri.js';
import { weight } from '../router/weight.js';
import { Attendance } from './attendance.js';
import { InternalCaller, TRUSTED } from './internal-caller.js';
import type { RepeatedLog } from '../log/repeated.js';
import type { RealmAccess, RouterAccess } from '../router/access.js';
import type { Role } from '../router/role.js';
import type { Payload } from '../wamp/payload.js';

export class InternalCallers {
  readonly #router: RouterAccess;
  readonly #log: RepeatedLog;
  // A realm or role that is removed takes its entry along.
  readonly #attendances = new WeakMap<RealmAccess, Attendance>();
  readonly #callers = new WeakMap<RealmAccess, WeakMap<Role, InternalCaller>>();

  constructor(router: RouterAccess, log: RepeatedLog) {
    this.#router = router;
    this.#log = log;
  }

  /**
   * @param roleName undefined: one that may call everything.
   * @throws CallFault (rejects) when there is no such procedure, it fails, or it is too slow.
   */
  async call(
    realmName: string,
    roleName: string | undefined,
    procedure: string,
    args: readonly unknown[],
  ): Promise<Payload> {
    const realm = this.#router.realm(realmName);
    if (realm === undefined) {
      const text = `no realm ${quoted(realmName)} exists on this router`;
      throw new CallFault(text, { uri: ErrorUri.NO_SUCH_REALM, payload: payloadOf([text]) });
    }
    const role = roleName === undefined ? TRUSTED : realm.role(roleName);
    if (role === undefined) throw new CallFault(`realm ${quoted(realmName)} has no role "${roleName ?? ''}"`);
    // Not left to the dealer, whose refusal would look like one of the procedure.
    if (!mayCall(role, procedure)) throw new CallFault(`role "${role.name}" may not call ${quoted(procedure)}`);
    const attendance = this.#attendance(realm);
    if (!attendance.isThere(procedure)) await this.#attend(attendance, realm.name, procedure, args);
    return this.#caller(realm, role).call(procedure, args);
  }

  /** @throws CallFault (rejects) when the procedure is not there, and does not come in time. */
  async #attend(attendance: Attendance, realm: string, procedure: string, args: readonly unknown[]): Promise<void> {
    const facts = { realm, authenticator: procedure };
    this.#log.say('info', facts, 'authenticator is not there, clients wait for it', `${procedure} is awaited`);
    if (await attendance.wait(procedure, weight(args))) return;
    throw new CallFault('it is not registered', { uri: ErrorUri.NO_SUCH_PROCEDURE });
  }

  #attendance(realm: RealmAccess): Attendance {
    let attendance = this.#attendances.get(realm);
    if (attendance === undefined) {
      attendance = new Attendance(realm, this.#router.scheduler);
      this.#attendances.set(realm, attendance);
    }
    return attendance;
  }

  #caller(realm: RealmAccess, role: Role): InternalCaller {
    const ofRealm = this.#callers.get(realm) ?? new WeakMap<Role, InternalCaller>();
    this.#callers.set(realm, ofRealm);
    let caller = ofRealm.get(role);
    if (caller === undefined) {
      const { scheduler } = this.#router;
      caller = new InternalCaller({ id: this.#router.newSessionId(), authid: 'router', role, realm, scheduler });
      ofRealm.set(role, caller);
    }
    return caller;
  }
}

function mayCall(role: Role, procedure: string): boolean {
  try {
    return role.authorize('call', procedure).call;
  } catch (error) {
    if (error instanceof WampError) return false;
    throw error;
  }
}
