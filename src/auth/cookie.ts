/**
 * Cookie authentication: a browser whose cookie remembers a login is let in at once, as the same principal as then. The client
 * must offer `cookie`. Realm and `authid` are those of the login, whatever the HELLO asks for. A browser without a login is
 * passed on to the next method of its list.
 *
 * A login does not count when its method is not configured on this transport, when its realm or role is gone, or when its
 * principal is gone or has another ticket, secret or key by now. Then, too, the next method is asked.
 *
 * `session/opening.ts` stores the login with the cookie.
 */
import { COOKIE_REPLACED } from './verdict.js';
import type { CookieAuth } from '../cookie/store.js';
import type { AuthMethod, AuthMethodType, LoginFault, Pass, Verdict } from './method.js';
import type { CookieAuthConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

export const cookie: AuthMethodType<CookieAuthConfig> = {
  type: 'cookie',
  withoutSecret: true,

  create({ revalidate }, { siblings, log, admits }): AuthMethod {
    return {
      async start(_request, { client: { liveCookie, heldCookie } }): Promise<Verdict | Pass> {
        const login = await liveCookie?.login(heldCookie);
        if (liveCookie === undefined || login === undefined) return PASS;
        if (login === 'outdated') return COOKIE_REPLACED;
        const { authid, authrole, authmethod, authrealm: realm, authextra } = login;
        const fault = admits(realm, authrole)
          ? revalidate && faultOf(siblings.get(authmethod), login)
          : 'no such realm';
        if (fault !== false) {
          log.info({ authmethod, realm, authrole, fault }, 'login of a cookie does not count');
          // Another transport may have the method, so the login stays.
          if (fault !== 'no such method') await liveCookie.forgetLogin(heldCookie);
          return PASS;
        }
        const principal = { realm, authid, authrole, authmethod, authprovider: 'cookie' };
        return { type: 'accept', principal: authextra === null ? principal : { ...principal, authextra } };
      },
    };
  },
};

/**
 * @param method the method of the login; undefined where the transport does not have it (any more).
 * @returns why the login does not count; false when it does. A login by a method whose principals are not in the config always
 *   counts.
 */
function faultOf(method: AuthMethod | undefined, login: CookieAuth): 'no such method' | LoginFault | false {
  if (method === undefined) return 'no such method';
  return method.faultOf?.(login) ?? false;
}
