/**
 * Session authentication: a browser that is logged in at a web application (Express) is let in by its session cookie, as whom it is
 * there. The session is read, and never written: who is active over WAMP only does not prolong it.
 *
 *     no good cookie, no session, nobody in it -> pass: the client may be let in as somebody else
 *     the store does not answer                -> deny: never as a stranger who might be a user
 *
 * The login belongs to the web application: no cookie of ours remembers it, and it ends there (`watched-sessions.ts`).
 */
import { ErrorUri } from '../../wamp/error.js';
import { deny } from '../verdict.js';
import { presentedSession } from './express-cookie.js';
import { StoreUnavailable } from './store.js';
import { createSessionStore } from './stores.js';
import { WatchedSessions } from './watched-sessions.js';
import type { AuthMethod, AuthMethodType, Deny, Pass, Verdict } from '../method.js';
import type { SessionConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

// Not "unavailable", which closes without a word: a page is told why its user is not let in.
const NO_STORE: Deny = deny(ErrorUri.AUTHENTICATION_FAILED, 'the session store is not available');

/** The config word `session`. */
export const session: AuthMethodType<SessionConfig> = {
  type: 'session',
  wantsHandshake: true,
  // It asks for nothing, and a store that is down is nobody's failure.
  withoutSecret: true,

  async create(config, { log, repeated, clock, after, call, load }): Promise<AuthMethod> {
    const watched = new WatchedSessions(config, { log, clock, after });
    const deps = { log, clock, after, call, load, listener: watched, ...(repeated && { repeated }) };
    watched.use(await createSessionStore(config.store, deps));
    return {
      async start({ realm }, { client }): Promise<Verdict | Pass> {
        const presented = presentedSession(client.headers, config);
        if (presented === undefined) return PASS;
        try {
          const entered = await watched.enter(presented);
          if (entered === undefined) return PASS;
          const { user, lease } = entered;
          const { authid, authrole, authextra } = user;
          const principal = { realm: user.realm ?? realm, authid, authrole, ...NAMES, authprovider: config.store.type };
          return {
            type: 'accept',
            principal: authextra === undefined ? principal : { ...principal, authextra },
            lease,
          };
        } catch (error) {
          if (error instanceof StoreUnavailable) return NO_STORE;
          throw error;
        }
      },
      // Who is logged in there is the business of the store; whoever comes from another kind of store is nobody in this one.
      faultOf: ({ source }) => (source?.issuer === config.store.type ? undefined : 'no such principal'),
      stop: () => watched.stop(),
    };
  },
};

const NAMES = { authmethod: 'session' } as const;
