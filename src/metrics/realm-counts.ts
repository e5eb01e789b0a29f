/**
 * What is counted of a realm, for all routers of the node that have one of this name. The counts are those of the node: they do not fall when
 * sessions end.
 */
import { Histogram } from './histogram.js';
import { MessageCounts } from './message-counts.js';
import { countWord } from './words.js';
import type { UriCounts } from './uri-counts.js';

/** The actions that need permission. */
export const ACTIONS = ['publish', 'subscribe', 'call', 'register'] as const;

/** How a session left its realm. `lost` is a connection that is gone, `expired` a login or a cookie. */
export const LEAVE_REASONS = [
  ...(['goodbye', 'lost', 'killed', 'logout', 'expired', 'shutdown', 'violation', 'error'] as const),
];
/** One of {@link LEAVE_REASONS}. */
export type LeaveReason = (typeof LEAVE_REASONS)[number];

/** How a call ended. `error` is any error that is not one of the others. */
export const CALL_OUTCOMES = [
  'result',
  'error',
  'canceled',
  'timeout',
  'no_callee',
  'callee_gone',
  'caller_gone',
] as const;
/** One of {@link CALL_OUTCOMES}. */
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

type ByAction = Record<(typeof ACTIONS)[number], number>;

const noActions = (): ByAction => ({ publish: 0, subscribe: 0, call: 0, register: 0 });

/** The counts of a realm. Who counts adds to the fields; there is no call on the way of a message. */
export class RealmCounts {
  readonly messages = new MessageCounts();
  /** role -> open sessions */
  readonly sessions = new Map<string, number>();
  /** authentication method -> sessions that joined */
  readonly joined = new Map<string, number>();
  readonly left: Record<LeaveReason, number> = {
    ...{ goodbye: 0, lost: 0, killed: 0, logout: 0, expired: 0, shutdown: 0, violation: 0, error: 0 },
  };
  /** What was decided on requests, whether by rules or by an authorizer. */
  readonly allowed = noActions();
  readonly denied = noActions();
  /** Requests on which an authorizer failed to decide. */
  readonly undecided = noActions();
  readonly calls: Record<CallOutcome, number> = {
    ...{ result: 0, error: 0, canceled: 0, timeout: 0, no_callee: 0, callee_gone: 0, caller_gone: 0 },
  };
  /** Calls that callees have not answered yet. */
  callsInFlight = 0;
  /** Events that were not sent because the subscriber reads too slowly, and because they are too large for it. */
  readonly dropped = { slow: 0, too_large: 0 };
  /** How long calls take, in seconds; undefined while nobody wants to know, so that no clock is read. */
  durations: Histogram | undefined;
  /** What is counted by URI; undefined while nobody wants to know. */
  uris: UriCounts | undefined;
  #durations: Histogram | undefined;

  /** A session has joined. @param authmethod how it was let in */
  sessionJoined(role: string): void {
    this.sessions.set(role, (this.sessions.get(role) ?? 0) + 1);
  }

  /** A session has left. */
  sessionLeft(role: string): void {
    this.sessions.set(role, Math.max(0, (this.sessions.get(role) ?? 0) - 1));
  }

  /** A client was let in. @param authmethod of its principal */
  admitted(authmethod: string): void {
    countWord(this.joined, authmethod);
  }

  /** Switches the durations of calls on and off. What was counted before is kept. */
  timeCalls(on: boolean): void {
    this.durations = on ? (this.#durations ??= new Histogram()) : undefined;
  }
}
