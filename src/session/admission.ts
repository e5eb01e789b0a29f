/**
 * From a HELLO to a verdict: who may enter. Picks the authentication method, and checks its verdict against the realms and
 * roles that exist. Holds no state.
 */
import { ErrorUri } from '../wamp/error.js';
import { isValidUri, quoted } from '../wamp/uri.js';
import { AUTH_URIS, deny } from '../auth/verdict.js';
import type { AuthContext, AuthMethodLookup, ClientInfo, Deny, Principal, Verdict } from '../auth/method.js';
import type { AuthUris } from '../auth/method.js';
import type { Lease } from '../auth/lease.js';
import { realmOf, roleOf } from '../router/access.js';
import type { RealmAccess, RouterAccess } from '../router/access.js';
import type { Role } from '../router/role.js';
import type { Hello } from '../wamp/message.js';
import type { Dict } from '../wamp/payload.js';
import type { SessionDeps } from './deps.js';

/** An accepted principal, with what its realm and role mean on this router. */
export interface Admission {
  readonly type: 'admit';
  readonly principal: Principal;
  readonly realm: RealmAccess;
  readonly role: Role;
  /** See {@link Accept.proof}. */
  readonly proof: Dict | undefined;
  /** See {@link Accept.lease}. */
  readonly lease: Lease | undefined;
}

/** Which method is asked, or was asked last; none is where nothing came of all of them. */
export interface Asking {
  method?: string | undefined;
}

/** The realm that methods are told where the client names none. No config can have it. */
const NO_REALM = '';

/** The `authprovider` of principals that are in the config: not of what an authenticator answers or a cookie remembers. */
const CONFIGURED = 'static';

/** A client that offers no methods is anonymous (as with Crossbar.io, also for an empty list). */
const NO_METHODS_OFFERED = ['anonymous'];

/**
 * Asks the methods of the client's list that the transport has, in that order, until one has something to say; unknown
 * names are passed over. A ticket of the handshake comes first, and then `cookie` wherever it stands: a client that needs no
 * question is asked none.
 */
export function authenticate(
  { realm: named, details }: Hello,
  { authMethods, authUris = AUTH_URIS.crossbar }: Pick<SessionDeps, 'authMethods' | 'authUris'>,
  context: AuthContext,
  asking: Asking = {},
): Verdict | Promise<Verdict> {
  if (named !== undefined && !isValidUri(named, 'loose')) {
    return deny(ErrorUri.INVALID_URI, `${quoted(named)} is not a valid realm URI`);
  }
  const realm = named ?? NO_REALM;
  const { authmethods = [] } = details;
  const offered = authmethods.length === 0 ? NO_METHODS_OFFERED : authmethods;
  // Those of now: while one of them thinks, the config may change.
  const methods = authMethods.current ?? authMethods;
  const names = inOrder(offered, methods, context.client);
  return askFrom(0, { names, offered, realm, details, methods, authUris, context, asking });
}

/** What is asked of one method after the other. */
interface Round {
  readonly names: readonly string[];
  readonly offered: readonly string[];
  readonly realm: string;
  readonly details: Hello['details'];
  readonly methods: AuthMethodLookup;
  readonly authUris: AuthUris;
  readonly context: AuthContext;
  readonly asking: Asking;
}

/** Not an async function: most clients are let in by the first method, at once. */
function askFrom(first: number, round: Round): Verdict | Promise<Verdict> {
  const { names, realm, details, methods, context, asking } = round;
  const { authid, authextra } = details;
  for (let index = first; index < names.length; index++) {
    const authmethod = names[index] ?? '';
    const method = methods.get(authmethod);
    if (method === undefined) continue;
    asking.method = authmethod;
    const answer = method.start({ realm, authmethod, authid, authextra }, context);
    if (answer instanceof Promise) {
      return answer.then((verdict) => (verdict.type === 'pass' ? askFrom(index + 1, round) : verdict));
    }
    if (answer.type !== 'pass') return answer;
  }
  asking.method = undefined;
  return noneLeft(round.offered, round.authUris);
}

function noneLeft(offered: readonly string[], { noMethod, required }: AuthUris): Deny {
  const names = offered.slice(0, 10).map(quoted).join(', ');
  const reason = offered.every((name) => name === 'anonymous') ? required : noMethod;
  return deny(reason, `cannot authenticate using any of the offered authmethods ${names}`);
}

/** Names of methods that the transport does not have may be among them. */
function inOrder(offered: readonly string[], methods: AuthMethodLookup, client: ClientInfo): readonly string[] {
  const presents = isPresented(methods, client);
  const hasCookie = offered.includes('cookie');
  if (!presents && !hasCookie && offered.length === 1) return offered;
  return [...new Set([...(presents ? ['ticket'] : []), ...(hasCookie ? ['cookie'] : []), ...offered])];
}

/** Whether the client came with a ticket in its handshake: no other method has one there. */
function isPresented(methods: AuthMethodLookup, client: ClientInfo): boolean {
  return client.query !== undefined && methods.get('ticket')?.isPresented?.(client) === true;
}

/** Looks up the realm and the role of an accepted principal. */
export function admit(
  { principal, proof, lease }: Pick<Admission, 'principal'> & Partial<Pick<Admission, 'proof' | 'lease'>>,
  router: RouterAccess,
): Admission | Deny {
  if (principal.realm === NO_REALM) {
    return deny(ErrorUri.NO_SUCH_REALM, 'the client names no realm, and nothing here names one for it');
  }
  const realm = realmOf(router, principal.realm);
  if (realm === undefined) {
    return deny(ErrorUri.NO_SUCH_REALM, `no realm ${quoted(principal.realm)} exists on this router`);
  }
  const role = roleOf(router, principal.realm, principal.authrole);
  if (role === undefined) {
    return deny(ErrorUri.NO_SUCH_ROLE, `realm ${quoted(principal.realm)} has no role "${principal.authrole}"`);
  }
  if (role.isBuiltIn && principal.authprovider !== CONFIGURED) {
    return deny(ErrorUri.NO_SUCH_ROLE, `role "${role.name}" is for those only to whom the config gives it`);
  }
  return { type: 'admit', principal, realm, role, proof, lease };
}
