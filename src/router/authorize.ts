/**
 * The question before every request: may this session do it? The rules are those of its role, unless an authorizer was
 * asked.
 */
import { notAuthorized } from './role.js';
import type { Match } from '../wamp/uri.js';
import type { Action, Permission } from './role.js';
import type { RouterSession } from './session.js';

/**
 * Whether a session may do what it asks for; with a pattern, on everything that it can match.
 * @param granted what an authorizer said, for sessions whose role has one; else the role's rules decide.
 * @throws WampError `wamp.error.not_authorized`, or what kept the authorizer from answering.
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
