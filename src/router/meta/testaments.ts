/**
 * Testaments: what a session wants to be published when it is gone (section "Testament Meta API"). However it goes, by
 * GOODBYE, by a kill or with its transport: first those of scope `detached`, then those of scope `destroyed`, each in the
 * order in which they were added. (A session cannot be detached and come back here, so both are due at once.)
 *
 * Whether the owner may publish there is decided when the testament is added: by the rules of its role, or by the authorizer
 * of it, which has been asked by then.
 */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { PUBLISH } from '../../wamp/message.js';
import { parseMessage } from '../../wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../wamp/payload.js';
import { isReservedUri, isValidUri, quoted } from '../../wamp/uri.js';
import { passthrough } from '../passthru.js';
import { authorize } from '../role.js';
import { CallArguments, DICT, LIST, STRING, invalid } from './procedure.js';
import type { Publish } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { UriRule } from '../../wamp/uri.js';
import type { Permission } from '../role.js';
import type { RouterSession } from '../session.js';
import type { ProcedureTable } from './procedure.js';

/** How many a session may have: they are kept in memory for as long as it lives, and nobody needs more than a few. */
export const MAX_TESTAMENTS = 32;

const SCOPES = ['detached', 'destroyed'] as const;
type Scope = (typeof SCOPES)[number];

/** A publication that waits, with the permission that its owner had when it was added. */
interface Testament {
  readonly message: Publish;
  readonly permission: Permission;
}

export interface TestamentDeps {
  readonly uriRule: UriRule;
  readonly publish: (session: RouterSession, message: Publish, permission: Permission) => void;
}

export class Testaments {
  readonly #deps: TestamentDeps;
  // session -> its testaments by scope, in order; only sessions that have any
  readonly #bySession = new Map<RouterSession, Record<Scope, Testament[]>>();

  constructor(deps: TestamentDeps) {
    this.#deps = deps;
  }

  readonly procedures: ProcedureTable = {
    'wamp.session.add_testament': (caller, call, granted) => {
      const args = new CallArguments(call, ['topic', 'args', 'kwargs', 'publish_options', 'scope']);
      const topic = args.required('topic', STRING);
      const payload = payloadFrom(args.required('args', LIST), args.required('kwargs', DICT));
      const options = args.optional('publish_options', DICT) ?? {};
      this.#add(caller, scopeOf(args), this.#testament(caller, publication(topic, options, payload), granted));
      return NO_PAYLOAD;
    },

    'wamp.session.flush_testaments': (caller, call) =>
      payloadOf([this.#flush(caller, scopeOf(new CallArguments(call, ['scope'])))]),
  };

  /** A session is gone and wants to be heard once more. */
  execute(session: RouterSession): void {
    const own = this.#bySession.get(session);
    if (own === undefined) return;
    this.#bySession.delete(session);
    for (const scope of SCOPES) {
      for (const { message, permission } of own[scope]) this.#deps.publish(session, message, permission);
    }
  }

  forget(session: RouterSession): void {
    this.#bySession.delete(session);
  }

  /** How many sessions have testaments. */
  get size(): number {
    return this.#bySession.size;
  }

  /** @throws WampError for a publication that its owner could not make now. */
  #testament(session: RouterSession, message: Publish, granted: Permission | undefined): Testament {
    const { topic, options } = message;
    if (!isValidUri(topic, this.#deps.uriRule)) {
      throw new WampError(ErrorUri.INVALID_URI, `invalid topic URI ${quoted(topic)}`);
    }
    if (isReservedUri(topic)) throw new WampError(ErrorUri.INVALID_URI, `${quoted(topic)} is reserved for the router`);
    const permission = authorize(session, 'publish', topic, 'exact', granted);
    if (options.disclose_me === true && !permission.disclosePublisher) {
      const text = `role "${session.authrole}" may not disclose its publishers`;
      throw new WampError(ErrorUri.OPTION_DISALLOWED_DISCLOSE_ME, text);
    }
    return { message, permission };
  }

  #add(session: RouterSession, scope: Scope, testament: Testament): void {
    let own = this.#bySession.get(session);
    if (own === undefined) this.#bySession.set(session, (own = { detached: [], destroyed: [] }));
    if (own.detached.length + own.destroyed.length >= MAX_TESTAMENTS) {
      throw new WampError(ErrorUri.TESTAMENT_ERROR, `a session has at most ${MAX_TESTAMENTS} testaments`);
    }
    own[scope].push(testament);
  }

  /** @returns how many there were. */
  #flush(session: RouterSession, scope: Scope): number {
    const own = this.#bySession.get(session);
    if (own === undefined) return 0;
    const count = own[scope].length;
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

/** Checks the options as those of a PUBLISH are checked. Nobody waits for an acknowledgement. */
function publication(topic: string, options: Dict, payload: Payload): Publish {
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
