/** What is checked of a proxy worker: it must lead to one router worker of the same config. */
import { TRUSTED_ROLE } from '../../router/role.js';
import type { Place, RuleContext, Rules } from '../../schema/rules.js';
import { frontOf, isApart, routedConnections, routesByRealm, routesOf, workerBehind, workersOf } from './front.js';

const INSTEAD =
  'allowed: the endpoint of a transport of a router worker in this config; clients of a router on another node connect to that node, through a load balancer such as HAProxy or nginx if need be';

/** Rule of the whole worker. */
export const checkProxy: Rules = (proxy, context) => {
  const { note, report } = context;
  checkRoutes(proxy, context);
  const connections = routedConnections(proxy).filter(({ missing }) => !missing);
  for (const connection of connections) checkConnection(connection, proxy, context);
  const { target, silent } = frontOf(proxy, context);
  const transports = proxy.get('transports');
  if (target !== undefined) {
    const what = `its transports lead straight to the realms of ${pointer(target)}, and "connections" has no effect`;
    if (proxy.get('instances').missing) note(proxy.path, `a proxy worker is no process here: ${what}`);
    else checkFronts(proxy, context);
    checkRealms(proxy, context);
    for (const [index, transport] of transports.items().entries()) noteSilent(transport, silent.get(index), context);
  } else if (transports.items().length === 0) {
    note(proxy.path, 'has no transport, so nobody can connect, and it does nothing');
  } else if (routesOf(proxy).length === 0) {
    report(proxy.get('routes').path, 'found no route, so nobody could join anything (allowed: at least one)');
  }
};

/** What cannot be in fronts. */
function checkFronts(proxy: Place, { report }: RuleContext): void {
  for (const transport of proxy.get('transports').items()) {
    const endpoint = transport.get('endpoint');
    if (endpoint.get('type').value === 'systemd')
      report(endpoint.path, 'fronts cannot have a socket of systemd (allowed: an endpoint of type "tcp" or "unix")');
    if (transport.get('type').value === 'mqtt' || !transport.get('mqtt').missing)
      report(
        transport.path,
        'fronts have no clients of MQTT on their sockets (allowed: a transport of the router worker, or the path service "mqtt")',
      );
  }
}

/** Realms of workers with processes of their own. */
function checkRealms(proxy: Place, context: RuleContext): void {
  const { apart, target } = frontOf(proxy, context);
  const { report } = context;
  if (proxy.get('instances').missing && target !== undefined && isApart(target)) {
    report(
      proxy.path,
      `leads to ${pointer(target)}, which has a process of its own (allowed: with "instances", or a router worker without "process")`,
    );
  }
  for (const routes of routesByRealm(proxy).values()) {
    const [first, other] = workersOf(routes, proxy, context);
    const [route] = routes;
    if (first === undefined || other === undefined || route === undefined) continue;
    report(
      route.place.path.slice(0, -1),
      `found routes to ${pointer(first)} and ${pointer(other)} (allowed: one router worker for each realm)`,
    );
  }
  for (const transport of proxy.get('transports').items()) checkServices(transport, apart, context);
}

/** The process of the node answers requests of HTTP, and does not have these realms. */
function checkServices(place: Place, apart: ReadonlyMap<string, Place>, context: RuleContext): void {
  for (const service of place.get('paths').entries()) {
    const realm = service.get('realm');
    const worker = apart.get(realm.text() ?? '');
    if (worker !== undefined)
      context.report(
        realm.path,
        `found a realm of ${pointer(worker)}, which has a process of its own: its web services are those of its own transports (allowed: a realm of a router worker without "process")`,
      );
    checkServices(service, apart, context);
  }
  const web = place.get('web');
  if (!web.missing) checkServices(web, apart, context);
}

function checkRoutes(proxy: Place, context: RuleContext): void {
  const { realms, report, note } = context;
  const known = proxy
    .get('connections')
    .entries()
    .map(({ path }) => quote(path.at(-1) ?? ''));
  const { target } = frontOf(proxy, context);
  for (const { realm, role, place, names } of routesOf(proxy)) {
    for (const name of names) {
      if (!proxy.at('connections', name.text() ?? '').missing) continue;
      report(
        name.path,
        `there is no connection ${quote(name.text() ?? '')} (allowed: ${known.join(', ') || 'none, there are none yet'})`,
      );
    }
    if (target === undefined) continue;
    const there = realms.filter((place) => place.get('name').value === realm);
    const roles = there.flatMap((place) =>
      place
        .get('roles')
        .items()
        .map((one) => one.get('name').value),
    );
    if (!roles.includes(role) && !(there.length > 0 && role === TRUSTED_ROLE))
      note(
        place.path,
        `${pointer(workersOf([{ realm, role, place, names }], proxy, context)[0] ?? target)} has no realm ${quote(realm)} with a role ${quote(role)}, so such clients are refused`,
      );
  }
}

function checkConnection(connection: Place, proxy: Place, context: RuleContext): void {
  const endpoint = connection.at('transport', 'endpoint');
  if (!endpoint.isObject) return;
  const worker = workerBehind(connection, context);
  const { target } = frontOf(proxy, context);
  const hasFronts = !proxy.get('instances').missing;
  if (worker === undefined) {
    context.report(endpoint.path, `no router worker of this config listens there (${INSTEAD})`);
  } else if (worker.path[1] !== target?.path[1] && !(hasFronts && isApart(worker))) {
    const allowed = `allowed: one router worker for all routes; put the realms of ${pointer(worker)} into it, or give it a process of its own and the proxy worker "instances"`;
    context.report(
      endpoint.path,
      `leads to ${pointer(worker)}, other routes to ${pointer(target ?? worker)} (${allowed})`,
    );
  }
}

/** Crossbar.io lets the system choose among the processes, for each connection anew. */
function noteSilent(transport: Place, other: Place | undefined, { note, workers }: RuleContext): void {
  if (other === undefined) return;
  const isEqual = contentOf(transport, workers) === contentOf(other, workers);
  const end = isEqual ? '' : ': what is different here has no effect, neither of the transport nor of the routes';
  note(transport.path, `has the address of ${pointer(other)}, which listens for both${end}`);
}

function contentOf({ value, path }: Place, workers: readonly Place[]): string {
  const routes = workers[Number(path[1])]?.get('routes').value;
  return JSON.stringify([routes, { ...(value as object), id: undefined }]);
}

function pointer({ path }: Place): string {
  return `/${path.join('/')}`;
}

function quote(word: string): string {
  return JSON.stringify(word);
}
