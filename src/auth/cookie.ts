/**
 * Cookie authentication: a browser whose cookie remembers a login is let in at once, as whom it was let in then. The
 * client must offer `cookie`; whatever else it asks for in its HELLO, realm and `authid`, is as the login has it. A
 * browser without a login is passed on to the next method of its list.
 *
 * How the login came to the cookie is told in `session/opening.ts`.
 */
import type { AuthMethod, AuthMethodType, Pass, Verdict } from './method.js';
import type { CookieAuthConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

export const cookie: AuthMethodType<CookieAuthConfig> = {
  type: 'cookie',

  create({ revalidate }, { siblings, log }): AuthMethod {
    return {
      async start(_request, { client: { visitor } }): Promise<Verdict | Pass> {
        const login = await visitor?.login();
        if (visitor === undefined || login === undefined) return PASS;
        // A method that cannot know (its principals are not in the config) has nothing against it.
        if (revalidate && siblings.get(login.authmethod)?.knows?.(login) === false) {
          log.info({ authmethod: login.authmethod, authrole: login.authrole }, 'login of a cookie is no longer valid');
          await visitor.forgetLogin();
          return PASS;
        }
        const { authid, authrole, authmethod, authrealm: realm, authextra } = login;
        const principal = { realm, authid, authrole, authmethod, authprovider: 'cookie' };
        return { type: 'accept', principal: authextra === null ? principal : { ...principal, authextra } };
      },
    };
  },
};
