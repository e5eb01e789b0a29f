/** Sessions that a procedure of the operator knows: an authenticator that gets the verified id, and answers with the session. */
import { ErrorUri } from '../../wamp/error.js';
import { AuthenticatorRefusal, createAuthenticator } from '../dynamic/authenticator.js';
import { isDict } from '../../wamp/payload.js';
import {
  cookieExpiry,
  MAX_SESSION_CHARACTERS,
  StoreUnavailable,
  tellUnreadable,
  TOO_LARGE,
  unexpired,
} from './store.js';
import type { Authenticator } from '../dynamic/authenticator.js';
import type { PresentedSession } from './express-cookie.js';
import type { SessionStore, SessionStoreType, StoreDeps, StoredSession } from './store.js';
import type { DynamicStoreConfig } from './store-schema.js';

/** The config word `dynamic`. */
export const dynamic: SessionStoreType<DynamicStoreConfig> = {
  type: 'dynamic',
  create: async (config, deps) => new DynamicStore(config, await createAuthenticator(config, deps), deps),
};

class DynamicStore implements SessionStore {
  readonly recheckMs: number;
  readonly retryMs: number;
  readonly #realm: string;
  readonly #ask: Authenticator;
  readonly #deps: StoreDeps;

  constructor(config: DynamicStoreConfig, ask: Authenticator, deps: StoreDeps) {
    this.recheckMs = config.max_age * 1000;
    this.retryMs = this.recheckMs;
    this.#realm = config['authenticator-realm'];
    this.#ask = ask;
    this.#deps = deps;
  }

  async read({ sid }: PresentedSession): Promise<StoredSession | undefined> {
    try {
      const user = await this.#ask(this.#realm, undefined, { authmethod: 'session', session_id: sid });
      if (user === undefined || user === null) return undefined;
      if (!isDict(user)) return tellUnreadable(dynamic.type, 'it is no dictionary', this.#deps);
      const { length } = JSON.stringify(user);
      if (length > MAX_SESSION_CHARACTERS) return tellUnreadable(dynamic.type, TOO_LARGE, this.#deps);
      return unexpired(user, cookieExpiry(user), this.#deps.clock());
    } catch (error) {
      // The authenticator has told the log what it was.
      if (error instanceof AuthenticatorRefusal && isDecision(error)) return undefined;
      throw new StoreUnavailable('the authenticator failed', { cause: error });
    }
  }

  stop(): void {
    // It keeps nothing.
  }
}

/** @returns whether the authenticator said no, and did not fail. */
function isDecision({ verdict }: AuthenticatorRefusal): boolean {
  return verdict.type === 'deny' && verdict.reason !== ErrorUri.AUTHENTICATION_FAILED;
}
