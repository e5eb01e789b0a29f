/**
 * Sessions in Redis, as connect-redis keeps them: `<prefix><sid>` is a string of JSON, and its time to live is that of the session
 * (the `cookie.expires` in it is out of date, because a visit only moves the time to live).
 *
 * Redis tells of changes of the keys that this connection has read (client tracking). After that it tells nothing more of a key
 * until it is read again, and nothing of what happened while the connection was lost.
 */
import { optionalPackage } from '../../system/optional-package.js';
import { StoreHealth } from './store-health.js';
import { cookieExpiry, sessionIn, StoreUnavailable, unexpired, withinTime } from './store.js';
import { openRedis } from './redis-connection.js';
import type { RedisConnection, RedisPackage } from './redis-connection.js';
import type { PresentedSession } from './express-cookie.js';
import type { SessionStore, SessionStoreType, StoreDeps, StoredSession } from './store.js';
import type { RedisStoreConfig } from './store-schema.js';

/** The config word `redis`. */
export const redis: SessionStoreType<RedisStoreConfig> = {
  type: 'redis',
  async create(config, deps) {
    const redisPackage = await redisClientPackage();
    return new RedisStore(config, deps, (events) => openRedis(redisPackage, config, events));
  },
};

/** Loads the package. @throws OptionalPackageError (rejects) */
export function redisClientPackage(): Promise<RedisPackage> {
  return optionalPackage('@redis/client', 'a session store of type "redis"', () => import('@redis/client'));
}

/** How many questions may wait for Redis: more are refused at once. */
const MAX_PENDING = 2000;

/** PTTL of a key without a time to live, and of one that is not there. */
const WITHOUT_END = -1;
const NOT_THERE = -2;

class RedisStore implements SessionStore {
  readonly recheckMs: number;
  readonly retryMs = 2000;
  readonly #config: RedisStoreConfig;
  readonly #deps: StoreDeps;
  readonly #health: StoreHealth;
  readonly #redis: RedisConnection;
  #pending = 0;
  #isStopped = false;
  /** Those who wait until Redis is there. */
  readonly #waiting: (() => void)[] = [];

  constructor(
    config: RedisStoreConfig,
    deps: StoreDeps,
    open: (events: Parameters<typeof openRedis>[2]) => RedisConnection,
  ) {
    this.#config = config;
    this.#deps = deps;
    this.recheckMs = config.check_interval * 1000;
    this.#health = new StoreHealth(redis.type, deps.log);
    const { prefix } = config;
    this.#redis = open({
      ready: () => this.#onReady(),
      failed: (error) => this.#health.failed(error),
      changed: (key) => {
        if (key === undefined) deps.listener.allChanged();
        else if (key.startsWith(prefix)) deps.listener.changed(key.slice(prefix.length));
      },
    });
  }

  async read({ sid }: PresentedSession): Promise<StoredSession | undefined> {
    const { timeout, prefix } = this.#config;
    try {
      const [text, leftMs] = await withinTime(this.#ask(`${prefix}${sid}`), timeout, this.#deps.after);
      this.#health.answered();
      return text === null || leftMs === NOT_THERE ? undefined : this.#sessionOf(text, leftMs);
    } catch (error) {
      this.#health.failed(error);
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable('Redis failed', { cause: error });
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#redis.close();
    this.#proceed();
  }

  async #ask(key: string): Promise<readonly [string | null, number]> {
    if (this.#pending >= MAX_PENDING) throw new StoreUnavailable(`${MAX_PENDING} questions wait for Redis already`);
    this.#pending += 1;
    try {
      if (!this.#redis.isReady && !this.#isStopped) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      if (this.#isStopped) throw new StoreUnavailable('the store is closed');
      // Together, so that they travel in one packet.
      return await Promise.all([this.#redis.get(key), this.#redis.pTTL(key)]);
    } finally {
      this.#pending -= 1;
    }
  }

  #sessionOf(text: string, leftMs: number): StoredSession | undefined {
    const user = sessionIn(text, redis.type, this.#deps);
    if (user === undefined) return undefined;
    const now = this.#deps.clock();
    // With `disableTTL` only the cookie says when the session ends.
    return unexpired(user, leftMs === WITHOUT_END ? cookieExpiry(user) : now + leftMs, now);
  }

  #onReady(): void {
    this.#health.answered();
    this.#proceed();
    this.#deps.listener.allChanged();
  }

  #proceed(): void {
    for (const proceed of this.#waiting.splice(0)) proceed();
  }
}
