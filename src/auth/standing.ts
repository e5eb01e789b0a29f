/**
 * Whether a client would still be let in as whom it was let in: asked of sessions that are open when the config has changed, of those that
 * were under way, and of logins that cookies remember. This is the one place that decides; what it asks a method is its `faultOf`.
 *
 * | the client came in                         | it is outdated when                                                              |
 * | ------------------------------------------ | -------------------------------------------------------------------------------- |
 * | in any way                                 | its method is gone                                                               |
 * | as a principal of the config (`static`)    | the method does not know it so any more, or asks an authenticator instead        |
 * | as an authenticator said                   | the method asks nobody any more, and the config has no such principal            |
 * | with a token                               | its issuer is gone, or cannot have meant it by its rules of today                |
 * | by the session of a web application        | such sessions are read from another kind of store                                |
 * | by a one-time ticket                       | never: it was meant for one moment                                               |
 * | by its cookie                              | `cookie` says so; where that is gone, as if it had come in by the method itself  |
 * | by its cookie, logged in at a web service  | no service vouches for the login any more                                        |
 *
 * What an authenticator or a web application decides is theirs, and stands as long as they are asked.
 */
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { CookieAuth, LoginFault } from '../cookie/store.js';
import type { AuthMethod, AuthMethodLookup, Principal } from './method.js';

/** The `authprovider` of those who are in the config. */
const CONFIGURED = 'static';

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
  const login = loginOf(principal);
  if (authprovider === 'cookie') {
    const cookie = methods.get('cookie');
    if (cookie !== undefined) return cookie.faultOf?.(login, liveCookie);
    if (source !== undefined) return liveCookie?.faultOf(login);
  }
  return faultOfLogin(login, methods.get(authmethod), authprovider === CONFIGURED);
}

/**
 * @param method that has the name of the login now.
 * @param isConfigured whether its principal was in the config. Logins that cookies remember do not say; a credential does.
 * @returns why the method would not let anybody in by such a login any more; undefined when it would.
 */
export function faultOfLogin(
  login: CookieAuth,
  method: AuthMethod | undefined,
  isConfigured = false,
): LoginFault | undefined {
  if (method === undefined) return 'no such method';
  if (method.faultOf !== undefined) return method.faultOf(login);
  // An authenticator is asked instead: nobody is in the config any more.
  return isConfigured || login.credential !== undefined ? 'no such principal' : undefined;
}

function loginOf(principal: Principal): CookieAuth {
  const { authid, authrole, authmethod, authprovider, realm: authrealm, credential } = principal;
  // The provider of a token is its issuer.
  const { source = { issuer: authprovider } } = principal;
  const login = { authid, authrole, authmethod, authrealm, authextra: null, source };
  return credential === undefined ? login : { ...login, credential };
}
