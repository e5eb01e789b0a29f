/** May this session do what it asks for? The rules of its role decide, or the authorizer that was asked about the request. */
import { notAuthorized } from './role.js';
import type { Match } from '../wamp/uri.js';
import type { Action, Permission } from './role.js';
import type { RouterSession } from './session.js';

/**
 * Authorizes a request. A pattern is allowed when every URI that it can match is.
 * @param granted the answer of an authorizer, for sessions whose role has one; else the rules of the role decide.
 * @returns the rule or answer that allows it, which also says who is disclosed.
 * @throws WampError `wamp.error.not_authorized`, or the reason why the authorizer did not answer.
 */
export function authorize(
  session: RouterSession,
  action: Action,
  uri: string,
  match: Match,
  granted?: Permission,
): Permission {
  if (granted === undefined) {
    const { role } = session;
    return match === 'exact' ? role.authorize(action, uri) : role.authorizePattern(action, { uri, match });
  }
  if (!granted[action]) throw granted.failure ?? notAuthorized(session.role.name, action, uri);
  return granted;
}
