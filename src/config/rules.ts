/**
 * The rules between keys that no schema can tell: names that must be unique or known, values that exclude each other.
 * They look at configs that may be wrong elsewhere, and say nothing about what the schema check says already.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';

import { checkAuth, checkGrant, checkSecret } from './auth-rules.js';
import { checkCookies } from './cookie-rules.js';
import type { Cursor } from './cursor.js';
import { quote } from './schema-words.js';
import { resolvePort } from './environment.js';
import { checkOriginLists } from './origin-rules.js';
import { checkDeciders } from './decider-rules.js';
import { checkExposure } from './exposure-rules.js';
import type { SecretContext } from './secrets.js';
import type { Path } from './source.js';
import { checkStaticDirectories } from './static-rules.js';
import type { RealPath } from './static-rules.js';
import { isUniversal, secretsOf, transportsOf, wampPlacesOf, workersOf } from './places.js';

export type Report = (path: Path, text: string) => void;

export interface RuleContext extends SecretContext {
  /** Says that something is wrong with the value at `path`. */
  readonly report: Report;
  /** Says that something is probably not meant. */
  readonly warn: Report;
  readonly realPath: RealPath;
}

/** Checks every rule. */
export function checkRules(node: Cursor, context: RuleContext): void {
  checkNode(node, context);
  unique(workersOf(node), 'id', 'worker', context);
  for (const worker of workersOf(node)) checkWorker(worker, context);
  checkPorts(node, context);
  checkSocketFiles(node, context);
  checkCookies(node, context);
  checkOriginLists(node, context);
  checkStaticDirectories(node, context);
  checkExposure(node, context);
  checkDeciders(node, context);
  for (const { holder, key } of secretsOf(node)) checkSecret(holder.get(key), context);
}

function checkNode(node: Cursor, { report }: RuleContext): void {
  const lists = [node.get('workers'), ...workersOf(node).map((worker) => worker.get('transports'))];
  const judged = node.isObject && lists.every((list) => list.missing || Array.isArray(list.value));
  if (judged && transportsOf(node).length === 0) {
    report(
      node.get('workers').path,
      'no worker has a transport, so nobody could connect (allowed: one transport or more)',
    );
  }
}

function checkWorker(worker: Cursor, context: RuleContext): void {
  const realms = worker.get('realms').items();
  const transports = worker.get('transports').items();
  unique(realms, 'id', 'realm', context);
  unique(realms, 'name', 'realm', context);
  const components = worker.get('components').items();
  unique(transports, 'id', 'transport', context);
  unique(components, 'id', 'component', context);
  for (const realm of realms) checkRealm(realm, context);
  for (const transport of transports.filter(isUniversal)) checkUniversal(transport, context);
  for (const place of transports.flatMap((transport) => wampPlacesOf(transport))) checkAuth(place, realms, context);
  for (const component of components) {
    if (component.get('type').value === 'module') checkGrant(component, realms, context);
  }
}

function checkUniversal(transport: Cursor, { report }: RuleContext): void {
  const paths = [...transport.get('websocket').entries(), ...transport.at('web', 'paths').entries()];
  if (transport.get('rawsocket').missing && paths.length === 0) {
    report(
      transport.path,
      'nobody could connect (allowed: "rawsocket", "websocket" or "web" with paths, or several of them)',
    );
  }
  for (const { path } of transport.get('websocket').entries()) {
    const segment = path.at(-1) ?? '';
    const taken = transport.at('web', 'paths', segment);
    if (!taken.missing) report(path, `/${taken.path.join('/')} has this path already (allowed: another path)`);
  }
}

function checkRealm(realm: Cursor, context: RuleContext): void {
  const roles = realm.get('roles');
  unique(roles.items(), 'name', 'role', context);
  if (Array.isArray(roles.value) && roles.value.length === 0) {
    context.warn(realm.path, `realm ${name(realm)} has no roles, so nobody can join it`);
  }
  for (const role of roles.items()) {
    checkRole(role, roles.items(), context);
    for (const permission of role.get('permissions').items()) checkPermission(permission, context);
  }
}

/** One thing decides for a role, or nobody could tell which. */
function checkRole(role: Cursor, roles: readonly Cursor[], { report }: RuleContext): void {
  const provider = role.get('authorizer-callee-role');
  if (provider.text() !== undefined && !roles.some((other) => other.get('name').value === provider.value)) {
    report(provider.path, `the realm has no role ${quote(provider.text() ?? '')} (allowed: one of its roles)`);
  }
  if (!provider.missing && role.get('authorizer').missing) {
    report(provider.path, 'found without "authorizer" (allowed: both, or none of them)');
  }
  const deciding = ['permissions', 'authorizer'].filter((key) => !role.get(key).missing);
  const open = role.get('allow-by-default');
  if (open.value === true && deciding[0] !== undefined) {
    report(open.path, `found true beside ${quote(deciding[0])} (allowed: only one of the two)`);
  }
  if (deciding.length === 2) {
    report(role.get('authorizer').path, 'found beside "permissions" (allowed: only one of the two)');
  }
}

function checkPermission(permission: Cursor, { report }: RuleContext): void {
  const uri = permission.get('uri').text() ?? '';
  const match = permission.get('match');
  const word = match.text();
  if (uri.endsWith('*') && (word === 'exact' || word === 'wildcard')) {
    report(match.path, `found ${quote(word)} beside a "uri" that ends in "*" (allowed: "prefix", or leave it out)`);
  }
}

function checkPorts(node: Cursor, context: RuleContext): void {
  const taken: { readonly place: string; readonly endpoint: Cursor; readonly port: number }[] = [];
  for (const transport of transportsOf(node)) {
    const endpoint = transport.get('endpoint');
    checkAddress(endpoint, context);
    const port = resolvePort(endpoint.get('port').value, context.env);
    if (typeof port === 'object')
      context.report(endpoint.get('port').path, `${port.problem} (allowed: a port from 0 to 65535)`);
    if (typeof port !== 'number' || port === 0) continue;
    const other = taken.find((earlier) => earlier.port === port && overlap(earlier.endpoint, endpoint));
    if (other !== undefined)
      context.report(
        endpoint.get('port').path,
        `port ${port} is taken by ${other.place} (allowed: another port, or another interface)`,
      );
    taken.push({ place: `/${transport.path.join('/')}`, endpoint, port });
  }
}

function checkSocketFiles(node: Cursor, { cbdir, report }: RuleContext): void {
  const taken = new Map<string, Cursor>();
  for (const transport of transportsOf(node)) {
    const path = transport.at('endpoint', 'path');
    const file = path.text();
    if (file === undefined) continue;
    const other = taken.get(resolve(cbdir, file));
    if (other === undefined) taken.set(resolve(cbdir, file), transport);
    else report(path.path, `${quote(file)} is taken by /${other.path.join('/')} (allowed: another path)`);
  }
}

function checkAddress(endpoint: Cursor, { report }: RuleContext): void {
  const address = endpoint.get('interface').text();
  const version = endpoint.get('version');
  const actual = address === undefined ? 0 : isIP(address);
  if (actual !== 0 && version.number() !== undefined && version.value !== actual) {
    report(
      version.path,
      `found ${String(version.value)} beside the interface ${quote(address ?? '')} (allowed: ${actual})`,
    );
  }
}

function overlap(a: Cursor, b: Cursor): boolean {
  const [one, other] = [a.get('interface').text(), b.get('interface').text()];
  // All addresses of version 6 include those of version 4.
  if (ipVersion(a) !== ipVersion(b)) return isEverywhere(ipVersion(a) === 6 ? one : other);
  return one === other || isEverywhere(one) || isEverywhere(other);
}

function isEverywhere(address: string | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

function ipVersion(endpoint: Cursor): number {
  return endpoint.get('version').number() ?? (endpoint.get('interface').text()?.includes(':') === true ? 6 : 4);
}

/** Says where the same word stands twice under `key`. */
function unique(places: readonly Cursor[], key: string, what: string, { report }: RuleContext): void {
  const seen = new Set<string>();
  for (const place of places) {
    const word = place.get(key).text();
    if (word === undefined) continue;
    if (seen.has(word))
      report(place.get(key).path, `another ${what} has the ${key} ${quote(word)} already (allowed: each once)`);
    seen.add(word);
  }
}

function name(place: Cursor): string {
  return quote(place.get('name').text() ?? '');
}
