/**
 * What strangers may learn and do where browsers have cookies. The `authid` of an anonymous visitor may be the id of their
 * cookie, as in Crossbar.io. Anyone who reads it can come back as that visitor. So there is a warning where clients without
 * authentication may read the `authid`s of others, or end their sessions; and, with or without cookies, where they may use the
 * monitor.
 */
import { WITHOUT_AUTH } from '../../auth/schema.js';
import { intersects } from '../../router/pattern-relations.js';
import type { Pattern } from '../../router/pattern-relations.js';
import { Role } from '../../router/role.js';
import { mayManage } from '../../router/authorize.js';
import type { Action } from '../../router/permission.js';
import type { PermissionConfig } from '../../router/schema.js';
import { WampError } from '../../wamp/error.js';
import { Cursor } from '../cursor.js';
import { behindFronts } from '../places.js';
import type { Entrance, NodePlaces, WorkerPlaces } from '../places.js';
import { isDecided, patternAt } from '../permissions.js';
import { authidOf, passwordCookies } from '../password-cookies.js';
import type { CheckRulesContext } from './context.js';
import { quote } from '../schema-words.js';
import type { Report } from '../../schema/rules.js';

/** They show the `authid`s of others. */
const SHOWING: readonly (readonly [Action, string])[] = [
  ['call', 'wamp.session.get'],
  ['subscribe', 'wamp.session.on_join'],
  ['subscribe', 'wamp.session.on_leave'],
];

/** They end the sessions of others, and log them out with the reason `wamp.close.logout`. */
const ENDING: readonly (readonly [Action, string])[] = [
  ['call', 'wamp.session.kill'],
  ['call', 'wamp.session.kill_by_authid'],
  ['call', 'wamp.session.kill_by_authrole'],
  ['call', 'wamp.session.kill_all'],
];

/** They take registrations and subscriptions away from others. */
const TAKING: readonly (readonly [Action, string])[] = [
  ['call', 'wamp.registration.remove_callee'],
  ['call', 'wamp.subscription.remove_subscriber'],
];

/** They show the cookies of everybody, and revoke them. */
const MANAGING_COOKIES = [
  'crossbar.cookie.list',
  'crossbar.cookie.get',
  'crossbar.cookie.count',
  'crossbar.cookie.revoke',
  'crossbar.cookie.revoke_by_authid',
];

/** They end sessions of the node in any realm, and log users out. */
const ACTING = ['crossbar.monitor.session.end', 'crossbar.monitor.cookie.logout'];

/** They show all of the node. */
const WATCHING = [
  'crossbar.monitor.summary',
  'crossbar.monitor.sessions',
  'crossbar.monitor.topics',
  'crossbar.monitor.procedures',
  'crossbar.monitor.refusals',
  'crossbar.monitor.cookies',
  'crossbar.monitor.certificates',
];

/** They prolong the login of who calls, and give it a ticket. */
const FOR_ONESELF = ['crossbar.session.refresh', 'crossbar.ticket.issue'];

/** All procedures of the node that need a rule which names them. */
export const MANAGING = [...MANAGING_COOKIES, ...FOR_ONESELF, ...ACTING, ...WATCHING];

/** Warns of roles of strangers that may read the ids of cookies, end the sessions of visitors, or see the node as operators do. */
export function checkExposure(places: NodePlaces, { cbdir, warn }: CheckRulesContext): void {
  const passwords = passwordCookies(places, cbdir);
  for (const worker of behindFronts(places)) {
    const entrances = worker.entrances.flatMap(strangersAt);
    const tracked = entrances.filter(({ cookie }) => cookie.isObject);
    const calling = entrances.filter(mayCall);
    for (const realm of worker.realms) {
      const callers = rolesOf(calling, realm);
      for (const role of callers) checkMonitor(role, warn);
      const visited = tracked.filter((entrance) => leadsTo(entrance, realm));
      if (visited.length === 0) continue;
      const strangers = rolesOf(entrances, realm);
      const named = visited.find(({ section, cookie }) => {
        return section.get('authid').missing && authidOf(cookie, passwords) === 'cookie';
      });
      const shown = named && pointer(named.cookie);
      if (realm.at('options', 'enable_meta_api').value !== false) {
        const called = new Set(callers.map((role) => role.get('name').value));
        for (const role of strangers) checkMeta(role, called.has(role.get('name').value), shown, warn);
      }
      if (named === undefined) continue;
      const liveCookies = rolesOf([named], realm);
      // Who cannot call is not told of publishers either.
      for (const role of liveCookies) checkDisclosure(role, callers, pointer(named.cookie), warn);
    }
  }
}

/** The roles of a realm that strangers get at any entrance of the worker where they may call and register. */
export function strangerRolesOf({ entrances }: WorkerPlaces, realm: Cursor): Cursor[] {
  return rolesOf(entrances.filter(mayCall).flatMap(strangersAt), realm);
}

function mayCall({ calls }: Entrance): boolean {
  return calls !== false;
}

function checkMeta(role: Cursor, calls: boolean, shownBy: string | undefined, warn: Report): void {
  const rules = rulesOf(role);
  const showing = SHOWING.find(([action, uri]) => (calls || action !== 'call') && isAllowed(rules, action, uri));
  const who = `strangers get this role, and may`;
  const cure = 'give it the rule { "uri": "wamp.*", "allow": {} }, or rules that leave "wamp." out';
  if (showing !== undefined && shownBy !== undefined) {
    const [action, uri] = showing;
    const doing = action === 'call' ? 'call' : 'subscribe to';
    warn(
      role.path,
      `${who} ${doing} ${quote(uri)}, which shows the authid of visitors: by ${shownBy} that is the id of their cookie, with which anybody comes back as them (set "authid": "derived" there, or ${cure})`,
    );
  }
  if (!calls) return;
  const ending = ENDING.find(([action, uri]) => isAllowed(rules, action, uri));
  const taking = TAKING.find(([action, uri]) => isAllowed(rules, action, uri));
  if (ending !== undefined) {
    warn(role.path, `${who} call ${quote(ending[1])}, which ends the sessions of others and logs them out (${cure})`);
  } else if (taking !== undefined) {
    const text = 'which takes registrations and subscriptions away from others';
    warn(role.path, `${who} call ${quote(taking[1])}, ${text} (${cure})`);
  }
  const managing = MANAGING_COOKIES.find((uri) => mayManage(rules, uri));
  if (managing !== undefined) {
    const text = 'which manages the cookies of everybody';
    warn(role.path, `${who} call ${quote(managing)}, ${text} (give that rule to a role of yours)`);
  }
}

/** The monitor shows all realms, whatever the realm, and whether or not browsers have cookies. */
function checkMonitor(role: Cursor, warn: Report): void {
  const rules = rulesOf(role);
  const who = 'strangers get this role, and may call';
  const cure = 'give that rule to a role of yours, which operators get by a login';
  const acting = ACTING.find((uri) => mayManage(rules, uri));
  const watching = WATCHING.find((uri) => mayManage(rules, uri));
  if (acting !== undefined) {
    warn(role.path, `${who} ${quote(acting)}, by which operators end the sessions of everybody (${cure})`);
  }
  if (watching !== undefined) {
    const text = 'which shows operators the users, addresses and topics of all realms';
    warn(role.path, `${who} ${quote(watching)}, ${text} (${cure})`);
  }
}

/** Whether everything is allowed. */
function isOpen(role: Cursor): boolean {
  return role.get('allow-by-default').value === true && !isDecided(role);
}

/** The rules of a role, as the router has them. */
export function rulesOf(role: Cursor): Role {
  return new Role({
    name: role.get('name').text() ?? '',
    permissions: permissionsOf(role).map(({ config }) => config),
    'allow-by-default': isOpen(role),
  });
}

/** A rule that discloses shows its callers and publishers to all who may register or subscribe there. */
function checkDisclosure(liveCookie: Cursor, strangers: readonly Cursor[], shownBy: string, warn: Report): void {
  for (const { place, pattern, config } of permissionsOf(liveCookie)) {
    for (const [key, does, action] of DISCLOSING) {
      if (config.disclose?.[key] !== true || config.allow?.[does] !== true) continue;
      if (!strangers.some((role) => mayReceive(role, action, pattern))) continue;
      warn(
        place.at('disclose', key).path,
        `strangers who may ${action} there are shown the authid of visitors: by ${shownBy} that is the id of their cookie, with which anybody comes back as them (set "authid": "derived" there, or disclose nothing here)`,
      );
    }
  }
}

const DISCLOSING = [
  ['caller', 'call', 'register'],
  ['publisher', 'publish', 'subscribe'],
] as const;

function mayReceive(role: Cursor, action: 'register' | 'subscribe', shown: Pattern): boolean {
  if (isOpen(role)) return true;
  return permissionsOf(role).some(
    ({ pattern, config }) => config.allow?.[action] === true && intersects(pattern, shown),
  );
}

/** A place where clients get in without authentication. */
interface OpenEntrance extends Entrance {
  /** The section that lets them in; on undefined where there is no `auth` at all. */
  readonly section: Cursor;
  readonly realm: string | undefined;
  readonly role: string;
}

/**
 * Where strangers get in. Transports on loopback, on socket files, and those that ask for a certificate are for programs of the
 * operator, unless they have cookies: then they are behind a proxy. Roles that an authenticator gives are not in the config.
 */
function strangersAt(entrance: Entrance): OpenEntrance[] {
  const { place, cookie, transport, open } = entrance;
  if (isForPrograms(transport.get('endpoint')) && !cookie.isObject) return [];
  const given = WITHOUT_AUTH.anonymous.role;
  // Of a place where the config says where clients go.
  const named = place.get('realm').text();
  if (place.get('auth').entries().length === 0) {
    return [{ ...entrance, section: new Cursor(undefined), realm: named, role: given }];
  }
  return open
    .filter(({ schema }) => schema.letsIn === 'anybody')
    .map(({ place: section }) => {
      const realm = section.get('realm').text() ?? named;
      return { ...entrance, section, realm, role: section.get('role').text() ?? given };
    });
}

function isForPrograms(endpoint: Cursor): boolean {
  const address = endpoint.get('interface').text() ?? '';
  return (
    endpoint.get('type').value === 'unix' ||
    /^127\.|^::1$|^localhost$/.test(address) ||
    endpoint.at('tls', 'ca_certificates').items().length > 0
  );
}

function leadsTo({ realm, role }: OpenEntrance, target: Cursor): boolean {
  return (
    (realm === undefined || realm === target.get('name').value) &&
    target
      .get('roles')
      .items()
      .some((place) => place.get('name').value === role)
  );
}

/** @returns the roles of a realm that the entrances give, each once. A role with an authorizer is left out: it has no rules. */
function rolesOf(entrances: readonly OpenEntrance[], realm: Cursor): Cursor[] {
  const names = new Set(entrances.filter((entrance) => leadsTo(entrance, realm)).map(({ role }) => role));
  return realm
    .get('roles')
    .items()
    .filter((role) => names.has(role.get('name').text() ?? '') && role.get('authorizer').missing);
}

interface WrittenPermission {
  readonly place: Cursor;
  readonly pattern: Pattern;
  readonly config: PermissionConfig;
}

/** @returns the rules of a role whose pattern is valid: the schema check may have failed. */
function permissionsOf(role: Cursor): WrittenPermission[] {
  return role
    .get('permissions')
    .items()
    .flatMap((place): WrittenPermission[] => {
      const pattern = patternAt(place);
      if (pattern === undefined) return [];
      const [allow, disclose] = [flagsOf(place.get('allow')), flagsOf(place.get('disclose'))];
      return [{ place, pattern, config: { ...pattern, allow, disclose } }];
    });
}

function flagsOf(place: Cursor): Readonly<Record<string, boolean>> {
  return Object.fromEntries(place.entries().map(({ path, value }) => [path.at(-1) ?? '', value === true]));
}

/** @returns whether a role may take an action on a URI. */
export function isAllowed(role: Role, action: Action, uri: string): boolean {
  try {
    return role.authorize(action, uri)[action];
  } catch (error) {
    if (error instanceof WampError) return false;
    throw error;
  }
}

function pointer({ path }: Cursor): string {
  return `/${path.join('/')}`;
}
