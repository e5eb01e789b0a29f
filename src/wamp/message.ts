/**
 * The messages of WAMP v2 as a discriminated union on `type` (section "Message Definitions"). Messages are plain
 * values; `parse.ts` makes them from a decoded array, and checks them.
 *
 * Fields have the names of the specification in camelCase; options and details keep their wire spelling.
 */
import type { Dict, Payload } from './payload.js';
import type { Match } from './uri.js';

/** Client to router: opens a session. */
export const HELLO = 1;
/** Router to client: the session is open. */
export const WELCOME = 2;
/** Either way: the session is refused or ends at once. */
export const ABORT = 3;
/** Router to client: prove who you are. */
export const CHALLENGE = 4;
/** Client to router: the answer to a CHALLENGE. */
export const AUTHENTICATE = 5;
/** Either way: the session ends; the other side answers with its own. */
export const GOODBYE = 6;
/** Either way: a request failed. */
export const ERROR = 8;
/** Publisher to broker. */
export const PUBLISH = 16;
/** Broker to publisher, if it asked for an acknowledgement. */
export const PUBLISHED = 17;
/** Subscriber to broker. */
export const SUBSCRIBE = 32;
/** Broker to subscriber. */
export const SUBSCRIBED = 33;
/** Subscriber to broker. */
export const UNSUBSCRIBE = 34;
/** Broker to subscriber: the answer, or a revocation. */
export const UNSUBSCRIBED = 35;
/** Broker to subscriber. */
export const EVENT = 36;
/** Caller to dealer. */
export const CALL = 48;
/** Caller to dealer: the result is not wanted any more. */
export const CANCEL = 49;
/** Dealer to caller; also progressive ones. */
export const RESULT = 50;
/** Callee to dealer. */
export const REGISTER = 64;
/** Dealer to callee. */
export const REGISTERED = 65;
/** Callee to dealer. */
export const UNREGISTER = 66;
/** Dealer to callee: the answer, or a revocation. */
export const UNREGISTERED = 67;
/** Dealer to callee: a call, or the next part of one. */
export const INVOCATION = 68;
/** Dealer to callee: the result is not wanted any more. */
export const INTERRUPT = 69;
/** Callee to dealer: the result of an INVOCATION; also progressive ones. */
export const YIELD = 70;

/** Role -> feature -> announced, as HELLO and WELCOME carry it. */
export type RoleFeatures = Readonly<Record<string, { readonly features?: Readonly<Record<string, boolean>> }>>;

/** What a client says about itself. Only known keys are kept, because strangers send it. */
export interface HelloDetails extends Dict {
  readonly roles: RoleFeatures;
  readonly authmethods?: readonly string[];
  readonly authid?: string;
  readonly authextra?: Dict;
}

/** The known options of a PUBLISH (sections "Publisher Exclusion", "Subscriber Black- and Whitelisting", "Publisher Identification", "Event Retention"). */
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

/** The known options of a SUBSCRIBE (sections "Pattern-based Subscription", "Event Retention"). */
export interface SubscribeOptions extends Dict {
  readonly match?: Match;
  readonly get_retained?: boolean;
}

/** The known options of a CALL (sections "Call Timeouts", "Progressive Call Results", "Progressive Call Invocations", "Caller Identification"). */
export interface CallOptions extends Dict {
  /** Milliseconds; 0 or absent: none. */
  readonly timeout?: number;
  readonly receive_progress?: boolean;
  readonly progress?: boolean;
  readonly disclose_me?: boolean;
}

/** What a CANCEL does to the callee (section "Call Canceling"). */
export type CancelMode = 'skip' | 'kill' | 'killnowait';

/** The known options of a CANCEL. */
export interface CancelOptions extends Dict {
  readonly mode?: CancelMode;
}

/** Which callee of a shared registration gets a call (section "Shared Registration"). */
export type InvocationPolicy = 'single' | 'first' | 'last' | 'roundrobin' | 'random';

/** The known options of a REGISTER (sections "Pattern-based Registration", "Shared Registration", "Call Timeouts"). */
export interface RegisterOptions extends Dict {
  readonly match?: Match;
  readonly invoke?: InvocationPolicy;
  readonly concurrency?: number;
  readonly force_reregister?: boolean;
  readonly disclose_caller?: boolean;
  /** The callee enforces the timeout of its calls itself. */
  readonly forward_timeout?: boolean;
}

/** The known options of a YIELD. */
export interface YieldOptions extends Dict {
  readonly progress?: boolean;
}

/** `[HELLO, Realm, Details]`: the client opens a session (section "Session Establishment"). */
export interface Hello {
  readonly type: typeof HELLO;
  /** Undefined where the client names none: the authentication method may give it (as in Crossbar.io). */
  readonly realm: string | undefined;
  readonly details: HelloDetails;
}

/** `[WELCOME, Session, Details]`: the router lets the client in. */
export interface Welcome {
  readonly type: typeof WELCOME;
  readonly session: number;
  /** The features of the router: the first of the details that are sent, the same object for all sessions of a realm. */
  readonly roles: RoleFeatures;
  /** The other details. */
  readonly details: Dict;
}

/**
 * `[ABORT, Details, Reason]`: client or router refuses the session or ends it at once. There is no answer. The payload is an
 * extension that other routers have, too.
 */
export interface Abort {
  readonly type: typeof ABORT;
  readonly details: Dict;
  readonly reason: string;
  readonly payload: Payload;
}

/** `[CHALLENGE, AuthMethod, Extra]`: the router asks the client to prove who it is (section "Authentication Methods"). */
export interface Challenge {
  readonly type: typeof CHALLENGE;
  readonly authmethod: string;
  readonly extra: Dict;
}

/** `[AUTHENTICATE, Signature, Extra]`: the client answers a CHALLENGE. */
export interface Authenticate {
  readonly type: typeof AUTHENTICATE;
  readonly signature: string;
  readonly extra: Dict;
}

/**
 * `[GOODBYE, Details, Reason]`:
 * client or router ends the session; the other side answers with GOODBYE (section "Session Closing").
 */
export interface Goodbye {
  readonly type: typeof GOODBYE;
  readonly details: Dict;
  readonly reason: string;
}

/**
 * `[ERROR, Request type, Request, Details, Error, Arguments, ArgumentsKw]`:
 * the router answers a request that failed; a callee answers an INVOCATION.
 */
export interface ErrorMessage {
  readonly type: typeof ERROR;
  readonly requestType: number;
  readonly requestId: number;
  readonly details: Dict;
  readonly error: string;
  readonly payload: Payload;
}

/** `[PUBLISH, Request, Options, Topic, Arguments, ArgumentsKw]`: a publisher sends an event to the subscribers of a topic. */
export interface Publish {
  readonly type: typeof PUBLISH;
  readonly requestId: number;
  readonly options: PublishOptions;
  readonly topic: string;
  readonly payload: Payload;
  /** Only of publishers that speak MQTT. */
  readonly mqtt?: MqttPublish | undefined;
}

/** How surely an event comes to a subscriber that speaks MQTT: at most, at least or exactly once (MQTT 3.1.1, section 4.3). */
export type Qos = 0 | 1 | 2;

/** What a PUBLISH of MQTT says, and one of WAMP has no word for. */
export interface MqttPublish {
  readonly qos: Qos;
  /** The topic keeps no event any more (MQTT 3.1.1, section 3.3.1.3). This one is delivered. Not together with `retain`. */
  readonly clears: boolean;
}

/** `[PUBLISHED, Request, Publication]`: the broker acknowledges a PUBLISH, if the publisher asked for it. */
export interface Published {
  readonly type: typeof PUBLISHED;
  readonly requestId: number;
  readonly publication: number;
}

/** `[SUBSCRIBE, Request, Options, Topic]`: a subscriber asks for the events of a topic, or of a pattern. */
export interface Subscribe {
  readonly type: typeof SUBSCRIBE;
  readonly requestId: number;
  readonly options: SubscribeOptions;
  readonly topic: string;
}

/** `[SUBSCRIBED, Request, Subscription]`: the broker answers a SUBSCRIBE. */
export interface Subscribed {
  readonly type: typeof SUBSCRIBED;
  readonly requestId: number;
  readonly subscription: number;
}

/** `[UNSUBSCRIBE, Request, Subscription]`: a subscriber ends a subscription. */
export interface Unsubscribe {
  readonly type: typeof UNSUBSCRIBE;
  readonly requestId: number;
  readonly subscription: number;
}

/** `[UNSUBSCRIBED, Request]`: the broker answers an UNSUBSCRIBE; `[UNSUBSCRIBED, 0, Details]`: it revokes a subscription. */
export interface Unsubscribed {
  readonly type: typeof UNSUBSCRIBED;
  readonly requestId: number;
  /** Only when the router takes the subscription away (request id 0): which one, and why. */
  readonly details?: Dict;
}

/** `[EVENT, Subscription, Publication, Details, Arguments, ArgumentsKw]`: the broker sends a publication to a subscriber. */
export interface Event {
  readonly type: typeof EVENT;
  readonly subscription: number;
  readonly publication: number;
  readonly details: Dict;
  readonly payload: Payload;
  /** See {@link qosOf}. Serializers do not know it. */
  readonly qos?: Qos | undefined;
  /**
   * The encoded event, one entry per codec (`serializer/serializer.ts`), filled by the first receiver that needs it:
   * a thousand subscribers of one subscription share one encoding and one frame.
   */
  readonly frames: (object | undefined)[];
}

/** `[CALL, Request, Options, Procedure, Arguments, ArgumentsKw]`: a caller calls a procedure. */
export interface Call {
  readonly type: typeof CALL;
  readonly requestId: number;
  readonly options: CallOptions;
  readonly procedure: string;
  readonly payload: Payload;
}

/** `[CANCEL, Request, Options]`: a caller does not want the result any more (section "Call Canceling"). */
export interface Cancel {
  readonly type: typeof CANCEL;
  readonly requestId: number;
  readonly options: CancelOptions;
}

/**
 * `[RESULT, Request, Details, Arguments, ArgumentsKw]`:
 * the dealer sends the result to the caller; a progressive result is one of several.
 */
export interface Result {
  readonly type: typeof RESULT;
  readonly requestId: number;
  readonly details: Dict;
  readonly payload: Payload;
}

/** `[REGISTER, Request, Options, Procedure]`: a callee offers a procedure, or all that match a pattern. */
export interface Register {
  readonly type: typeof REGISTER;
  readonly requestId: number;
  readonly options: RegisterOptions;
  readonly procedure: string;
}

/** `[REGISTERED, Request, Registration]`: the dealer answers a REGISTER. */
export interface Registered {
  readonly type: typeof REGISTERED;
  readonly requestId: number;
  readonly registration: number;
}

/** `[UNREGISTER, Request, Registration]`: a callee withdraws a procedure. */
export interface Unregister {
  readonly type: typeof UNREGISTER;
  readonly requestId: number;
  readonly registration: number;
}

/** `[UNREGISTERED, Request]`: the dealer answers an UNREGISTER; `[UNREGISTERED, 0, Details]`: it revokes a registration. */
export interface Unregistered {
  readonly type: typeof UNREGISTERED;
  readonly requestId: number;
  /** Only when the router takes the registration away (request id 0): which one, and why. */
  readonly details?: Dict;
}

/**
 * `[INVOCATION, Request, Registration, Details, Arguments, ArgumentsKw]`:
 * the dealer sends a call to a callee, which answers with YIELD or ERROR.
 */
export interface Invocation {
  readonly type: typeof INVOCATION;
  readonly requestId: number;
  readonly registration: number;
  readonly details: Dict;
  readonly payload: Payload;
}

/** `[INTERRUPT, Request, Options]`: the dealer tells a callee that the result is not wanted any more. */
export interface Interrupt {
  readonly type: typeof INTERRUPT;
  readonly requestId: number;
  readonly options: Dict;
}

/**
 * `[YIELD, Request, Options, Arguments, ArgumentsKw]`:
 * a callee sends the result of an INVOCATION; a progressive result is one of several.
 */
export interface Yield {
  readonly type: typeof YIELD;
  readonly requestId: number;
  readonly options: YieldOptions;
  readonly payload: Payload;
}

/** The messages that a client may send. */
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

/** The messages that the router sends. */
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

/** Every message. */
export type Message = ClientMessage | RouterMessage;

/** The empty dictionary, shared: most options and details are empty. */
export const NO_DETAILS: Dict = Object.freeze({});
