/**
 * The rules between keys that a schema cannot express: names that must be unique, values that exclude each other. The schema
 * check may have failed: the rules accept any value, and leave to the schema what it can check.
 */
import { resolve } from 'node:path';

import { patternOf } from '../../router/role.js';
import { WITHOUT_AUTH } from '../../auth/schema.js';
import type { RuleContext } from '../../schema/rules.js';
import { checkCookies } from './cookies.js';
import { Cursor } from '../cursor.js';
import { checkDeciders } from './deciders.js';
import { checkDemoUsers } from './demo-users.js';
import { portsIn } from '../environment.js';
import { checkExposure } from './exposure.js';
import { checkOriginLists } from './origins.js';
import { listeningTransports, privateFilesOf, transportsOf } from '../places.js';
import type { Entrance, NodePlaces, WorkerPlaces } from '../places.js';
import type { SchemaTree } from '../walk.js';
import { checkMessageSizes } from './message-sizes.js';
import { checkPorts } from './ports.js';
import { checkProcesses } from './processes.js';
import { checkReferences, checkSecrets, leadsNowhere } from './references.js';
import { quote } from '../schema-words.js';
import { findSecret } from '../secrets.js';
import type { CheckRulesContext } from './context.js';

/** Checks every rule. */
export function checkRules(places: NodePlaces, tree: SchemaTree, context: CheckRulesContext): void {
  const { workers } = places;
  checkNode(places, context);
  unique(
    workers.map(({ worker }) => worker),
    'id',
    'worker',
    context,
  );
  const privateFiles = once(() => privateFilesOf(places));
  const around = { privateFiles, node: places.node, workers: workers.map(({ worker: place }) => place) };
  checkMarked({ realms: [], front: undefined, marked: places.marked }, around, context);
  checkSecrets(places.marked, context);
  for (const worker of workers) {
    checkWorker(worker, context);
    checkReferences(worker, context);
    checkMarked(worker, around, context);
  }
  checkPorts(places, tree, context);
  checkProcesses(places, context);
  checkMessageSizes(places.node, tree, context);
  checkSocketFiles(listeningTransports(places), context);
  checkCookies(places, context);
  checkOriginLists(places, context);
  checkExposure(places, context);
  checkDemoUsers(places, context);
  checkDeciders(places, context);
}

function checkNode({ node, workers }: NodePlaces, { note }: CheckRulesContext): void {
  const lists = [node.get('workers'), ...workers.map(({ worker }) => worker.get('transports'))];
  const judged = node.isObject && lists.every((list) => list.missing || Array.isArray(list.value));
  if (judged && transportsOf(node).length === 0) {
    note(node.get('workers').path, 'no worker has a transport, so nobody can connect');
  }
}

function checkWorker(
  { realms, front, transports, components, entrances }: WorkerPlaces,
  context: CheckRulesContext,
): void {
  const own = front === undefined ? realms : [];
  unique(own, 'id', 'realm', context);
  unique(own, 'name', 'realm', context);
  unique(transports, 'id', 'transport', context);
  unique(components, 'id', 'component', context);
  for (const realm of own) checkRealm(realm, context);
  if (!leadsNowhere({ front })) for (const entrance of entrances) warnWithoutRole(entrance, realms, context);
}

/** Applies the `rules` of schemas. */
function checkMarked(
  { realms, front, marked }: Pick<WorkerPlaces, 'realms' | 'front' | 'marked'>,
  node: Pick<RuleContext, 'privateFiles' | 'workers' | 'node'>,
  context: CheckRulesContext,
): void {
  const { report, warn, note, cbdir, realPath } = context;
  const secretAt: RuleContext['secretAt'] = ({ value, path }) => findSecret(new Cursor(value, path), context)?.secret;
  const around = { realms, apart: front?.apart ?? NONE_APART, secretAt, portOf: portsIn(context.env) };
  const shared = { ...node, ...around, report, warn, note, cbdir, realPath };
  for (const { place, schema, inForce } of marked) {
    schema.rules?.(place, { ...shared, inForce: (key) => inForce.get(key) ?? NOTHING });
  }
}

const NOTHING = new Cursor(undefined);

const NONE_APART: RuleContext['apart'] = new Map();

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Without `auth` all clients get one role: some realm should have it, and where the place names a realm, that one. */
function warnWithoutRole({ place, by }: Entrance, realms: readonly Cursor[], { warn }: CheckRulesContext): void {
  const given = WITHOUT_AUTH.anonymous.role;
  if (place.get('auth').entries().length > 0) return;
  const named = place.get('realm').text();
  const reached = realms.filter((realm) => named === undefined || realm.get('name').value === named);
  const roles = reached.flatMap((realm) => realm.get('roles').items());
  if (roles.some((role) => role.get('name').value === given)) return;
  const which = named === undefined ? 'no realm of the worker' : `no realm ${quote(named)} of the worker`;
  warn(place.path, `clients of this ${by} get the role ${quote(given)}, but ${which} has it`);
}

function checkRealm(realm: Cursor, context: CheckRulesContext): void {
  const roles = realm.get('roles');
  unique(roles.items(), 'name', 'role', context);
  if (Array.isArray(roles.value) && roles.value.length === 0) {
    context.warn(realm.path, `realm ${name(realm)} has no roles, so nobody can join it`);
  }
  for (const role of roles.items()) {
    checkRole(role, context);
    for (const permission of role.get('permissions').items()) checkPermission(permission, context);
  }
}

/** A role has `permissions` or an `authorizer`; only without them `allow-by-default` counts, as with Crossbar.io. */
function checkRole(role: Cursor, { report, note }: CheckRulesContext): void {
  const provider = role.get('authorizer-callee-role');
  if (!provider.missing && role.get('authorizer').missing) {
    report(provider.path, 'found without "authorizer" (allowed: both, or none of them)');
  }
  const deciding = ['permissions', 'authorizer'].filter((key) => !role.get(key).missing);
  const open = role.get('allow-by-default');
  if (open.value === true && deciding[0] !== undefined) {
    note(open.path, `found true beside ${quote(deciding[0])}, which decides alone: it has no effect`);
  }
  if (deciding.length === 2) {
    report(role.get('authorizer').path, 'found beside "permissions" (allowed: only one of the two)');
  }
}

/** Where `match` says how to compare, an asterisk is a character like any other; else it stands for a whole component. */
function checkPermission(permission: Cursor, { warn }: CheckRulesContext): void {
  const place = permission.get('uri');
  const uri = place.text() ?? '';
  const match = permission.get('match');
  const word = match.text();
  if (!uri.includes('*')) return;
  if (word === 'exact' || word === 'wildcard') {
    const meant =
      uri.indexOf('*') === uri.length - 1 ? 'did you mean "prefix"?' : 'leave "match" out to make a wildcard of it';
    warn(match.path, `found ${quote(word)} beside ${quote(uri)}, where "*" stands for itself; ${meant}`);
    return;
  }
  const { uri: read, match: found } = patternOf(uri, undefined);
  const isPart = uri.split('.').some((component) => component !== '*' && component.includes('*'));
  if (match.missing && found === 'wildcard' && isPart) {
    warn(
      place.path,
      `${quote(uri)} is the wildcard ${quote(read)}: "*" stands for a whole component, not for a part of one`,
    );
  }
}

function checkSocketFiles(transports: readonly Cursor[], { cbdir, report }: CheckRulesContext): void {
  const taken = new Map<string, Cursor>();
  for (const transport of transports) {
    const path = transport.at('endpoint', 'path');
    const file = path.text();
    if (file === undefined) continue;
    const other = taken.get(resolve(cbdir, file));
    if (other === undefined) taken.set(resolve(cbdir, file), transport);
    else report(path.path, `${quote(file)} is taken by /${other.path.join('/')} (allowed: another path)`);
  }
}

/** Reports each place where `key` has a word that another place has already. */
function unique(places: readonly Cursor[], key: string, what: string, { report }: CheckRulesContext): void {
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
