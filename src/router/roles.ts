/**
 * The roles of a realm, which can be added, changed and removed while sessions are open. From them follows which procedures
 * decide about others, and which roles may register those.
 */
import { quoted } from '../wamp/uri.js';
import { ErrorUri } from '../wamp/error.js';
import { AuthorizerWatch } from './authorizer-watch.js';
import { Deciders, decidersOf } from './deciders.js';
import { Role, TRUSTED_ROLE } from './role.js';
import type { Decider } from './deciders.js';
import type { RegistrationDirectory, RegistrationObserver, RegistrationView } from './observer.js';
import type { RoleConfig } from './schema.js';
import type { RouterSession } from './session.js';

export interface RolesDeps {
  /** The name of the realm. */
  readonly realm: string;
  /** The procedures that authenticate clients. The config of the roles names the authorizers. */
  readonly authenticators: readonly Decider[] | undefined;
  /** Called when a session was refused to register a procedure that decides about others. */
  readonly refused: ((realm: string, session: RouterSession, procedure: string) => void) | undefined;
  // session id -> session; those of the realm
  readonly sessions: ReadonlyMap<number, RouterSession>;
  /** Not called before {@link Roles.begin}. */
  readonly registrations: () => Pick<RegistrationDirectory, 'lookup' | 'revoke'>;
}

export class Roles {
  readonly #deps: RolesDeps;
  #authenticators: readonly Decider[] | undefined;
  // role name -> role
  readonly #byName = new Map<string, Role>();
  readonly #authorizers = new AuthorizerWatch();
  readonly #deciders = new Deciders();

  constructor(deps: RolesDeps) {
    this.#deps = deps;
    this.#authenticators = deps.authenticators;
  }

  /** The realm is set up: these are its roles. */
  begin(roles: readonly RoleConfig[]): void {
    this.#byName.set(TRUSTED_ROLE, Role.trusted());
    for (const config of roles) this.#byName.set(config.name, new Role(config));
    this.#changed();
  }

  /** Other procedures authenticate clients from now on. */
  decidedBy(authenticators: readonly Decider[]): void {
    this.#authenticators = authenticators;
    this.#changed();
  }

  get(name: string): Role | undefined {
    return this.#byName.get(name);
  }

  /** @throws TypeError when there is a role of this name. */
  add(config: RoleConfig): Role {
    if (this.#byName.has(config.name)) {
      throw new TypeError(`realm ${this.#deps.realm} has a role ${config.name} already`);
    }
    const role = new Role(config);
    this.#byName.set(role.name, role);
    this.#changed();
    return role;
  }

  /** @throws TypeError when there is no such role, or it is built in. */
  update(config: RoleConfig): Role {
    const role = this.#byName.get(config.name);
    if (role?.isBuiltIn === true) throw new TypeError(`role ${config.name} is built in`);
    if (role === undefined) throw new TypeError(`realm ${this.#deps.realm} has no role ${config.name}`);
    role.update(config);
    this.#changed();
    for (const session of this.#deps.sessions.values()) if (session.role === role) session.roleChanged?.();
    return role;
  }

  /** @returns whether there was one that is not built in. */
  remove(name: string): boolean {
    const role = this.#byName.get(name);
    if (role === undefined || role.isBuiltIn) return false;
    this.#byName.delete(name);
    // The config had one of this name in its place.
    if (name === TRUSTED_ROLE) this.#byName.set(name, Role.trusted());
    this.#changed();
    const message = `role ${quoted(name)} was removed`;
    for (const session of [...this.#deps.sessions.values()]) {
      if (session.role === role) session.kill(ErrorUri.NO_SUCH_ROLE, message);
    }
    return true;
  }

  /** Changes whenever the procedure that decides for a role is registered, gets another callee or is unregistered. */
  get authorizersVersion(): number {
    return this.#authorizers.version;
  }

  /** @returns whether the router may ask the callees of this registration, to which calls of `procedure` go. */
  trusts(procedure: string, registration: RegistrationView): boolean {
    return this.#deciders.trusts(procedure, registration);
  }

  /** @returns an observer that notes which role registers a procedure that decides, and then calls `inner`. */
  before(inner: RegistrationObserver): RegistrationObserver {
    return this.#deciders.before(this.#authorizers.before(inner));
  }

  /** @throws WampError when the session may not register a procedure because it decides about others. */
  checkRegistration(session: RouterSession, registration: Pick<RegistrationView, 'uri' | 'match'>): void {
    try {
      this.#deciders.check(session, registration);
    } catch (error) {
      this.#deps.refused?.(this.#deps.realm, session, registration.uri);
      throw error;
    }
  }

  /** Revokes procedures that decide from callees that may not register them now. */
  #changed(): void {
    const { realm, registrations } = this.#deps;
    const roles = [...this.#byName.values()];
    this.#authorizers.watch(roles);
    this.#deciders.replace(decidersOf(realm, roles, this.#authenticators));
    for (const [{ id }, callee] of this.#deciders.recheck((uri) => registrations().lookup(uri, 'exact'))) {
      registrations().revoke(id, callee, ErrorUri.NOT_AUTHORIZED);
    }
  }
}
