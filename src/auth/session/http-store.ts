/**
 * Sessions of a web application that is asked itself: GET with the cookie of the client. So it works with stores that nobody else
 * can read, and with every framework. Each question may look like a visit, which prolongs a session; so nothing is asked but for a
 * HELLO, and once in `max_age` for sessions that are open.
 */
import { StoreHealth } from './store-health.js';
import { MAX_SESSION_CHARACTERS, StoreUnavailable, tellUnreadable, TOO_LARGE } from './store.js';
import { isDict } from '../../wamp/payload.js';
import type { PresentedSession } from './express-cookie.js';
import type { SessionStore, SessionStoreType, StoreDeps, StoredSession } from './store.js';
import type { HttpStoreConfig } from './store-schema.js';

/** The config word `http`. */
export const http: SessionStoreType<HttpStoreConfig> = {
  type: 'http',
  create: (config, deps) => Promise.resolve(new HttpStore(config, deps)),
};

/** How many requests may be under way: more are refused at once. */
const MAX_PENDING = 200;

const NOBODY = 401;
const OK = 200;

class HttpStore implements SessionStore {
  readonly recheckMs: number;
  readonly retryMs: number;
  readonly #config: HttpStoreConfig;
  readonly #deps: StoreDeps;
  readonly #health: StoreHealth;
  #pending = 0;

  constructor(config: HttpStoreConfig, deps: StoreDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#health = new StoreHealth(http.type, deps.log);
    this.recheckMs = config.max_age * 1000;
    // One that has failed is not asked more often: maybe it has too much to do.
    this.retryMs = this.recheckMs;
  }

  async read({ cookie }: PresentedSession): Promise<StoredSession | undefined> {
    try {
      if (this.#pending >= MAX_PENDING) throw new StoreUnavailable(`${MAX_PENDING} requests are under way already`);
      this.#pending += 1;
      const answer = await this.#ask(cookie).finally(() => (this.#pending -= 1));
      this.#health.answered();
      // When it expires is not looked at: a question at that moment, by a clock that goes ahead, would prolong it for ever.
      return isDict(answer) ? { user: answer, expiresMs: undefined } : undefined;
    } catch (error) {
      this.#health.failed(causeOf(error));
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable('the request failed', { cause: error });
    }
  }

  stop(): void {
    // It keeps nothing.
  }

  /** @returns the JSON; undefined for nobody, and for what is too large. */
  async #ask(cookie: string): Promise<unknown> {
    const { url, timeout } = this.#config;
    const response = await fetch(url, {
      headers: { cookie, accept: 'application/json' },
      // The session cookie is for nobody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    if (response.status !== OK) {
      await response.body?.cancel();
      if (response.status === NOBODY) return undefined;
      throw new StoreUnavailable(`the web application answers with status ${response.status}`);
    }
    const text = await textOf(response);
    if (text === undefined) return tellUnreadable(http.type, TOO_LARGE, this.#deps);
    try {
      return JSON.parse(text);
    } catch {
      // Its text may be anything, such as the page of a login.
      throw new StoreUnavailable('the web application answers with something that is no JSON');
    }
  }
}

/** @returns the body; undefined when it is too large. */
async function textOf({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > MAX_SESSION_CHARACTERS) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause !== undefined ? error.cause : error;
}
