/**
 * Several sessions that register, call, answer, cancel, wait and leave in any order, and what must hold meanwhile,
 * whatever they do. Knows nothing of how the dealer works: it looks at the messages that go in and come out.
 */
import { Budget } from '../../src/router/budget.js';
import { Realm } from '../../src/router/realm.js';
import { ALLOW_ALL, FakeClock, ScriptedSession, wire } from '../support/realm.js';
import type { RouterMessage } from '../../src/wamp/message.js';
import type { Dict } from '../../src/wamp/payload.js';

const INVOCATION_FEATURES = ['callee.call_canceling', 'callee.progressive_call_invocations'] as const;
/** What a session may announce, one bit each. */
const FEATURES = [
  ...INVOCATION_FEATURES,
  'callee.progressive_call_results',
  'callee.call_timeout',
  'callee.registration_revocation',
  'caller.progressive_call_invocations',
] as const;
export const FEATURE_SETS = 2 ** FEATURES.length;

export const URIS = ['com.one', 'com.two', 'com.two.three', 'org.none'] as const;
/** With those of the URIs that they match. */
const PATTERNS = [
  { match: 'exact', uri: 'com.one', has: ['com.one'] },
  { match: 'exact', uri: 'com.two', has: ['com.two'] },
  { match: 'prefix', uri: 'com.two', has: ['com.two', 'com.two.three'] },
  { match: 'wildcard', uri: 'com.', has: ['com.one', 'com.two'] },
] as const;
export const PATTERN_COUNT = PATTERNS.length;

export const INVOKES = ['single', 'first', 'last', 'roundrobin', 'random'] as const;
export const MODES = ['skip', 'kill', 'killnowait', undefined] as const;

/** One step. `who` and `which` are taken modulo how many there are. */
export type Step =
  | { readonly do: 'join'; readonly features: number }
  | {
      readonly do: 'register';
      readonly who: number;
      readonly pattern: number;
      readonly invoke: (typeof INVOKES)[number];
      readonly concurrency: number;
      readonly force: boolean;
      readonly forwardTimeout: boolean;
    }
  | {
      readonly do: 'unregister' | 'answer again' | 'leave';
      readonly who: number;
      readonly which: number;
    }
  | {
      readonly do: 'call';
      readonly who: number;
      readonly uri: number;
      readonly timeout: number;
      readonly receiveProgress: boolean;
      readonly progress: boolean;
    }
  | {
      readonly do: 'call on';
      readonly who: number;
      readonly which: number;
      readonly last: boolean;
    }
  | {
      readonly do: 'yield';
      readonly who: number;
      readonly which: number;
      readonly progress: boolean;
    }
  | {
      readonly do: 'error';
      readonly who: number;
      readonly which: number;
      readonly unavailable: boolean;
    }
  | {
      readonly do: 'cancel';
      readonly who: number;
      readonly which: number;
      readonly mode: (typeof MODES)[number];
    }
  | { readonly do: 'wait'; readonly ms: number };

interface CallRecord {
  /** Unique; it is the payload of the call and of every answer to it. */
  readonly key: string;
  readonly id: number;
  readonly receiveProgress: boolean;
  /** More of it may be sent. */
  sending: boolean;
  /** It has no final answer, and its caller is there and waits for one. */
  open: boolean;
  /** The callee was told to stop, and the caller waits for what it says. */
  killed: boolean;
  /** The invocation that it is with. */
  invocation: InvocationRecord | undefined;
  /** The registration that was the best one when it was made. */
  readonly registration: unknown;
  /** 0: none. */
  readonly timeout: number;
  /** When the router must have answered it: never, while its callee looks after the timeout. */
  due: number;
}

interface Asked {
  readonly concurrency: number;
  readonly pattern: (typeof PATTERNS)[number];
}

interface InvocationRecord {
  readonly id: number;
  readonly call: CallRecord;
  readonly registration: unknown;
  answered: boolean;
  interrupted: boolean;
}

type Log = (session: WorldSession, fields: readonly unknown[]) => void;

class WorldSession extends ScriptedSession {
  readonly calls = new Map<number, CallRecord>();
  readonly invocations = new Map<number, InvocationRecord>();
  // registration id -> what it was asked for with
  readonly registrations = new Map<unknown, Asked>();
  /** Request id of REGISTER -> the same. */
  readonly asked = new Map<unknown, Asked>();
  readonly #log: Log;
  lastRequest = 0;
  gone = false;

  constructor(realm: Realm, id: number, features: readonly string[], log: Log) {
    const role = realm.role('anonymous');
    if (role === undefined) throw new Error('the role of the test is not there');
    super(realm, id, role, features);
    this.#log = log;
  }

  override send(message: RouterMessage): void {
    if (!this.gone) this.#log(this, wire(message));
  }
}

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % items.length];

export class World {
  readonly #realm: Realm;
  readonly #clock = new FakeClock();
  readonly #budget = new Budget();
  readonly #cancelWithoutError: boolean;
  readonly #sessions: WorldSession[] = [];
  // key -> call
  readonly #calls = new Map<string, CallRecord>();
  #joined = 0;
  /** How many calls got a final answer: a world in which nothing is ever answered proves nothing. */
  answered = 0;

  /** @param cancelWithoutError the realm option `compat.cancel_without_error`. */
  constructor(cancelWithoutError: boolean) {
    this.#cancelWithoutError = cancelWithoutError;
    let lastId = 0;
    const nextId = () => ++lastId;
    const clock = () => this.#clock.now;
    this.#realm = new Realm(
      {
        name: 'realm1',
        roles: [ALLOW_ALL],
        compat: { cancel_without_error: cancelWithoutError },
      },
      { randomId: nextId, nextRouterId: nextId, clock, scheduler: this.#clock, budget: this.#budget },
    );
  }

  run(step: Step): void {
    if (step.do === 'join') return this.#join(step.features);
    if (step.do === 'wait') return this.#wait(step.ms);
    const session = pick(this.#sessions, step.who);
    if (session === undefined) return;
    switch (step.do) {
      case 'register':
        return this.#register(session, step);
      case 'unregister':
        return this.#unregister(session, pick([...session.registrations.keys()], step.which));
      case 'call':
        return this.#call(session, step);
      case 'call on':
        return this.#callOn(session, pick(sendingOf(session), step.which), step.last);
      case 'yield':
        return this.#yield(session, pick(unansweredOf(session), step.which), step.progress);
      case 'error':
        return this.#error(session, pick(unansweredOf(session), step.which), step.unavailable);
      case 'answer again': {
        const again = pick([...session.invocations.values()].filter(isAnswered), step.which);
        if (again !== undefined) session.tell(70, again.id, {}, ['again']);
        return;
      }
      case 'cancel':
        return this.#cancel(session, pick([...session.calls.values()], step.which), step.mode);
      case 'leave':
        return this.#leave(session);
    }
  }

  /** Everybody answers what they were asked: then no call is open any more. */
  settle(): void {
    for (;;) {
      const todo = this.#sessions.flatMap((session) => unansweredOf(session).map((record) => ({ session, record })));
      if (todo.length === 0) break;
      for (const { session, record } of todo) if (!record.answered) this.#yield(session, record, false);
    }
    for (const call of this.#calls.values()) must(!call.open, `call ${call.key} was never answered`);
  }

  /** Everybody leaves: then nothing is left. */
  end(): void {
    for (const session of [...this.#sessions]) this.#leave(session);
    for (const [what, count] of Object.entries(this.#realm.size)) must(count === 0, `${count} ${what} are left`);
    must(this.#budget.keptBytes === 0, `${this.#budget.keptBytes} bytes are kept for nobody`);
    must(this.#clock.waiting === 0, 'a timer is left');
  }

  #join(features: number): void {
    const announced = FEATURES.filter((_, bit) => (features >> bit) % 2 === 1);
    this.#sessions.push(new WorldSession(this.#realm, ++this.#joined, announced, (...said) => this.#check(...said)));
  }

  #wait(ms: number): void {
    this.#clock.advance(ms);
    for (const call of this.#calls.values())
      must(!call.open || call.due > this.#clock.elapsed(), `${call.key} is overdue`);
  }

  #register(session: WorldSession, step: Step & { do: 'register' }): void {
    const pattern = pick(PATTERNS, step.pattern);
    if (pattern === undefined) return;
    const { invoke, concurrency, force } = step;
    const id = ++session.lastRequest;
    session.asked.set(id, { concurrency, pattern });
    const options = {
      match: pattern.match,
      invoke,
      concurrency,
      force_reregister: force,
    };
    session.tell(64, id, { ...options, forward_timeout: step.forwardTimeout }, pattern.uri);
  }

  #unregister(session: WorldSession, registration: unknown): void {
    if (registration === undefined) return;
    session.registrations.delete(registration);
    session.tell(66, ++session.lastRequest, registration);
  }

  #call(session: WorldSession, step: Step & { do: 'call' }): void {
    const id = ++session.lastRequest;
    const progress = step.progress && session.announced('caller', 'progressive_call_invocations');
    const call: CallRecord = {
      key: `${session.id}:${id}`,
      id,
      receiveProgress: step.receiveProgress,
      sending: progress,
      open: true,
      killed: false,
      invocation: undefined,
      registration: this.#best(pick(URIS, step.uri)),
      timeout: step.timeout,
      due: this.#dueIn(step.timeout),
    };
    session.calls.set(id, call);
    this.#calls.set(call.key, call);
    const options = {
      timeout: step.timeout,
      receive_progress: step.receiveProgress,
      progress,
    };
    session.tell(48, id, options, pick(URIS, step.uri), [call.key]);
  }

  #dueIn(timeout: number): number {
    return timeout === 0 ? Infinity : this.#clock.elapsed() + timeout;
  }

  /** @returns the id of the registration that a call of `uri` goes to: that of the first pattern that matches. */
  #best(uri: string | undefined): unknown {
    const all = this.#sessions.flatMap(({ registrations }) => [...registrations]);
    for (const pattern of PATTERNS) {
      const found = all.find(([, asked]) => asked.pattern === pattern);
      if (found !== undefined && pattern.has.some((one) => one === uri)) return found[0];
    }
    return undefined;
  }

  #callOn(session: WorldSession, call: CallRecord | undefined, last: boolean): void {
    if (call === undefined) return;
    call.sending = !last;
    session.tell(48, call.id, last ? {} : { progress: true }, 'com.one', [call.key]);
  }

  #yield(session: WorldSession, record: InvocationRecord | undefined, progress: boolean): void {
    if (record === undefined) return;
    record.answered = !progress;
    session.tell(70, record.id, progress ? { progress } : {}, [record.call.key]);
  }

  #error(session: WorldSession, record: InvocationRecord | undefined, unavailable: boolean): void {
    if (record === undefined) return;
    record.answered = true;
    session.tell(8, 68, record.id, {}, unavailable ? 'wamp.error.unavailable' : 'com.error', [record.call.key]);
  }

  #cancel(session: WorldSession, call: CallRecord | undefined, mode: (typeof MODES)[number]): void {
    if (call === undefined) return;
    if (this.#cancelWithoutError && mode !== 'kill' && !call.killed) call.open = false;
    session.tell(49, call.id, mode === undefined ? {} : { mode });
    call.killed ||= mode === 'kill';
  }

  #leave(session: WorldSession): void {
    this.#sessions.splice(this.#sessions.indexOf(session), 1);
    session.gone = true;
    for (const call of session.calls.values()) call.open = false;
    session.leave();
  }

  /** What the router says to a session must make sense at the moment when it says it. */
  #check(session: WorldSession, fields: readonly unknown[]): void {
    switch (fields[0]) {
      case 50:
        return this.#onResult(session, fields);
      case 8:
        if (fields[1] === 48) this.#onCallError(session, fields);
        return;
      case 68:
        return this.#onInvocation(session, fields);
      case 69:
        return onInterrupt(session, fields);
      case 65:
        return this.#onRegistered(session, fields);
      case 67:
        if (fields[1] === 0) session.registrations.delete((fields[2] as { registration: unknown }).registration);
        return;
      default:
        throw new Error(`the router said ${JSON.stringify(fields)}`);
    }
  }

  #onResult(session: WorldSession, [, id, details, args]: readonly unknown[]): void {
    const call = openCall(session, id);
    const { progress } = details as { progress?: boolean };
    must((args as unknown[])[0] === call.key, `call ${call.key} got the result of another`);
    if (progress === true) must(call.receiveProgress, `call ${call.key} got progress it did not ask for`);
    else this.#close(call);
    if (progress === true && call.due !== Infinity) call.due = this.#dueIn(call.timeout);
  }

  #onRegistered(session: WorldSession, [, request, registration]: readonly unknown[]): void {
    const asked = session.asked.get(request);
    must(asked !== undefined, 'a registration that nobody asked for');
    // A pattern has one registration: others were taken away, and not every callee is told.
    for (const { registrations } of this.#sessions) {
      for (const [id, { pattern }] of registrations) {
        if (pattern === asked.pattern && id !== registration) registrations.delete(id);
      }
    }
    if (!session.registrations.has(registration)) session.registrations.set(registration, asked);
  }

  #onCallError(session: WorldSession, [, , id, , error, args]: readonly unknown[]): void {
    const call = openCall(session, id);
    const ofCallee = ['com.error', 'wamp.error.unavailable'].includes(String(error));
    if (ofCallee) must((args as unknown[])[0] === call.key, `call ${call.key} got the error of another`);
    if (error === 'wamp.error.timeout')
      must(call.due <= this.#clock.elapsed(), `call ${call.key} ran out of time too early`);
    this.#close(call);
  }

  #close(call: CallRecord): void {
    call.open = false;
    this.answered++;
  }

  #onInvocation(session: WorldSession, [, id, registration, details, args]: readonly unknown[]): void {
    const call = this.#calls.get(String((args as unknown[])[0]));
    must(call?.open === true, `an invocation for no open call`);
    const more = session.invocations.get(Number(id));
    if (more !== undefined) {
      must(more.call === call && call.invocation === more && !more.answered, `more of ${call.key} in the wrong place`);
      return;
    }
    must(id === session.invocations.size + 1, `invocation ${String(id)} is out of order`);
    must(call.invocation?.answered !== false, `call ${call.key} is with two callees`);
    if (call.invocation === undefined) this.#checkTurn(call, registration);
    if ((details as Dict)['timeout'] !== undefined) call.due = Infinity;
    else if (call.due === Infinity) call.due = this.#dueIn(call.timeout);
    const limit = session.registrations.get(registration)?.concurrency;
    must(limit !== undefined, `an invocation of a registration that the callee does not hold`);
    const running = unansweredOf(session).filter((other) => other.registration === registration && isCurrent(other));
    must(limit === 0 || running.length < limit, `more than ${limit} calls at a time`);
    call.invocation = {
      id,
      call,
      registration,
      answered: false,
      interrupted: false,
    };
    session.invocations.set(id, call.invocation);
  }

  /** Calls that wait for the same registration are served in the order in which they came. */
  #checkTurn(call: CallRecord, registration: unknown): void {
    must(registration === call.registration, `call ${call.key} went to another registration`);
    for (const other of this.#calls.values()) {
      if (other === call) return;
      const waits = other.open && other.invocation === undefined && other.registration === registration;
      must(!waits, `call ${call.key} went before ${other.key}`);
    }
  }
}

function openCall(session: WorldSession, id: unknown): CallRecord {
  const call = session.calls.get(Number(id));
  must(call?.open === true, `session ${session.id} got an answer to ${String(id)}, which is no open call`);
  return call;
}

function onInterrupt(session: WorldSession, [, id]: readonly unknown[]): void {
  const record = session.invocations.get(Number(id));
  must(session.announced('callee', 'call_canceling'), 'a callee that cannot be interrupted was');
  must(record?.answered === false, 'a callee was interrupted that has answered');
  must(!record.interrupted, 'a callee was interrupted twice');
  record.interrupted = true;
}

const isAnswered = (record: InvocationRecord): boolean => record.answered;
const isCurrent = (record: InvocationRecord): boolean => record.call.open && record.call.invocation === record;

function unansweredOf(session: WorldSession): InvocationRecord[] {
  return [...session.invocations.values()].filter((record) => !record.answered);
}

function sendingOf(session: WorldSession): CallRecord[] {
  return [...session.calls.values()].filter((call) => call.sending);
}
