/**
 * From one config of a realm to the next, while sessions are open. First what lets sessions do more, or others come, then what takes away.
 */
import type { Realm } from '../realm.js';
import type { RealmConfig, RoleConfig } from '../schema.js';

/** What a change of a realm took away. */
export interface RealmLoss {
  /** Subscriptions and registrations that the new rules forbid. */
  readonly revoked: number;
  /** Roles that are gone, and their sessions with them. */
  readonly roles: number;
}

/** @returns the roles of the next config that have to be added. One that is built in cannot: it is there, under the same name. */
export function newRoles(realm: Realm, next: RealmConfig): readonly RoleConfig[] {
  return next.roles.filter(({ name }) => realm.role(name) === undefined);
}

/** Changes a realm, to which the new roles were added already. */
export function changeRealm(realm: Realm, before: RealmConfig, next: RealmConfig): RealmLoss {
  realm.renew(next);
  const known = new Map(before.roles.map((role) => [role.name, role]));
  const changed = next.roles.filter((role) => {
    const old = known.get(role.name);
    return old !== undefined && old !== role;
  });
  const roles = changed.map((config) => realm.updateRole(config));
  const stay = new Set(next.roles.map(({ name }) => name));
  const gone = before.roles.filter(({ name }) => !stay.has(name) && realm.removeRole(name));
  return { revoked: roles.reduce((sum, role) => sum + realm.revokeForbidden(role), 0), roles: gone.length };
}
