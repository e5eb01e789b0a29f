/**
 * Ends sessions of a realm because somebody wants it: a client that calls `wamp.session.kill` or one of its siblings, or the
 * operator of the node.
 */
import { CloseUri, ErrorUri, WampError } from '../../wamp/error.js';
import { isValidUri, quoted } from '../../wamp/uri.js';
import type { UriRule } from '../../wamp/uri.js';
import type { Scheduler } from '../observer.js';
import type { RouterSession } from '../session.js';

/** What the GOODBYE to a killed session says. */
export interface Farewell {
  readonly reason: string;
  readonly message: string | undefined;
  /** Who wants it, for those who write it down. */
  readonly by?: string;
}

/** What somebody wants it to say; the reason is `wamp.close.killed` where it is left out. */
export interface WantedFarewell {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** Runs `action`, in which a portion of the sessions ends. */
export type Perform = (portion: readonly RouterSession[], action: () => void) => void;

export interface Killing {
  readonly words: Farewell;
  readonly scheduler: Scheduler;
  readonly perform?: Perform | undefined;
}

/** How many sessions are killed in one turn of the event loop. */
const KILLED_AT_A_TIME = 100;

/** @throws WampError `wamp.error.invalid_uri` when the reason is not a URI. */
export function checkedFarewell({ reason = CloseUri.KILLED, message }: WantedFarewell, uriRule: UriRule): Farewell {
  if (!isValidUri(reason, uriRule)) throw new WampError(ErrorUri.INVALID_URI, `invalid reason URI ${quoted(reason)}`);
  return { reason, message };
}

/**
 * Kills sessions, so many in each turn.
 * @param done called when all have ended, with the first failure: a cookie store may have to delete their logins first.
 */
export function killInTurns(
  victims: readonly RouterSession[],
  { words: { reason, message, by }, scheduler, perform = (_portion, action) => action() }: Killing,
  done: (failure?: WampError) => void,
): void {
  let left = victims.length;
  let failure: WampError | undefined;
  if (left === 0) return done();
  const ended = (error?: WampError): void => {
    failure ??= error;
    if (--left === 0) done(failure);
  };
  const killFrom = (start: number): void => {
    const portion = victims.slice(start, start + KILLED_AT_A_TIME);
    perform(portion, () => {
      for (const victim of portion) victim.kill(reason, message, ended, by);
    });
    const next = start + KILLED_AT_A_TIME;
    if (next < victims.length) scheduler.after(0, () => killFrom(next));
  };
  killFrom(0);
}
