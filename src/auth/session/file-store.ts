/**
 * Sessions in files, as session-file-store keeps them: `<sid>.json` in a directory, replaced at every visit. A visit sets
 * `__lastAccess`; the session lasts as long after it as its cookie says, else as the config does.
 */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { access, open } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../../system/error.js';
import { isDict } from '../../wamp/payload.js';
import { StoreHealth } from './store-health.js';
import { cookieExpiry, MAX_SESSION_CHARACTERS, sessionIn, tellUnreadable, TOO_LARGE } from './store.js';
import { StoreUnavailable, unexpired, withinTime } from './store.js';
import type { Dict } from '../../wamp/payload.js';
import type { PresentedSession } from './express-cookie.js';
import type { SessionStore, SessionStoreType, StoreDeps, StoredSession } from './store.js';
import type { FileSessionStoreConfig } from './store-schema.js';

/** The config word `file`. */
export const file: SessionStoreType<FileSessionStoreConfig> = {
  type: 'file',
  create: (config, deps) => Promise.resolve(new FileStore(config, deps)),
};

const EXTENSION = '.json';

/** A disk of another machine may hang. */
const TIMEOUT_MS = 1000;

/** A directory that is not there yet is looked for as often. */
const RETRY_MS = 2000;

class FileStore implements SessionStore {
  readonly recheckMs = 60_000;
  readonly retryMs = RETRY_MS;
  readonly #config: FileSessionStoreConfig;
  readonly #deps: StoreDeps;
  readonly #health: StoreHealth;
  #watcher: FSWatcher | undefined;
  #isStopped = false;
  #cancelRetry = (): void => undefined;

  constructor(config: FileSessionStoreConfig, deps: StoreDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#health = new StoreHealth(file.type, deps.log);
    this.#watch();
  }

  async read({ sid }: PresentedSession): Promise<StoredSession | undefined> {
    if (!isFileName(sid)) return undefined;
    try {
      const text = await withinTime(this.#textOf(`${sid}${EXTENSION}`), TIMEOUT_MS, this.#deps.after);
      this.#health.answered();
      return text === undefined ? undefined : this.#sessionOf(text);
    } catch (error) {
      this.#health.failed(error);
      if (errorCode(error) === 'ENOENT') this.#watchAgain();
      throw error instanceof StoreUnavailable ? error : new StoreUnavailable('the directory fails', { cause: error });
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
    this.#watcher?.close();
  }

  /** @returns undefined where there is no such file, or one that is no session. */
  async #textOf(name: string): Promise<string | undefined> {
    const { directory } = this.#config;
    try {
      const handle = await open(path.join(directory, name));
      try {
        const { size } = await handle.stat();
        if (size > MAX_SESSION_CHARACTERS) return tellUnreadable(file.type, TOO_LARGE, this.#deps);
        return await handle.readFile('utf8');
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      // A session that is gone, or all of them with the directory?
      await access(directory);
      return undefined;
    }
  }

  #sessionOf(text: string): StoredSession | undefined {
    const user = sessionIn(text, file.type, this.#deps);
    return user && unexpired(user, expiryOf(user, this.#config.ttl * 1000), this.#deps.clock());
  }

  #watch(): void {
    const { directory } = this.#config;
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => this.#onChange(name));
      watcher.on('error', () => this.#watchAgain());
      this.#watcher = watcher;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        const fault = errorCode(error);
        this.#deps.log.warn({ fault }, 'session files cannot be watched, logouts are noticed late');
      }
      this.#watchAgain();
    }
  }

  #watchAgain(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#cancelRetry();
    if (this.#isStopped) return;
    this.#cancelRetry = this.#deps.after(RETRY_MS, () => {
      this.#watch();
      if (this.#watcher !== undefined) this.#deps.listener.allChanged();
    });
  }

  #onChange(name: string | null): void {
    if (name === null) this.#deps.listener.allChanged();
    else if (name.endsWith(EXTENSION)) this.#deps.listener.changed(name.slice(0, -EXTENSION.length));
  }
}

/** An id that leads out of the directory is none. */
function isFileName(sid: string): boolean {
  return !/[/\\\0]/.test(sid) && Buffer.byteLength(sid) <= MAX_NAME_BYTES;
}

const MAX_NAME_BYTES = 250;

/** @param ttlMs where the cookie has no `maxAge`. */
function expiryOf(user: Dict, ttlMs: number): number | undefined {
  const { __lastAccess: lastAccess, cookie } = user;
  if (typeof lastAccess !== 'number') return cookieExpiry(user);
  const maxAge = isDict(cookie) ? cookie['originalMaxAge'] : undefined;
  return lastAccess + (typeof maxAge === 'number' && maxAge > 0 ? maxAge : ttlMs);
}
