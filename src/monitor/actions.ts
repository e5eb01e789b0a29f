/** The two things that an operator may do to clients by the monitor: end a session, and log somebody out. Each is told to the log. */
import { CloseUri, ErrorUri, WampError } from '../wamp/error.js';
import { inPieces } from './selection.js';
import { placesOf } from './sessions.js';
import { Wish, wrong } from './wish.js';
import type { CookieSummary, ManagedCookies } from '../cookie/management.js';
import type { Logger } from '../log/logger.js';
import type { Place } from './sessions.js';
import type { MonitorAction, MonitoredWorker, MonitorActor } from './source.js';
import type { Asked } from './wish.js';

/** What was done. */
export interface Done {
  /** How many sessions ended. */
  readonly sessions: number;
  /** How many cookies were forgotten. */
  readonly cookies: number;
}

export interface ActionsDeps {
  /** The workers that there are. */
  readonly workers: readonly MonitoredWorker[];
  /** The cookies of all of them. */
  readonly cookies: () => Pick<ManagedCookies, 'get' | 'list' | 'revoke'>;
  readonly log: Logger;
  readonly onAction?: (action: MonitorAction) => void;
}

/** Who is logged out. */
type Target = { readonly digest: string } | { readonly authid: string; readonly realm: string };

/** All methods reject with a WampError. */
export class Actions {
  readonly #deps: ActionsDeps;

  constructor(deps: ActionsDeps) {
    this.#deps = deps;
  }

  async endSession(asked: Asked, by: MonitorActor): Promise<Done> {
    const wish = new Wish(asked, ['session', 'worker', 'reason', 'message']);
    const session = wish.id('session');
    if (session === undefined) throw wrong('"session" is missing');
    const { worker, inventory } = this.#holderOf(session, wish);
    const words = { reason: wish.text('reason'), message: wish.text('message') };
    const { realm } = inventory;
    const target = { worker, realm, session, authid: inventory.measures(session)?.authid ?? '' };
    const sessions = await ended({ worker, inventory }, [session], words);
    return this.#did({ action: 'session.end', by, target, sessions, cookies: 0 });
  }

  async logOut(asked: Asked, by: MonitorActor): Promise<Done> {
    const wish = new Wish(asked, ['digest', 'authid', 'realm']);
    const target = targetOf(wish);
    const done = 'digest' in target ? await this.#logOutBrowser(target.digest) : await this.#logOutUser(target);
    return this.#did({ action: 'cookie.logout', by, target, ...done });
  }

  async #logOutBrowser(digest: string): Promise<Done> {
    const cookies = this.#deps.cookies();
    const found = await cookies.get(digest);
    if (found === undefined) throw new WampError(ErrorUri.NO_SUCH_COOKIE, 'no cookie with this digest is known');
    return { sessions: found.sessions.length, cookies: await cookies.revoke({ digest }) };
  }

  /** Cookies first: a browser that reconnects at once must not come back by one. */
  async #logOutUser({ authid, realm }: { readonly authid: string; readonly realm: string }): Promise<Done> {
    const cookies = this.#deps.cookies();
    const own = (await cookies.list({ authid })).filter(({ authrealm }) => authrealm === realm);
    const places = placesOf(this.#deps.workers, { text: (name) => (name === 'realm' ? realm : undefined) });
    const before = await sessionsOf(places, authid);
    const forgotten = await this.#revoke(own);
    let sessions = 0;
    for (const [place, ids] of before) {
      const left = ids.filter((id) => place.inventory.isMeant(id, { authid }));
      await ended(place, left, { reason: CloseUri.LOGOUT, message: 'logged out by the operator' });
      sessions += ids.length;
    }
    if (sessions + forgotten === 0) {
      throw new WampError(ErrorUri.NO_SUCH_SESSION, 'nobody of this name is there, and no cookie has such a login');
    }
    return { sessions, cookies: forgotten };
  }

  async #revoke(own: readonly CookieSummary[]): Promise<number> {
    let count = 0;
    for (const { digest } of own) count += await this.#deps.cookies().revoke({ digest });
    return count;
  }

  #holderOf(session: number, wish: Wish): Place {
    const found = placesOf(this.#deps.workers, wish).filter(({ inventory }) => inventory.isMeant(session, {}));
    const [holder, another] = found;
    if (holder === undefined) throw new WampError(ErrorUri.NO_SUCH_SESSION, `there is no session ${session}`);
    if (another === undefined) return holder;
    throw wrong(`several workers have a session ${session}: name the "worker"`);
  }

  #did(action: MonitorAction): Done {
    const { sessions, cookies } = action;
    this.#deps.log.info({ ...action }, 'operator acted by the monitor');
    this.#deps.onAction?.(action);
    return { sessions, cookies };
  }
}

function targetOf(wish: Wish): Target {
  const [digest, authid, realm] = [wish.text('digest'), wish.text('authid'), wish.text('realm')];
  if (digest !== undefined && authid === undefined && realm === undefined) return { digest };
  if (digest === undefined && authid !== undefined && realm !== undefined) return { authid, realm };
  throw wrong('say who is meant: "digest", or "authid" and "realm"');
}

async function sessionsOf(places: readonly Place[], authid: string): Promise<Map<Place, number[]>> {
  const found = new Map<Place, number[]>();
  for (const place of places) {
    const ids: number[] = [];
    await inPieces(place.inventory.sessionIds, (id) => {
      if (place.inventory.isMeant(id, { authid })) ids.push(id);
    });
    found.set(place, ids);
  }
  return found;
}

/** @returns how many sessions have ended. Rejects with the first failure when all have. */
async function ended(
  { inventory }: Place,
  ids: readonly number[],
  words: { readonly reason: string | undefined; readonly message: string | undefined },
): Promise<number> {
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    count = inventory.kill(ids, { ...words, isQuiet: false }, (failure) =>
      failure === undefined ? resolve() : reject(failure),
    );
  });
  return count;
}
