/**
 * May this session do what it asks for? First the URI: some are invalid, and some are the router's own. Then the rules of its
 * role decide, or the authorizer that was asked about the request. {@link decide} says it without a session, and why.
 */
import { ActionDenied, namelessRemark } from './permission.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import { invalidUriText, isReservedUri, isValidUri, quoted } from '../wamp/uri.js';
import type { Match, UriRule } from '../wamp/uri.js';
import type { Action, Permission } from './permission.js';
import type { Role } from './role.js';
import type { RouterSession } from './session.js';

/** @throws WampError when `uri` is not well-formed. */
export function checkUri(action: Action, uri: string, match: Match, uriRule: UriRule): void {
  if (isValidUri(uri, uriRule, match)) return;
  const isTopic = action === 'publish' || action === 'subscribe';
  const text = invalidUriText(isTopic ? 'topic' : 'procedure', uri, match);
  throw new WampError(ErrorUri.INVALID_URI, action === 'subscribe' ? `${text} (match ${match})` : text);
}

/**
 * To be called for what nobody but the router publishes or registers.
 * @param isManaged whether the router itself answers calls of `uri`, beyond those of the specification.
 * @throws WampError
 */
export function checkReserved(uri: string, isManaged = false): void {
  if (!isReservedUri(uri) && !isManaged) return;
  throw new WampError(ErrorUri.INVALID_URI, `${quoted(uri)} is reserved for the router`);
}

/**
 * Authorizes a request. A pattern is allowed when every URI that it can match is.
 * @param granted the answer of an authorizer, for sessions whose role has one; else the rules of the role decide.
 * @returns the rule or answer that allows it, which also says who is disclosed.
 * @throws ActionDenied, or the reason why the authorizer did not answer.
 */
export function authorize(
  { role }: Pick<RouterSession, 'role'>,
  action: Action,
  uri: string,
  match: Match,
  granted?: Permission,
): Permission {
  if (granted === undefined) {
    return match === 'exact' ? role.authorize(action, uri) : role.authorizePattern(action, { uri, match });
  }
  if (!granted[action]) throw granted.failure ?? new ActionDenied(role, { action, uri, match, permission: granted });
  return granted;
}

/**
 * To be called for a procedure that manages the node.
 * @param permission what allows the call.
 * @throws ActionDenied when it does not name the procedure.
 */
export function checkNamed({ role }: Pick<RouterSession, 'role'>, procedure: string, permission: Permission): void {
  if (isNamed(procedure, permission)) return;
  const remark = namelessRemark(procedure, permission);
  throw new ActionDenied(role, { action: 'call', uri: procedure, match: 'exact', permission, remark });
}

/**
 * Whether the rule that decides names the procedure well enough. What does something to others has a name space of its own below
 * that of what only shows (`crossbar.monitor.session.end`), and a rule has to name that one.
 */
function isNamed(procedure: string, { namesManagement, decidedBy }: Permission): boolean {
  const below = procedure.slice(0, procedure.lastIndexOf('.') + 1);
  const isDeep = below.split('.').length > 3;
  return namesManagement && (!isDeep || (typeof decidedBy === 'object' && decidedBy.uri.startsWith(below)));
}

/** @returns whether a role may call a procedure that manages the node. */
export function mayManage(role: Role, procedure: string): boolean {
  const permission = role.ruleFor(procedure);
  return role.authorizer === undefined && permission.call && isNamed(procedure, permission);
}

/** An action on a URI, or on a pattern to register or subscribe to. */
export interface AskedAction {
  readonly action: Action;
  readonly uri: string;
  readonly match: Match;
}

/** What a realm says beside the rules of its roles. */
export interface RealmChecks {
  readonly uriRule: UriRule;
  /** Whether the router itself answers calls of this procedure, for roles with a rule that names it. */
  readonly isManaged: (procedure: string) => boolean;
  /** Throws when the role may not register a procedure that decides about others. */
  readonly checkRegistration: (role: Role, asked: Pick<AskedAction, 'uri' | 'match'>) => void;
}

/** What the router says, and what it asked. */
export interface Decision {
  /** What was asked, the most specific rule first: the last one decides. Empty when the URI was refused before, or by an authorizer. */
  readonly asked: readonly Permission[];
  /** What the client hears; undefined when the action is allowed. */
  readonly error: WampError | undefined;
}

/** An authorizer that allows everything. */
const ANSWER: Permission = {
  decidedBy: 'authorizer',
  call: true,
  register: true,
  publish: true,
  subscribe: true,
  discloseCaller: false,
  disclosePublisher: false,
  namesManagement: false,
};

/**
 * For those who want to know beforehand. Broker and dealer make the same checks in the same order, and refuse some requests later:
 * when another session has the procedure, or the session has too much already.
 * @returns what the router says to an action. For a role with an authorizer: what it says at best.
 */
export function decide(role: Role, { action, uri, match }: AskedAction, checks: RealmChecks): Decision {
  const { uriRule, isManaged, checkRegistration } = checks;
  const granted = role.authorizer === undefined ? undefined : ANSWER;
  let asked: readonly Permission[] = [];
  try {
    checkUri(action, uri, match, uriRule);
    if (action === 'publish') checkReserved(uri);
    if (action === 'register') checkReserved(uri, isManaged(uri));
    if (granted === undefined) asked = match === 'exact' ? [role.ruleFor(uri)] : role.rulesFor(action, { uri, match });
    const permission = authorize({ role }, action, uri, match, granted);
    if (action === 'call' && isManaged(uri)) checkNamed({ role }, uri, permission);
    if (action === 'register') checkRegistration(role, { uri, match });
  } catch (error) {
    if (!(error instanceof WampError)) throw error;
    return { asked, error };
  }
  return { asked, error: undefined };
}
