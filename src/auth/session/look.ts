/** Whether a store of web sessions can be used, as far as that can be seen without asking anybody. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { errorCode, messageOf } from '../../system/error.js';
import type { Look } from '../../schema/look.js';
import { redisClientPackage } from './redis-store.js';
import type { FileSessionStoreConfig, RedisStoreConfig } from './store-schema.js';

/** The look `session store`. */
export const lookAtSessionStore: Look<RedisStoreConfig | FileSessionStoreConfig> = async (store, { report, warn }) => {
  if (store.type === 'redis') {
    await redisClientPackage().catch((error: unknown) => report(['type'], messageOf(error)));
    return;
  }
  try {
    await access(store.directory, constants.R_OK | constants.X_OK);
  } catch (error) {
    const why = errorCode(error) ?? messageOf(error);
    warn(['directory'], `cannot be read at the moment (${why}), so users of the web application are refused`);
  }
};
