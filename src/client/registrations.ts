/**
 * The callee of a client in this process: runs the endpoint for each invocation and answers once, with its result or its error.
 */
import { ErrorUri } from '../wamp/error.js';
import { ERROR, INVOCATION, NO_DETAILS, REGISTER, UNREGISTER, YIELD } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import { traceFacts } from '../wamp/trace.js';
import { isValidUri } from '../wamp/uri.js';
import { CallError } from './api.js';
import { guarded } from './requests.js';
import { payloadFrom, resultPayload, valuesOf } from './values.js';
import type { Logger } from '../log/logger.js';
import type { ClientMessage, Interrupt, Invocation, RegisterOptions, Registered } from '../wamp/message.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { UriRule } from '../wamp/uri.js';
import type { Endpoint, InvocationDetails, Registration } from './api.js';
import type { Requests } from './requests.js';

/** Invocations of one session that may be open at a time: endpoints that never come to an end must not pile up. */
export const MAX_INVOCATIONS = 10_000;

class LocalRegistration implements Registration {
  active = true;
  readonly id: number;
  readonly procedure: string;
  readonly endpoint: Endpoint;
  readonly #owner: Registrations;

  constructor(owner: Registrations, id: number, procedure: string, endpoint: Endpoint) {
    this.#owner = owner;
    this.id = id;
    this.procedure = procedure;
    this.endpoint = endpoint;
  }

  unregister(): Promise<void> {
    return guarded(this.#owner.unregister(this));
  }
}

export interface RegistrationsDeps {
  readonly requests: Requests;
  /** Sends an answer; it goes nowhere when the session is over. */
  readonly send: (message: ClientMessage) => void;
  /** Of the realm. */
  readonly uriRule: UriRule;
  readonly log: Logger;
  /** Whose they are, in lines of the log. */
  readonly owner: string;
}

export class Registrations {
  readonly #deps: RegistrationsDeps;
  // registration id -> registration
  readonly #byId = new Map<number, LocalRegistration>();
  // INVOCATION request id -> how to tell its endpoint to stop
  readonly #running = new Map<number, AbortController>();

  constructor(deps: RegistrationsDeps) {
    this.#deps = deps;
  }

  async register(procedure: string, endpoint: Endpoint, options: RegisterOptions): Promise<Registration> {
    if (typeof endpoint !== 'function') throw new TypeError('the endpoint must be a function');
    return this.#deps.requests.send({
      message: (requestId) => ({ type: REGISTER, requestId, options, procedure }),
      take: (reply) => this.#add((reply as Registered).registration, procedure, endpoint),
    }).promise;
  }

  async unregister(registration: Registration): Promise<void> {
    const { id } = registration;
    if (this.#byId.get(id) !== registration) throw new Error('the registration is not active');
    this.#drop(id);
    const message = (requestId: number) => ({ type: UNREGISTER, requestId, registration: id }) as const;
    await this.#deps.requests.send({ message, take: () => undefined }).promise;
  }

  onInvocation(message: Invocation): void {
    const { requestId } = message;
    const registration = this.#byId.get(message.registration);
    if (registration === undefined) {
      // It was unregistered while the call was on its way.
      return this.#answerError(
        requestId,
        ErrorUri.UNAVAILABLE,
        payloadOf(['the procedure is not registered any more']),
      );
    }
    if (this.#running.size >= MAX_INVOCATIONS) {
      const text = `${MAX_INVOCATIONS} invocations of this component are not answered yet`;
      return this.#answerError(requestId, ErrorUri.MAX_CONCURRENCY_REACHED, payloadOf([text]));
    }
    void this.#run(registration, message);
  }

  /** The caller does not want the result any more. What the endpoint says to that is its answer, if one is waited for. */
  onInterrupt({ requestId }: Interrupt): void {
    this.#running.get(requestId)?.abort(new CallError(ErrorUri.CANCELED, ['the call was canceled']));
  }

  /** The router took a registration away. */
  onRevoked(id: number, reason: unknown): void {
    const registration = this.#byId.get(id);
    this.#drop(id);
    const { log, owner } = this.#deps;
    log.warn({ procedure: registration?.procedure, reason }, `registration of ${owner} was revoked`);
  }

  end(reason: Error): void {
    for (const id of [...this.#byId.keys()]) this.#drop(id);
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  #add(id: number, procedure: string, endpoint: Endpoint): Registration {
    this.#drop(id);
    const registration = new LocalRegistration(this, id, procedure, endpoint);
    this.#byId.set(id, registration);
    return registration;
  }

  #drop(id: number): void {
    const registration = this.#byId.get(id);
    if (registration !== undefined) registration.active = false;
    this.#byId.delete(id);
  }

  async #run({ procedure, endpoint }: LocalRegistration, message: Invocation): Promise<void> {
    const { requestId } = message;
    const controller = new AbortController();
    this.#running.set(requestId, controller);
    try {
      const { args, kwargs } = valuesOf(message.payload);
      const details = this.#details(message, procedure, controller.signal);
      const payload = resultPayload(await endpoint(args, kwargs, details));
      this.#deps.send({ type: YIELD, requestId, options: NO_DETAILS, payload });
    } catch (error) {
      this.#fail(message, procedure, error);
    } finally {
      this.#running.delete(requestId);
    }
  }

  #details({ requestId, details }: Invocation, procedure: string, signal: AbortSignal): InvocationDetails {
    const progress: InvocationDetails['progress'] = (args, kwargs) => {
      if (!this.#running.has(requestId)) throw new Error('the call is over');
      const payload = payloadFrom(args, kwargs);
      this.#deps.send({ type: YIELD, requestId, options: { progress: true }, payload });
    };
    return { procedure, ...details, progress: details.receive_progress === true ? progress : null, signal };
  }

  #fail({ requestId, details }: Invocation, procedure: string, thrown: unknown): void {
    const error = applicationError(thrown, this.#deps.uriRule);
    if (error !== undefined) return this.#answerError(requestId, error.uri, error.payload);
    // The text of other errors is for the log: it may hold what strangers should not see.
    const { log, owner } = this.#deps;
    log.error({ procedure, err: thrown, ...traceFacts(details) }, `endpoint of ${owner} failed`);
    this.#answerError(requestId, ErrorUri.RUNTIME_ERROR, payloadOf(['the procedure failed']));
  }

  #answerError(requestId: number, error: string, payload: Payload): void {
    this.#deps.send({ type: ERROR, requestType: INVOCATION, requestId, details: NO_DETAILS, error, payload });
  }
}

/** @returns what was thrown for the caller to see: a CallError, ours or autobahn's, whose URI the realm takes. */
function applicationError(
  thrown: unknown,
  rule: UriRule,
): { readonly uri: string; readonly payload: Payload } | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('error' in thrown) || !('args' in thrown)) return undefined;
  const { error, args } = thrown;
  if (typeof error !== 'string' || !isValidUri(error, rule) || !Array.isArray(args)) return undefined;
  const kwargs = 'kwargs' in thrown ? ((thrown.kwargs ?? undefined) as Dict | undefined) : undefined;
  try {
    return { uri: error, payload: payloadFrom(args, kwargs) };
  } catch {
    // What it wants to say cannot be sent: it is a slip of the component.
    return undefined;
  }
}
