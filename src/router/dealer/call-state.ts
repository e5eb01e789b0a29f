/**
 * What the dealer remembers of sessions and of calls that are not over. Plain data; the rules are in `registrar.ts` (who is
 * registered) and `calls.ts` (calls from INVOCATION to RESULT).
 */
import { IdMap } from '../../collections/id-map.js';
import type { Histogram } from '../../metrics/histogram.js';
import type { RandomId } from '../../wamp/id.js';
import type { Call } from '../../wamp/message.js';
import type { Deadline } from './deadlines.js';
import type { RegistrationView } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { RegistrationClaim } from '../uplink.js';

/** A session's part in a registration: what it asked for, and how busy it is. */
export interface Callee {
  readonly party: DealerSession;
  readonly registration: CallTarget;
  /** What the other nodes know of it; undefined where there are none. */
  readonly claim: RegistrationClaim | undefined;
  /** Where it stands among the others: a larger one came later, and of the same the one that was there first. */
  place: number;
  /** It wants to know who calls (section "Caller Identification"). */
  readonly disclose: boolean;
  /** It keeps the time of its calls itself (section "Call Timeouts"). */
  readonly forwardTimeout: boolean;
  /** How many calls at most it wants at a time. */
  readonly concurrency: number;
  /** How many it has. */
  running: number;
}

/** A registration as calls see it: `registration.ts` has the one that there is. */
export interface CallTarget extends RegistrationView {
  /** In order of registration. */
  readonly members: readonly Callee[];
  /** Calls that wait until a callee has room, in order. */
  readonly queue: Set<InFlight>;
  /** Calls of other nodes that wait until the one callee has room that was chosen there, in order. */
  readonly forwarded: Set<InFlight>;
  calls: number;
  /**
   * @param except callees that refused the call already.
   * @returns the callee with room that the policy wants, or undefined when none has room.
   */
  next(randomId: RandomId, except?: readonly Callee[]): Callee | undefined;
  /** Takes a callee out. */
  remove(callee: Callee): void;
}

/** A session as the dealer keeps it: what it registered, what it called, what it was asked. */
export interface DealerSession {
  readonly session: RouterSession;
  readonly callees: Map<CallTarget, Callee>;
  // CALL request id -> call
  readonly calls: IdMap<InFlight>;
  // INVOCATION request id -> call
  readonly invocations: IdMap<InFlight>;
  /** The last INVOCATION request id: session scope, counted by the router. */
  lastInvocationId: number;
  /** Request ids of calls that ended while the caller had more to send: the rest of it is not a new call. */
  abandoned: Set<number> | undefined;
}

/**
 * A call that is not over. It is in `caller.calls`, and besides either in `callee.party.invocations` (with `callee` set)
 * or, without, in `registration.queue` or `registration.forwarded`.
 */
export interface InFlight {
  readonly caller: DealerSession;
  readonly callId: number;
  readonly registration: CallTarget;
  /** The config shows the caller to the callee. */
  readonly disclose: boolean;
  callee: Callee | undefined;
  invocationId: number;
  /** Kept while the call may have to be sent (once more): it waits for room, or another callee may take it over. */
  message: Call | undefined;
  /** What its caller is charged for `message` and `backlog`, in bytes. */
  charged: number;
  /** The callee was asked for progressive results. */
  progressive: boolean;
  /** The caller has more to send (section "Progressive Call Invocations"). */
  sending: boolean;
  /** The callee was told to stop, and the caller waits for what it says to that. */
  killed: boolean;
  deadline: Deadline<InFlight> | undefined;
  /** What the caller sent after the first message while the call waits for room. */
  backlog: Call[] | undefined;
  /** When it began, in milliseconds of the scheduler; 0 where nobody wants to know how long it takes. */
  begunMs: number;
  /** Where its duration belongs besides, if the config names its procedure. */
  durations: Histogram | undefined;
  /** Callees that answered `wamp.error.unavailable`. */
  refused: Callee[] | undefined;
  /** Callees of other nodes that had no room for it. */
  busy: Callee[] | undefined;
  /**
   * The callee that another node chose, from which the call came; undefined for those of sessions of this node. The options of its
   * messages are the details of INVOCATION already.
   */
  readonly only: Callee | undefined;
}

// session -> what it has to do with calls; only sessions that ever registered or called
export type Parties = Map<RouterSession, DealerSession>;

/** @returns a call that begins; nobody knows it yet. @param charged what its caller is charged for `message` */
export function newCall(
  { caller, registration, disclose, only }: Pick<InFlight, 'caller' | 'registration' | 'disclose' | 'only'>,
  { requestId: callId, options }: Call,
  message: Call | undefined,
  charged: number,
): InFlight {
  return {
    caller,
    callId,
    registration,
    disclose,
    callee: undefined,
    invocationId: 0,
    message,
    charged,
    progressive: false,
    sending: options.progress === true,
    killed: false,
    deadline: undefined,
    backlog: undefined,
    begunMs: 0,
    durations: undefined,
    refused: undefined,
    busy: undefined,
    only,
  };
}

/** @returns the calls among which one waits for room. */
export function waitingWith({ registration, only }: InFlight): Set<InFlight> {
  return only === undefined ? registration.queue : registration.forwarded;
}

/** @returns how many calls are not over, and how many of them wait for room. */
export function countCalls(parties: Parties): { readonly calls: number; readonly queuedCalls: number } {
  let calls = 0;
  let queuedCalls = 0;
  for (const party of parties.values()) {
    calls += party.calls.size;
    for (const call of party.calls.values()) if (call.callee === undefined) queuedCalls++;
  }
  return { calls, queuedCalls };
}

export function partyOf(parties: Parties, session: RouterSession): DealerSession {
  let party = parties.get(session);
  if (party === undefined) {
    party = {
      session,
      callees: new Map(),
      calls: new IdMap(),
      invocations: new IdMap(),
      lastInvocationId: 0,
      abandoned: undefined,
    };
    parties.set(session, party);
  }
  return party;
}
