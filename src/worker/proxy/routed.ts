/** A router as the clients of a proxy worker see it: only what a route leads to is there. */
import type { RouterAccess } from '../../router/access.js';
import type { ProxyRoutes } from './schema.js';

/** Sessions ask `leadsTo` when they join, and never again. */
export function routed(router: RouterAccess, routes: ProxyRoutes): RouterAccess {
  return {
    clock: router.clock,
    scheduler: router.scheduler,
    newSessionId: () => router.newSessionId(),
    realm: (name) => router.realm(name),
    leadsTo: (realm, role) => {
      const roles = Object.hasOwn(routes, realm) ? routes[realm] : undefined;
      return roles !== undefined && (role === undefined || Object.hasOwn(roles, role));
    },
  };
}
