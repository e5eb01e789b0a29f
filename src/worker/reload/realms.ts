/** The realms of a router worker, and how they change while it runs: what comes is there before anything goes. */
import { changeRealm, newRoles } from '../../router/reload/realm-change.js';
import type { Decider } from '../../router/deciders.js';
import type { Router } from '../../router/router.js';
import type { RealmConfig } from '../../router/schema.js';
import type { ReloadLoss } from '../worker.js';

/** A change of all realms. Realms and roles that come are there already; either of the two is called. */
export interface PreparedRealms {
  /** Places below `realms` of the new config: what waits for the next start. */
  readonly pending: readonly string[];
  commit(): ReloadLoss;
  discard(): void;
}

/** Adds what is new. Whoever joins it before the change is done is sent away where it is discarded. */
export function prepareRealms(
  router: Router,
  before: readonly RealmConfig[],
  next: readonly RealmConfig[],
  authenticators: readonly Decider[],
): PreparedRealms {
  const old = new Map(before.map((realm) => [realm.name, realm]));
  const undo: (() => void)[] = [];
  const pending: string[] = [];
  for (const [index, config] of next.entries()) {
    const known = old.get(config.name);
    const realm = router.realm(config.name);
    if (known === undefined || realm === undefined) {
      router.addRealm(config);
      undo.push(() => router.removeRealm(config.name));
      continue;
    }
    for (const role of newRoles(realm, config)) {
      realm.addRole(role);
      undo.push(() => realm.removeRole(role.name));
    }
    const had = new Set(known.roles.map(({ name }) => name));
    for (const [place, { name }] of config.roles.entries()) {
      // It takes the place of the one that is built in, which sessions may have.
      if (realm.role(name)?.isBuiltIn === true && !had.has(name))
        pending.push(`${String(index)}/roles/${String(place)}`);
    }
  }
  const commit = (): ReloadLoss => {
    const losses = next.map((config) => changed(router, old.get(config.name), config));
    const names = new Set(next.map(({ name }) => name));
    const gone = before.filter(({ name }) => !names.has(name) && router.removeRealm(name));
    for (const realm of router.realms) realm.decidedBy(authenticators);
    return {
      revoked: losses.reduce((sum, { revoked }) => sum + revoked, 0),
      removed: losses.reduce((sum, { removed }) => sum + removed, gone.length),
    };
  };
  return { pending, commit, discard: () => undo.forEach((step) => step()) };
}

const NOTHING: ReloadLoss = { revoked: 0, removed: 0 };

function changed(router: Router, old: RealmConfig | undefined, config: RealmConfig): ReloadLoss {
  const realm = router.realm(config.name);
  if (realm === undefined || old === undefined || old === config) return NOTHING;
  const { revoked, roles } = changeRealm(realm, old, config);
  return { revoked, removed: roles };
}
