/**
 * Testaments: what the router publishes for a session when it has ended (section "Testament Meta API"), be it by GOODBYE, by a
 * kill or by the loss of its transport. Those of scope `detached` come first, then those of scope `destroyed`, each in the order
 * in which they were added. (Sessions cannot be resumed here, so both scopes are due at once.)
 *
 * The publication is authorized when the testament is added: by the rules of the role, or by its authorizer, which has been
 * asked by then.
 */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { PUBLISH } from '../../wamp/message.js';
import { parseMessage } from '../../wamp/parse.js';
import { NO_PAYLOAD, countValues, payloadOf } from '../../wamp/payload.js';
import { passthrough } from '../passthru.js';
import { authorize, checkReserved, checkUri } from '../authorize.js';
import { messageWeight } from '../weight.js';
import { CallArguments, DICT, LIST, STRING, invalid } from './procedure.js';
import type { Call, Publish } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { UriRule } from '../../wamp/uri.js';
import type { Budget } from '../budget.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';
import type { ProcedureTable } from './procedure.js';

/** How many testaments a session may have. They are kept in memory until it ends, and few are needed. */
export const MAX_TESTAMENTS = 32;

const PARAMETERS = ['topic', 'args', 'kwargs', 'publish_options', 'scope'] as const;
const SCOPES = ['detached', 'destroyed'] as const;
type Scope = (typeof SCOPES)[number];

/** How many bytes the testaments of a session may take together: all are decoded and published in one go when it ends. */
export const MAX_TESTAMENT_BYTES = 131_072;

/** The same in values, because small ones take time rather than bytes: they are written for subscribers of every serializer. */
export const MAX_TESTAMENT_VALUES = 20_000;

/**
 * A publication for later. It is kept as the CALL that added it, because bytes take a fraction of the memory of their values.
 * It has the permission that the session had when it was added.
 */
interface Testament {
  readonly call: Call;
  readonly permission: Permission;
  /** What the session is charged for it. */
  readonly bytes: number;
  /** How many values the call has. */
  readonly values: number;
}

export interface TestamentDeps {
  readonly uriRule: () => UriRule;
  readonly budget: Budget;
  /** @param make gives the publication, or throws a WampError. */
  readonly publish: (session: RouterSession, make: () => Publish, permission: Permission) => void;
}

/** The testaments of a realm's sessions, and the procedures by which sessions add and flush them. */
export class Testaments {
  readonly #deps: TestamentDeps;
  // session -> its testaments by scope, in order; only sessions that have any
  readonly #bySession = new Map<RouterSession, Record<Scope, Testament[]>>();

  constructor(deps: TestamentDeps) {
    this.#deps = deps;
  }

  readonly procedures: ProcedureTable = {
    'wamp.session.add_testament': (caller, call, granted) => {
      const args = new CallArguments(call, PARAMETERS);
      const message = publication(args);
      const scope = scopeOf(args);
      const permission = this.#permission(caller, message, granted);
      const payload = call.payload.detach?.() ?? call.payload;
      const bytes = messageWeight(message.topic, payload, message.options);
      const values = countValues(args, MAX_TESTAMENT_VALUES, Infinity);
      this.#add(caller, scope, { call: { ...call, payload }, permission, bytes, values });
      return NO_PAYLOAD;
    },

    'wamp.session.flush_testaments': (caller, call) =>
      payloadOf([this.#flush(caller, scopeOf(new CallArguments(call, ['scope'])))]),
  };

  /** Publishes the testaments of a session that has ended. */
  execute(session: RouterSession): void {
    const own = this.#bySession.get(session);
    if (own === undefined) return;
    this.forget(session);
    for (const scope of SCOPES) {
      for (const { call, permission } of own[scope]) {
        this.#deps.publish(session, () => publication(new CallArguments(call, PARAMETERS)), permission);
      }
    }
  }

  /** Drops the testaments of a session. */
  forget(session: RouterSession): void {
    const own = this.#bySession.get(session);
    if (own === undefined) return;
    this.#bySession.delete(session);
    this.#deps.budget.give(session, bytesOf(own));
  }

  /** How many sessions have testaments. */
  get size(): number {
    return this.#bySession.size;
  }

  /** @throws WampError when the session may not publish this now. */
  #permission(session: RouterSession, { topic, options }: Publish, granted: Permission | undefined): Permission {
    checkUri('publish', topic, 'exact', this.#deps.uriRule());
    checkReserved(topic);
    const permission = authorize(session, 'publish', topic, 'exact', granted);
    if (options.disclose_me === true && !permission.disclosePublisher) {
      const text = `role "${session.authrole}" may not disclose its publishers`;
      throw new WampError(ErrorUri.OPTION_DISALLOWED_DISCLOSE_ME, text);
    }
    return permission;
  }

  #add(session: RouterSession, scope: Scope, testament: Testament): void {
    const own = this.#bySession.get(session) ?? { detached: [], destroyed: [] };
    if (own.detached.length + own.destroyed.length >= MAX_TESTAMENTS) {
      throw new WampError(ErrorUri.TESTAMENT_ERROR, `a session has at most ${MAX_TESTAMENTS} testaments`);
    }
    if (bytesOf(own) + testament.bytes > MAX_TESTAMENT_BYTES) {
      const text = `the testaments of a session take at most ${MAX_TESTAMENT_BYTES} bytes`;
      throw new WampError(ErrorUri.TESTAMENT_ERROR, text);
    }
    if (valuesOf(own) + testament.values > MAX_TESTAMENT_VALUES) {
      const text = `the testaments of a session have at most ${MAX_TESTAMENT_VALUES} values`;
      throw new WampError(ErrorUri.TESTAMENT_ERROR, text);
    }
    if (!this.#deps.budget.take(session, testament.bytes)) {
      throw new WampError(ErrorUri.TESTAMENT_ERROR, 'the router keeps as much for this session as it may');
    }
    own[scope].push(testament);
    this.#bySession.set(session, own);
  }

  /** @returns how many there were. */
  #flush(session: RouterSession, scope: Scope): number {
    const own = this.#bySession.get(session);
    if (own === undefined) return 0;
    const count = own[scope].length;
    this.#deps.budget.give(session, total(own[scope]));
    own[scope] = [];
    if (own.detached.length + own.destroyed.length === 0) this.#bySession.delete(session);
    return count;
  }
}

/** @throws WampError when there is no such scope: `wamp.error.testament_error`, as with Crossbar.io. */
function scopeOf(args: CallArguments): Scope {
  const wanted = args.optional('scope', STRING) ?? 'destroyed';
  const scope = SCOPES.find((known) => known === wanted);
  if (scope === undefined) throw new WampError(ErrorUri.TESTAMENT_ERROR, `scope must be ${SCOPES.join(' or ')}`);
  return scope;
}

function total(testaments: readonly Testament[]): number {
  return testaments.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bytesOf({ detached, destroyed }: Record<Scope, Testament[]>): number {
  return total(detached) + total(destroyed);
}

function valuesOf({ detached, destroyed }: Record<Scope, Testament[]>): number {
  return [...detached, ...destroyed].reduce((sum, { values }) => sum + values, 0);
}

/** @returns the PUBLISH, with checked options. It asks for no acknowledgement, because the session has ended. @throws WampError */
function publication(args: CallArguments): Publish {
  const topic = args.required('topic', STRING);
  const payload = payloadFrom(args.required('args', LIST), args.required('kwargs', DICT));
  const options = args.optional('publish_options', DICT) ?? {};
  try {
    const message = parseMessage([PUBLISH, 1, { ...options, acknowledge: false }, topic], 4, payload);
    if (message.type !== PUBLISH) throw new TypeError('a PUBLISH was parsed as something else');
    passthrough(message.options);
    return message;
  } catch (error) {
    if (error instanceof ProtocolViolation) throw invalid(`wamp.session.add_testament: ${error.message}`);
    throw error;
  }
}

function payloadFrom(args: readonly unknown[], kwargs: Dict): Payload {
  return payloadOf(args, Object.keys(kwargs).length === 0 ? undefined : kwargs);
}
