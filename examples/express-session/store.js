/** Where the sessions are. What stands here has to be in the config of the node, too: prefix, directory, lifetime. */
import path from 'node:path';
import session from 'express-session';

export const REDIS = 'redis://127.0.0.1:6379';

/** How long a session lives without a request. */
export const SESSION_SECONDS = 3600;

const STORES = {
  async redis() {
    const [{ createClient }, { RedisStore }] = await Promise.all([import('redis'), import('connect-redis')]);
    const client = createClient({ url: REDIS });
    client.on('error', ({ message }) => console.error(`Redis: ${message}`));
    return new RedisStore({ client: await client.connect(), prefix: 'sess:' });
  },

  async files() {
    const { default: sessionFileStore } = await import('session-file-store');
    const FileStore = sessionFileStore(session);
    const directory = path.join(import.meta.dirname, 'data/sessions');
    return new FileStore({ path: directory, ttl: SESSION_SECONDS, retries: 0, logFn: () => undefined });
  },
};

/** @param {'redis' | 'files'} kind */
export async function createStore(kind) {
  return STORES[kind]();
}
