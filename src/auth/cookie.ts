/**
 * Cookie authentication: a browser whose cookie remembers a login is let in at once, as whom it was let in then. The
 * client must offer `cookie`; whatever else it asks for in its HELLO, realm and `authid`, is as the login has it. A
 * browser without a login is passed on to the next method of its list.
 *
 * A login by a method that the transport does not have does not count there, nor one for a realm or role that is gone: such a
 * browser goes on with what else it offers. So does one whose principal is gone, or has another ticket, secret or key by now.
 *
 * How the login came to the cookie is told in `session/opening.ts`.
 */
import { COOKIE_REPLACED } from './verdict.js';
import type { CookieAuth } from '../cookie/store.js';
import type { AuthMethod, AuthMethodType, LoginFault, Pass, Verdict } from './method.js';
import type { CookieAuthConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

export const cookie: AuthMethodType<CookieAuthConfig> = {
  type: 'cookie',

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
          // Another transport may well have the method.
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
 * @param method the one that the login was made with; undefined where the transport does not have it (any more).
 * @returns why the login does not count; false when it does. A method that cannot know (its principals are not in the config)
 *   has nothing against it.
 */
function faultOf(method: AuthMethod | undefined, login: CookieAuth): 'no such method' | LoginFault | false {
  if (method === undefined) return 'no such method';
  return method.faultOf?.(login) ?? false;
}
