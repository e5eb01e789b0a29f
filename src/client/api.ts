/**
 * What code inside the node sees of WAMP: a session, in the words of autobahn-js, and the few classes that it throws and
 * returns. Components get the session from the node, programs that embed a node from `node.connect`; both import the rest
 * as `crossbar-ts/component`. How a session does all this stands in `session.ts`.
 */
import type { Logger } from '../log/logger.js';
import type { CallOptions, CancelMode, PublishOptions, RegisterOptions, SubscribeOptions } from '../wamp/message.js';

/** Positional arguments; a handler may keep and change them. */
export type Args = unknown[];
/** Keyword arguments; empty when the message has none. */
export type Kwargs = Record<string, unknown>;

/**
 * The function that the config names. What it throws, or its promise rejects with, stops the start of the node. It may
 * return {@link ComponentHooks}, or a promise of them.
 */
export type ComponentFunction = (session: ComponentSession, context: ComponentContext) => unknown;

/** What the function may return. */
export interface ComponentHooks {
  /** Called when the node stops and the session has ended. It is waited for, two seconds at most. */
  stop?(): unknown;
}

/** What the function gets beside the session. */
export interface ComponentContext {
  /** The id of the component. */
  readonly id: string;
  /** `extra` of the config, frozen; undefined without it. */
  readonly extra: unknown;
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** Writes to the log of the node: `log.info({ count: 3 }, 'something happened')`. */
  readonly log: Logger;
  /** The class of the same name, for modules that cannot import this package. */
  readonly CallError: typeof CallError;
  /** The class of the same name, for modules that cannot import this package. */
  readonly Result: typeof Result;
}

/** A WAMP session inside the node. Requests of a session that is over are rejected. */
export interface ComponentSession {
  readonly id: number;
  readonly realm: string;
  /** What WELCOME said: `authid`, `authrole`, the features of the router. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly isOpen: boolean;
  /** Called when the session is over: `wamp.close.system_shutdown` when the node stops. */
  onleave: ((reason: string, details: Readonly<Record<string, unknown>>) => unknown) | undefined;

  /** What the handler throws is logged. */
  subscribe(topic: string, handler: EventHandler, options?: SubscribeOptions): Promise<Subscription>;
  unsubscribe(subscription: Subscription): Promise<void>;

  /** @returns undefined, unless the router is asked to `acknowledge`: then the publication, or why there is none. */
  publish(
    topic: string,
    args: readonly unknown[] | undefined,
    kwargs: Readonly<Kwargs> | undefined,
    options: PublishOptions & { readonly acknowledge: true },
  ): Promise<Publication>;
  publish(
    topic: string,
    args?: readonly unknown[],
    kwargs?: Readonly<Kwargs>,
    options?: PublishOptions & { readonly acknowledge?: false },
  ): undefined;

  /** What the endpoint returns, or its promise resolves to, is the result; what it throws is the error. */
  register(procedure: string, endpoint: Endpoint, options?: RegisterOptions): Promise<Registration>;
  unregister(registration: Registration): Promise<void>;

  /**
   * Resolves to the one positional result (null when there is none), or to a {@link Result} when there are several or
   * keywords. Rejects with a {@link CallError}.
   */
  call(
    procedure: string,
    args?: readonly unknown[],
    kwargs?: Readonly<Kwargs>,
    options?: ComponentCallOptions,
  ): PendingCall;

  /** Ends the session; the node goes on without it. */
  leave(reason?: string, message?: string): void;
}

/** As whom a program joins a realm of its node. */
export interface ConnectOptions {
  /** Decides what the session may do. The realm must have it. */
  readonly role: string;
  /** The `authid` of the session. Default: `local`. */
  readonly authid?: string;
}

/** A session that a program opened itself, with `node.connect`. */
export interface ClientSession extends ComponentSession {
  /** Leaves the realm, and resolves when the session is over. Idempotent; never rejects. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface EventDetails extends Readonly<Record<string, unknown>> {
  readonly publication: number;
  readonly topic: string;
}

export interface InvocationDetails extends Readonly<Record<string, unknown>> {
  readonly procedure: string;
  /** Sends a part of the result; null when the caller did not ask for parts. */
  readonly progress: ((args?: readonly unknown[], kwargs?: Readonly<Kwargs>) => void) | null;
  /** Aborted when the caller cancels the call or is gone, and when the session ends. */
  readonly signal: AbortSignal;
}

/** Called for each event of a subscription. */
export type EventHandler = (args: Args, kwargs: Kwargs, details: EventDetails) => unknown;
export type Endpoint = (args: Args, kwargs: Kwargs, details: InvocationDetails) => unknown;

export interface Subscription {
  readonly id: number;
  readonly topic: string;
  /** False when it was given up, or the router took it away. */
  readonly active: boolean;
  unsubscribe(): Promise<void>;
}

export interface Registration {
  readonly id: number;
  readonly procedure: string;
  /** False when it was given up, or the router took it away. */
  readonly active: boolean;
  unregister(): Promise<void>;
}

export interface Publication {
  readonly id: number;
}

export type ComponentCallOptions = CallOptions & {
  /** Gets every part of the result, in the form of the result itself; it implies `receive_progress`. */
  readonly on_progress?: (part: unknown) => unknown;
};

export interface PendingCall extends Promise<unknown> {
  /** With `skip` and `killnowait` (the default) the call is rejected at once, with `kill` when the callee has stopped. */
  cancel(options?: { readonly mode?: CancelMode }): void;
}

/** An error of the application: an endpoint throws it, a caller gets it. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** The URI. */
  readonly error: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Kwargs>;

  constructor(error: string, args: readonly unknown[] = [], kwargs: Readonly<Kwargs> = {}) {
    super(typeof args[0] === 'string' ? `${error}: ${args[0]}` : error);
    this.error = error;
    this.args = args;
    this.kwargs = kwargs;
  }
}

/** A result that is more than one value. */
export class Result {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Kwargs>;

  constructor(args: readonly unknown[] = [], kwargs: Readonly<Kwargs> = {}) {
    this.args = args;
    this.kwargs = kwargs;
  }
}
