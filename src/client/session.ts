/**
 * The session of a client, from HELLO to GOODBYE: it speaks WAMP, and knows no transport. What is promised to those who use it
 * stands in `api.ts`.
 *
 *     joining --WELCOME--> open --leave()--> leaving --GOODBYE--> over
 *        |  +--CHALLENGE (answered)
 *        |                  |
 *        +--ABORT--> over   +--GOODBYE (answered), ABORT--> over
 *
 * An error in the code of the client is logged or answered; it never reaches the router.
 */
import { CloseUri, ErrorUri } from '../wamp/error.js';
import * as m from '../wamp/message.js';
import { CallError } from './api.js';
import { Registrations } from './registrations.js';
import { guarded, Requests } from './requests.js';
import { Subscriptions } from './subscriptions.js';
import { NO_PAYLOAD } from '../wamp/payload.js';
import { payloadFrom, resultOf } from './values.js';
import type { Logger } from '../log/logger.js';
import type { ClientMessage, RouterMessage } from '../wamp/message.js';
import type { Dict } from '../wamp/payload.js';
import type { UriRule } from '../wamp/uri.js';
import type * as api from './api.js';
import type { RelayAnswer, Relayed, Relaying } from './relay.js';
import type { Reply, Sent } from './requests.js';

/** What we can do, as HELLO says it. */
const ROLES: m.RoleFeatures = {
  publisher: { features: { publisher_identification: true, publisher_exclusion: true } },
  subscriber: {
    features: { publisher_identification: true, pattern_based_subscription: true, subscription_revocation: true },
  },
  caller: { features: { caller_identification: true, progressive_call_results: true, call_canceling: true } },
  callee: {
    features: {
      caller_identification: true,
      pattern_based_registration: true,
      shared_registration: true,
      progressive_call_results: true,
      call_canceling: true,
      registration_revocation: true,
    },
  },
};

/** Options that ask for what was not announced: the router would end the session. */
const NOT_ANNOUNCED = ['progress', 'ppt_scheme', 'enc_algo'];

const NOT_OPEN = 'the session is not open';

export interface InProcessSessionDeps {
  /** The way to the router. @throws TypeError for a message that no client could send. */
  readonly tell: (message: ClientMessage) => void;
  /** Of the realm. */
  readonly uriRule: UriRule;
  readonly log: Logger;
  /** Whose session it is, in lines of the log: `a component`. */
  readonly owner: string;
  /** How it proves who it is; a client in this process never has to. */
  readonly proofs?: Proofs;
}

/** How a client answers CHALLENGE, and what it demands of the router. Both may throw: then it does not join. */
export interface Proofs {
  answer(challenge: m.Challenge): Promise<Pick<m.Authenticate, 'signature' | 'extra'>>;
  /** @param details of WELCOME. */
  check(details: Dict): void;
}

/** What HELLO says beside the roles. */
export interface JoinDetails {
  readonly authmethods: readonly string[];
  readonly authid?: string;
  readonly authextra?: Dict;
}

/** One session, for the code that uses it and for the transport below it. */
export class InProcessSession implements api.ClientSession {
  id = 0;
  realm = '';
  details: Dict = {};
  onleave: api.ComponentSession['onleave'];
  /** Resolves with the reason when the session is over. */
  readonly over: Promise<string>;
  readonly #deps: InProcessSessionDeps;
  readonly #requests: Requests;
  readonly #subscriptions: Subscriptions;
  readonly #registrations: Registrations;
  #state: 'joining' | 'open' | 'leaving' | 'over' = 'joining';
  #joined: { resolve(): void; reject(error: Error): void } | undefined;
  #isOver: (reason: string) => void = () => undefined;

  constructor(deps: InProcessSessionDeps) {
    const { tell, uriRule, log, owner } = deps;
    this.#deps = deps;
    this.over = new Promise((resolve) => (this.#isOver = resolve));
    this.#requests = new Requests(tell);
    this.#subscriptions = new Subscriptions(this.#requests, log, owner);
    const send = (message: ClientMessage): void => {
      if (this.isOpen) tell(message);
    };
    this.#registrations = new Registrations({ requests: this.#requests, send, uriRule, log, owner });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get #isJoining(): boolean {
    return this.#state === 'joining';
  }

  /** Rejects when it is not let in. */
  join(realm: string, details: JoinDetails): Promise<void> {
    if (!this.#isJoining) return Promise.reject(new Error(NOT_OPEN));
    return new Promise((resolve, reject) => {
      this.#joined = { resolve, reject };
      this.#deps.tell({ type: m.HELLO, realm, details: { roles: ROLES, ...details } });
    });
  }

  subscribe(topic: string, handler: api.EventHandler, options: m.SubscribeOptions = {}): Promise<api.Subscription> {
    return this.#whileOpen(() => this.#subscriptions.subscribe(topic, handler, options));
  }

  unsubscribe(subscription: api.Subscription): Promise<void> {
    return this.#whileOpen(() => this.#subscriptions.unsubscribe(subscription));
  }

  register(procedure: string, endpoint: api.Endpoint, options: m.RegisterOptions = {}): Promise<api.Registration> {
    return this.#whileOpen(() => this.#registrations.register(procedure, endpoint, options));
  }

  unregister(registration: api.Registration): Promise<void> {
    return this.#whileOpen(() => this.#registrations.unregister(registration));
  }

  publish(
    topic: string,
    args: readonly unknown[] | undefined,
    kwargs: Readonly<api.Kwargs> | undefined,
    options: m.PublishOptions & { readonly acknowledge: true },
  ): Promise<api.Publication>;
  publish(
    topic: string,
    args?: readonly unknown[],
    kwargs?: Readonly<api.Kwargs>,
    options?: m.PublishOptions & { readonly acknowledge?: false },
  ): undefined;
  publish(
    topic: string,
    args?: readonly unknown[],
    kwargs?: Readonly<api.Kwargs>,
    options: m.PublishOptions = {},
  ): Promise<api.Publication> | undefined {
    const message = (requestId: number): m.Publish => {
      checkOptions(options);
      return { type: m.PUBLISH, requestId, options, topic, payload: payloadFrom(args, kwargs) };
    };
    if (options.acknowledge === true) {
      const take = (reply: Reply) => ({ id: (reply as m.Published).publication });
      return this.#whileOpen(async () => this.#requests.send({ message, take }).promise);
    }
    if (!this.isOpen) throw new Error(NOT_OPEN);
    this.#requests.post(message);
    return undefined;
  }

  call(
    procedure: string,
    args?: readonly unknown[],
    kwargs?: Readonly<api.Kwargs>,
    { on_progress: onProgress, ...rest }: api.ComponentCallOptions = {},
  ): api.PendingCall {
    const options: m.CallOptions = onProgress === undefined ? rest : { ...rest, receive_progress: true };
    let sent: Sent<unknown> | undefined;
    const promise = this.#whileOpen(async () => {
      sent = this.#requests.send({
        message: (requestId) => {
          checkOptions(options);
          return { type: m.CALL, requestId, options, procedure, payload: payloadFrom(args, kwargs) };
        },
        take: (reply) => resultOf((reply as m.Result).payload),
        part: ({ payload }) => void this.#attempt('progress handler', () => onProgress?.(resultOf(payload))),
      });
      return sent.promise;
    });
    const cancel: api.PendingCall['cancel'] = ({ mode = 'killnowait' } = {}) => {
      if (sent !== undefined) this.#cancel(sent.requestId, mode);
    };
    return Object.assign(promise, { cancel });
  }

  /** Asks for others: nothing of what they say is looked at. */
  relay(relayed: Relayed): Relaying {
    let requestId: number | undefined;
    const answer = this.#whileOpen(async () => {
      const sent = this.#requests.send<RelayAnswer>({
        message: (id) => ({ ...relayed, requestId: id }),
        take: (reply) => reply as RelayAnswer,
        fail: (error) => error,
      });
      ({ requestId } = sent);
      return sent.promise;
    });
    const cancel: Relaying['cancel'] = (mode) => {
      if (requestId !== undefined) this.#cancel(requestId, mode);
    };
    return { answer, cancel };
  }

  leave(reason: string = CloseUri.NORMAL, message?: string): void {
    if (!this.isOpen) return;
    this.#state = 'leaving';
    this.#deps.tell({ type: m.GOODBYE, details: message === undefined ? m.NO_DETAILS : { message }, reason });
  }

  async close(): Promise<void> {
    this.leave();
    await this.over;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Takes the next message of the router. Never throws. */
  receive(message: RouterMessage): void {
    if (this.#state === 'over') return;
    switch (message.type) {
      case m.WELCOME:
        return this.#onWelcome(message);
      case m.ABORT:
        return this.#end(message.reason, message.details);
      case m.GOODBYE:
        return this.#onGoodbye(message);
      case m.EVENT:
        return this.#subscriptions.onEvent(message);
      case m.INVOCATION:
        return this.#registrations.onInvocation(message);
      case m.INTERRUPT:
        return this.#registrations.onInterrupt(message);
      case m.CHALLENGE:
        return void this.#onChallenge(message);
      default:
        return this.#onReply(message);
    }
  }

  /** The transport is closed. */
  disconnected(reason: string = CloseUri.KILLED, message = 'the connection was closed'): void {
    if (this.#state !== 'over') this.#end(reason, { message });
  }

  #onReply(message: Reply | m.ErrorMessage): void {
    if (message.type === m.ERROR) return this.#requests.onError(message);
    if (message.type === m.RESULT && message.details.progress === true) return this.#requests.onPart(message);
    if ((message.type === m.UNSUBSCRIBED || message.type === m.UNREGISTERED) && message.requestId === 0) {
      return this.#onRevoked(message.details ?? {});
    }
    this.#requests.onReply(message);
  }

  #onRevoked({ subscription, registration, reason }: Dict): void {
    if (typeof subscription === 'number') this.#subscriptions.onRevoked(subscription, reason);
    if (typeof registration === 'number') this.#registrations.onRevoked(registration, reason);
  }

  async #onChallenge(challenge: m.Challenge): Promise<void> {
    const { proofs } = this.#deps;
    if (proofs === undefined || !this.#isJoining) return;
    try {
      this.#authenticate(await proofs.answer(challenge));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #authenticate(answer: Pick<m.Authenticate, 'signature' | 'extra'>): void {
    if (this.#isJoining) this.#deps.tell({ type: m.AUTHENTICATE, ...answer });
  }

  /** It does not want to join any more. */
  #giveUp(error: unknown): void {
    if (!this.#isJoining) return;
    const message = error instanceof Error ? error.message : String(error);
    const reason = ErrorUri.AUTHENTICATION_FAILED;
    this.#deps.tell({ type: m.ABORT, details: {}, reason, payload: NO_PAYLOAD });
    this.#end(reason, { message });
  }

  #onWelcome({ session, details, roles }: m.Welcome): void {
    try {
      this.#deps.proofs?.check(details);
    } catch (error) {
      return this.#giveUp(error);
    }
    this.id = session;
    this.details = { ...details, roles };
    this.realm = String(details.realm);
    this.#state = 'open';
    this.#joined?.resolve();
  }

  #onGoodbye({ reason, details }: m.Goodbye): void {
    if (this.isOpen) {
      this.#state = 'leaving';
      this.#deps.tell({ type: m.GOODBYE, details: m.NO_DETAILS, reason: CloseUri.GOODBYE_AND_OUT });
    }
    this.#end(reason, details);
  }

  #cancel(requestId: number, mode: m.CancelMode): void {
    if (!this.isOpen || !this.#requests.isPending(requestId)) return;
    this.#deps.tell({ type: m.CANCEL, requestId, options: { mode } });
    // The router may be told to keep quiet then (`cancel_without_error`); if it does not, the ERROR comes too late.
    if (mode !== 'kill') this.#requests.reject(requestId, new CallError(ErrorUri.CANCELED, ['the call was canceled']));
  }

  #end(reason: string, details: Dict): void {
    const text = typeof details.message === 'string' ? details.message : 'the session is over';
    const error = new CallError(reason, [text]);
    this.#state = 'over';
    this.#joined?.reject(error);
    this.#requests.rejectAll(error);
    this.#subscriptions.end();
    this.#registrations.end(error);
    void this.#attempt('onleave', () => this.onleave?.(reason, details));
    this.#isOver(reason);
  }

  #whileOpen<T>(ask: () => Promise<T>): Promise<T> {
    return guarded(this.isOpen ? ask() : Promise.reject(new Error(NOT_OPEN)));
  }

  /** Runs code of the client that nobody waits for. */
  async #attempt(what: string, run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (err) {
      this.#deps.log.error({ err }, `${what} of ${this.#deps.owner} failed`);
    }
  }
}

function checkOptions(options: Dict): void {
  const option = NOT_ANNOUNCED.find((name) => options[name] !== undefined);
  if (option !== undefined) throw new TypeError(`the option "${option}" is not supported in components`);
}
