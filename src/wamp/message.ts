/**
 * The messages of WAMP v2 as a discriminated union on `type` (section "Message Definitions"). Messages are plain
 * values; reading them from a decoded array and checking them is the business of `parse.ts`.
 *
 * Fields have the names of the specification in camelCase; options and details keep their wire spelling.
 */
import type { Dict, Payload } from './payload.js';
import type { Match } from './uri.js';

export const HELLO = 1;
export const WELCOME = 2;
export const ABORT = 3;
export const CHALLENGE = 4;
export const AUTHENTICATE = 5;
export const GOODBYE = 6;
export const ERROR = 8;
export const PUBLISH = 16;
export const PUBLISHED = 17;
export const SUBSCRIBE = 32;
export const SUBSCRIBED = 33;
export const UNSUBSCRIBE = 34;
export const UNSUBSCRIBED = 35;
export const EVENT = 36;
export const CALL = 48;
export const CANCEL = 49;
export const RESULT = 50;
export const REGISTER = 64;
export const REGISTERED = 65;
export const UNREGISTER = 66;
export const UNREGISTERED = 67;
export const INVOCATION = 68;
export const INTERRUPT = 69;
export const YIELD = 70;

/** Role -> feature -> announced, as HELLO and WELCOME carry it. */
export type RoleFeatures = Readonly<Record<string, { readonly features?: Readonly<Record<string, boolean>> }>>;

export interface HelloDetails extends Dict {
  readonly roles: RoleFeatures;
  readonly authmethods?: readonly string[];
  readonly authid?: string;
  readonly authextra?: Dict;
}

export interface PublishOptions extends Dict {
  readonly acknowledge?: boolean;
  readonly exclude_me?: boolean;
  readonly disclose_me?: boolean;
  readonly retain?: boolean;
  readonly eligible?: readonly number[];
  readonly eligible_authid?: readonly string[];
  readonly eligible_authrole?: readonly string[];
  readonly exclude?: readonly number[];
  readonly exclude_authid?: readonly string[];
  readonly exclude_authrole?: readonly string[];
}

export interface SubscribeOptions extends Dict {
  readonly match?: Match;
  readonly get_retained?: boolean;
}

export interface CallOptions extends Dict {
  /** Milliseconds; 0 or absent: none. */
  readonly timeout?: number;
  readonly receive_progress?: boolean;
  readonly progress?: boolean;
  readonly disclose_me?: boolean;
}

export type CancelMode = 'skip' | 'kill' | 'killnowait';

export interface CancelOptions extends Dict {
  readonly mode?: CancelMode;
}

export type InvocationPolicy = 'single' | 'first' | 'last' | 'roundrobin' | 'random';

export interface RegisterOptions extends Dict {
  readonly match?: Match;
  readonly invoke?: InvocationPolicy;
  readonly concurrency?: number;
  readonly force_reregister?: boolean;
  readonly disclose_caller?: boolean;
  /** The callee keeps the time of its calls itself. */
  readonly forward_timeout?: boolean;
}

export interface YieldOptions extends Dict {
  readonly progress?: boolean;
}

export interface Hello {
  readonly type: typeof HELLO;
  /** Undefined where the client names none: whoever lets it in may know (as with Crossbar.io). */
  readonly realm: string | undefined;
  readonly details: HelloDetails;
}
export interface Welcome {
  readonly type: typeof WELCOME;
  readonly session: number;
  /** What the router can do, the first of the details that are sent: the same object for all sessions of a realm. */
  readonly roles: RoleFeatures;
  /** The others. */
  readonly details: Dict;
}
export interface Abort {
  readonly type: typeof ABORT;
  readonly details: Dict;
  readonly reason: string;
  readonly payload: Payload;
}
export interface Challenge {
  readonly type: typeof CHALLENGE;
  readonly authmethod: string;
  readonly extra: Dict;
}
export interface Authenticate {
  readonly type: typeof AUTHENTICATE;
  readonly signature: string;
  readonly extra: Dict;
}
export interface Goodbye {
  readonly type: typeof GOODBYE;
  readonly details: Dict;
  readonly reason: string;
}
export interface ErrorMessage {
  readonly type: typeof ERROR;
  readonly requestType: number;
  readonly requestId: number;
  readonly details: Dict;
  readonly error: string;
  readonly payload: Payload;
}
export interface Publish {
  readonly type: typeof PUBLISH;
  readonly requestId: number;
  readonly options: PublishOptions;
  readonly topic: string;
  readonly payload: Payload;
}
export interface Published {
  readonly type: typeof PUBLISHED;
  readonly requestId: number;
  readonly publication: number;
}
export interface Subscribe {
  readonly type: typeof SUBSCRIBE;
  readonly requestId: number;
  readonly options: SubscribeOptions;
  readonly topic: string;
}
export interface Subscribed {
  readonly type: typeof SUBSCRIBED;
  readonly requestId: number;
  readonly subscription: number;
}
export interface Unsubscribe {
  readonly type: typeof UNSUBSCRIBE;
  readonly requestId: number;
  readonly subscription: number;
}
export interface Unsubscribed {
  readonly type: typeof UNSUBSCRIBED;
  readonly requestId: number;
  /** Only when the router takes the subscription away (request id 0): which one, and why. */
  readonly details?: Dict;
}
export interface Event {
  readonly type: typeof EVENT;
  readonly subscription: number;
  readonly publication: number;
  readonly details: Dict;
  readonly payload: Payload;
  /**
   * The encoded event, one entry per codec (`serializer/serializer.ts`), filled by the first receiver that needs it:
   * a thousand subscribers of one subscription share one encoding and one frame.
   */
  readonly frames: (object | undefined)[];
}
export interface Call {
  readonly type: typeof CALL;
  readonly requestId: number;
  readonly options: CallOptions;
  readonly procedure: string;
  readonly payload: Payload;
}
export interface Cancel {
  readonly type: typeof CANCEL;
  readonly requestId: number;
  readonly options: CancelOptions;
}
export interface Result {
  readonly type: typeof RESULT;
  readonly requestId: number;
  readonly details: Dict;
  readonly payload: Payload;
}
export interface Register {
  readonly type: typeof REGISTER;
  readonly requestId: number;
  readonly options: RegisterOptions;
  readonly procedure: string;
}
export interface Registered {
  readonly type: typeof REGISTERED;
  readonly requestId: number;
  readonly registration: number;
}
export interface Unregister {
  readonly type: typeof UNREGISTER;
  readonly requestId: number;
  readonly registration: number;
}
export interface Unregistered {
  readonly type: typeof UNREGISTERED;
  readonly requestId: number;
  /** Only when the router takes the registration away (request id 0): which one, and why. */
  readonly details?: Dict;
}
export interface Invocation {
  readonly type: typeof INVOCATION;
  readonly requestId: number;
  readonly registration: number;
  readonly details: Dict;
  readonly payload: Payload;
}
export interface Interrupt {
  readonly type: typeof INTERRUPT;
  readonly requestId: number;
  readonly options: Dict;
}
export interface Yield {
  readonly type: typeof YIELD;
  readonly requestId: number;
  readonly options: YieldOptions;
  readonly payload: Payload;
}

/** What a client may send to a router. */
export type ClientMessage =
  | Hello
  | Abort
  | Authenticate
  | Goodbye
  | ErrorMessage
  | Publish
  | Subscribe
  | Unsubscribe
  | Call
  | Cancel
  | Register
  | Unregister
  | Yield;

/** What a router sends to a client. */
export type RouterMessage =
  | Welcome
  | Abort
  | Challenge
  | Goodbye
  | ErrorMessage
  | Published
  | Subscribed
  | Unsubscribed
  | Event
  | Result
  | Registered
  | Unregistered
  | Invocation
  | Interrupt;

export type Message = ClientMessage | RouterMessage;

/** The empty dictionary, shared: most options and details are empty. */
export const NO_DETAILS: Dict = Object.freeze({});
