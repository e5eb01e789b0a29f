/** What the tests use of autobahn-js; the package ships no types. */
declare module 'autobahn' {
  export const log: { warn: (...args: readonly unknown[]) => void };
  /** Constructors; what they make is for `serializers` of a transport. */
  export const serializer: Readonly<
    Record<'JSONSerializer' | 'MsgpackSerializer' | 'CBORSerializer', new () => object>
  >;
  export class Result {
    constructor(args?: readonly unknown[], kwargs?: object);
    readonly args: readonly unknown[];
    readonly kwargs: Readonly<Record<string, unknown>>;
  }
  export class Error {
    constructor(error: string, args?: readonly unknown[], kwargs?: object);
    readonly error: string;
    readonly args: readonly unknown[];
    readonly kwargs: Readonly<Record<string, unknown>>;
  }
  export interface EventDetails {
    readonly publication: number;
    readonly topic: string;
    readonly retained: boolean;
    readonly publisher?: number;
    readonly publisher_authid?: string;
    readonly publisher_authrole?: string;
  }
  export interface InvocationDetails {
    readonly procedure: string;
    /** Null unless the caller wants progressive results. */
    readonly progress: ((args: readonly unknown[]) => void) | null;
    readonly caller?: number;
    readonly caller_authid?: string;
    readonly caller_authrole?: string;
  }
  export interface Subscription {
    readonly id: number;
    readonly topic: string;
    readonly active: boolean;
    /** The reason, when the router took it away. */
    readonly on_unsubscribe: Promise<string | undefined>;
  }
  export interface Registration {
    readonly id: number;
    readonly procedure: string;
    readonly active: boolean;
    /** The reason, when the router took it away. */
    readonly on_unregister: Promise<string | undefined>;
  }
  export interface Call extends Promise<unknown> {
    cancel(options?: { readonly mode?: 'skip' | 'kill' | 'killnowait' }): void;
    /** Of the promises of when.js, which is what one gets without `use_es6_promises`. */
    progress(handler: (result: unknown) => void): Promise<unknown>;
  }
  type Handler = (args: unknown[], kwargs: Record<string, unknown>, details: EventDetails) => void;
  type Endpoint = (args: unknown[], kwargs: Record<string, unknown>, details: InvocationDetails) => unknown;
  export interface Session {
    readonly id: number;
    readonly isOpen: boolean;
    subscribe(topic: string, handler: Handler, options?: object): Promise<Subscription>;
    unsubscribe(subscription: Subscription): Promise<unknown>;
    publish(
      topic: string,
      args: readonly unknown[],
      kwargs: object,
      options: { readonly acknowledge: true; readonly [option: string]: unknown },
    ): Promise<{ id: number }>;
    publish(topic: string, args?: readonly unknown[], kwargs?: object): undefined;
    register(procedure: string, endpoint: Endpoint, options?: object): Promise<Registration>;
    unregister(registration: Registration): Promise<unknown>;
    call(procedure: string, args?: readonly unknown[], kwargs?: object, options?: object): Call;
  }
  export interface WelcomeDetails {
    readonly realm: string;
    readonly authid: string;
    readonly authrole: string;
    readonly authmethod: string;
    readonly authprovider: string;
  }
  export interface CloseDetails {
    readonly reason: string | null;
    readonly message: string | null;
    readonly will_retry: boolean;
  }
  export class Connection {
    constructor(options: {
      readonly realm: string;
      readonly url?: string;
      readonly transports?: readonly object[];
      readonly max_retries?: number;
      /** In seconds. */
      readonly initial_retry_delay?: number;
      readonly max_retry_delay?: number;
      readonly authmethods?: readonly string[];
      readonly authid?: string;
      readonly authextra?: object;
      readonly onchallenge?: (session: Session, method: string, extra: Readonly<Record<string, unknown>>) => unknown;
      readonly use_es6_promises?: boolean;
      readonly on_user_error?: (error: unknown, message: string) => void;
      readonly on_internal_error?: (error: unknown, message: string) => void;
    });
    onopen: (session: Session, details: WelcomeDetails) => void;
    onclose: (reason: 'closed' | 'lost' | 'unreachable' | 'unsupported', details: CloseDetails) => boolean;
    open(): void;
    close(reason?: string, message?: string): void;
  }
  export const auth_cryptosign: {
    sign_challenge(pkey: { readonly secretKey: Uint8Array }, extra: object): string;
  };
  export const auth_cra: {
    sign(key: string, challenge: unknown): string;
    derive_key(password: string, salt: unknown, iterations: unknown, keylen: unknown): string;
  };
}
