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
import { CloseUri } from '../wamp/error.js';
import { leaseUntil } from './lease.js';
import { faultOfLogin } from './standing.js';
import { COOKIE_REPLACED } from './verdict.js';
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { Lease } from './lease.js';
import type { CookieAuth, LoginFault } from '../cookie/store.js';
import type { AuthMethod, AuthMethodType, Pass, Verdict } from './method.js';
import type { CookieAuthConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

export const cookie: AuthMethodType<CookieAuthConfig> = {
  type: 'cookie',
  withoutSecret: true,

  create({ revalidate }, { siblings, log, admits, clock, after }): AuthMethod {
    return {
      async start(_request, { client: { liveCookie, heldCookie } }): Promise<Verdict | Pass> {
        const login = await liveCookie?.login(heldCookie);
        if (liveCookie === undefined || login === undefined) return PASS;
        if (login === 'outdated') return COOKIE_REPLACED;
        const { authid, authrole, authmethod, authrealm: realm, authextra } = login;
        const isOver = login.source?.expires !== undefined && Date.parse(login.source.expires) <= clock();
        const fault = isOver
          ? 'expired'
          : admits(realm, authrole)
            ? revalidate
              ? faultOf(login, siblings.get(authmethod), liveCookie)
              : undefined
            : 'no such realm';
        if (fault !== undefined) {
          log.info({ authmethod, realm, authrole, fault }, 'login of a cookie does not count');
          // Another transport may have the method, so the login stays.
          if (fault !== 'no such method') await liveCookie.forgetLogin(heldCookie);
          return PASS;
        }
        const { credential, source } = login;
        const principal = {
          ...{ realm, authid, authrole, authmethod, authprovider: 'cookie' },
          ...(credential !== undefined && { credential }),
          ...(source !== undefined && { source }),
        };
        return {
          type: 'accept',
          principal: authextra === null ? principal : { ...principal, authextra },
          ...(login.source?.expires !== undefined && { lease: leaseOf(login.source.expires, { clock, after }) }),
        };
      },

      faultOf(login, liveCookie) {
        if (!revalidate || liveCookie === undefined) return undefined;
        return faultOf(login, siblings.get(login.authmethod), liveCookie);
      },
    };
  },
};

/**
 * @param method the method of the login; undefined where the transport does not have it (any more).
 * @returns why the login does not count; undefined when it does. One by a web service counts if that service says so.
 */
function faultOf(login: CookieAuth, method: AuthMethod | undefined, liveCookie: LiveCookie): LoginFault | undefined {
  return login.source === undefined ? faultOfLogin(login, method) : liveCookie.faultOf(login);
}

/** The session ends with the login. */
function leaseOf(expires: string, deps: Parameters<typeof leaseUntil>[1]): Lease {
  const untilMs = Date.parse(expires);
  return leaseUntil({ untilMs, reason: CloseUri.SESSION_ENDED, message: 'the login has expired' }, deps);
}
