/**
 * Whether a client would still be let in as whom it was let in: asked of sessions that are open when the config has changed, and of
 * those that were under way. What an authenticator or a web application decided is theirs, and stands.
 */
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { CookieAuth, LoginFault } from '../cookie/store.js';
import type { AuthMethodLookup, Principal } from './method.js';

/** The `authprovider` of those whom an authenticator let in. */
const DECIDED_ELSEWHERE: readonly string[] = ['dynamic', 'function'];

/**
 * @param methods in force where the client came in.
 * @param liveCookie of the browser, if it has one.
 * @returns why it would not be let in any more as this principal; undefined when it would, or when the config does not say.
 */
export function faultOfPrincipal(
  principal: Principal,
  methods: AuthMethodLookup,
  liveCookie: LiveCookie | undefined,
): LoginFault | undefined {
  const { authmethod, authprovider, source } = principal;
  if (DECIDED_ELSEWHERE.includes(authprovider)) return undefined;
  const login = loginOf(principal);
  if (authprovider === 'cookie') {
    const cookie = methods.get('cookie');
    if (cookie !== undefined) return cookie.faultOf?.(login, liveCookie);
    if (source !== undefined) return liveCookie?.faultOf(login);
  }
  const method = methods.get(authmethod);
  if (authprovider === 'static' || authprovider === 'cookie') {
    if (method === undefined) return 'no such method';
    // An authenticator is asked instead: nobody is in the config any more.
    if (method.faultOf === undefined) return authprovider === 'static' ? 'no such principal' : undefined;
  }
  return method?.faultOf?.(login);
}

function loginOf(principal: Principal): CookieAuth {
  const { authid, authrole, authmethod, authprovider, realm: authrealm, credential } = principal;
  // The provider of a token is its issuer.
  const { source = { issuer: authprovider } } = principal;
  const login = { authid, authrole, authmethod, authrealm, authextra: null, source };
  return credential === undefined ? login : { ...login, credential };
}
