/**
 * Sessions that the config would not let in any more as whom they are. After a reload they are counted, the first ones are named, and they are
 * ended where the config wants it. There may be many: the clients of the node have their turns in between.
 */
import type { ReloadConfig } from '../../config/reload/schema.js';
import { messageOf } from '../../system/error.js';
import type { Logger } from '../../log/logger.js';
import type { ServedRealm } from '../session-control.js';
import { paced } from '../paced.js';
import type { OutdatedSession, OutdatedSessions } from './report.js';

/** So many are named. */
const NAMED = 20;

const FAREWELL = 'the config of the router does not let you in any more as who you are';

/** Looks at all sessions, and ends those that are outdated where `kick` is set. Never rejects. */
export async function outdatedSessions(
  realms: readonly ServedRealm[],
  { kick }: ReloadConfig,
  log: Logger,
): Promise<OutdatedSessions> {
  const named: OutdatedSession[] = [];
  let [count, killed] = [0, 0];
  for (const realm of realms) {
    const ids = await outdatedIn(realm, named);
    count += ids.length;
    if (kick) killed += await end(realm, ids, log);
  }
  if (count > 0) {
    const text = kick
      ? 'sessions ended that the config does not let in'
      : 'sessions go on that the config does not let in';
    log.warn({ count, sessions: named }, text);
  }
  return { count, killed, sessions: named };
}

async function outdatedIn({ inventory }: ServedRealm, named: OutdatedSession[]): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of paced(inventory.sessionIds)) {
    const why = inventory.outdated(id);
    if (why === undefined) continue;
    ids.push(id);
    const entry = named.length < NAMED ? inventory.session(id) : undefined;
    if (entry === undefined) continue;
    const { authid, authrole: role, realm, session, authmethod: method } = entry;
    named.push({ authid, role, realm, session, method, why });
  }
  return ids;
}

/** @returns how many have ended. */
async function end({ inventory }: ServedRealm, ids: readonly number[], log: Logger): Promise<number> {
  if (ids.length === 0) return 0;
  let killed = 0;
  await new Promise<void>((resolve) => {
    killed = inventory.kill(ids, { message: FAREWELL, isQuiet: false, by: 'reload' }, (failure) => {
      if (failure !== undefined)
        log.error({ problem: messageOf(failure) }, 'a session could not be ended in good order');
      resolve();
    });
  });
  return killed;
}
