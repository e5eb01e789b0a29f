/**
 * A session as the router sees it: who it is, what it may do, and how to send to it. The router knows nothing of transports and
 * authentication.
 */
import type { Dict } from '../wamp/payload.js';
import type { WampError } from '../wamp/error.js';
import type { ClientFeature, ClientRole } from '../wamp/features.js';
import type { Invocation, RouterMessage } from '../wamp/message.js';
import type { Charged } from './budget.js';
import type { Denial } from './permission.js';
import type { Role } from './role.js';

/**
 * What other sessions may learn about a session (section "Session Meta API"). It holds nothing by which a session could be
 * taken over: no cookie, no request header, no `authextra`.
 */
export interface SessionDetails extends Dict {
  readonly session: number;
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authprovider: string;
  readonly transport: TransportDetails;
}

/**
 * The transport of a session, with the keys of Crossbar.io. Request headers and process ids, which Crossbar.io shows too, are
 * left out. A session of the router itself has no connection.
 */
export interface TransportDetails extends Dict {
  /** The address of the client. */
  readonly peer: string;
  /** The address of the trusted proxy that it came by, or `unix`. Not there where it came by itself. */
  readonly via?: string;
  /** Whether the client came by TLS, to this node or to that proxy. */
  readonly is_secure?: boolean;
  /** What the connection to this node is. */
  readonly channel_type?: 'tcp' | 'tls' | 'unix';
  readonly channel_framing?: 'websocket' | 'rawsocket' | 'longpoll' | 'mqtt';
  /** The word of the serializer in a config. */
  readonly channel_serializer?: string;
  /** The subprotocol of a WebSocket. */
  readonly websocket_protocol?: string;
  /** A digest of the tracking cookie, the same for all sessions of one browser. The cookie cannot be derived from it. */
  readonly http_cbtid?: string;
}

/** What else the operator of the node may know of a session. No other session sees it. */
export interface SessionStatus {
  /** How it is called to the operator: where the `authid` is the id of a cookie, the digest of that cookie. */
  readonly name: string;
  /** When it joined; milliseconds since 1970. */
  readonly joinedMs: number;
  /** What waits for the client, which has not read it yet, in bytes; undefined for one without a connection. */
  readonly waitingBytes: number | undefined;
  /** How many messages came from it, and went to it, since it joined. */
  readonly received: number;
  readonly sent: number;
}

/** An established session. `session/session.ts` implements it for clients, `session/internal-caller.ts` for the router itself. */
export interface RouterSession extends Charged {
  /** The session id of WELCOME. */
  readonly id: number;
  readonly authid: string;
  readonly authrole: string;
  readonly role: Role;
  /** Built anew each time it is read. */
  readonly details: SessionDetails;
  /** Built anew each time it is read. */
  readonly status: SessionStatus;
  /** @returns whether the client announced `feature` for `role` in its HELLO. */
  announced(role: ClientRole, feature: ClientFeature): boolean;
  /**
   * Ends the session with GOODBYE `reason`. It has left the realm when this returns.
   * @param done called when the end is complete: at once, except with a reason for which something has to be stored first
   *   (`wamp.close.logout`). `error` says why it could not be stored.
   * @param by who wants it; the node itself where it is left out.
   */
  kill(reason: string, message?: string, done?: (error?: WampError) => void, by?: string): void;
  /** The client is part of the node, and stays while the node may not serve its realm. */
  readonly isOfNode?: boolean;
  /** Ends the session without a word, and its connection with it: the node may not serve it, and another one will. */
  cut?(text: string): void;
  /** Why the config would not let the client in any more as whom it is; undefined when it would. Built anew each time it is read. */
  readonly outdated?: string | undefined;
  /**
   * A session of another node, which never joined the realm here. It is charged, and told of by the meta API, on its own node. Whoever
   * makes it takes `send` to there.
   */
  readonly isElsewhere?: true;
  /** Called when it may not do what it asked for, before it hears so. */
  denied?(denial: Denial, facts?: { readonly trace?: string }): void;
  /** Called when its {@link role} has new rules. They bind it from the next request on. */
  roleChanged?(): void;
  /**
   * Only of some that are {@link isElsewhere}: sends an INVOCATION that its node refuses when the callee has no room there, which then is
   * told by `Elsewhere.busy`. What is sent with {@link send} waits there.
   */
  tryInvoke?(invocation: Invocation): void;
  /** Sends a message. Never throws and never waits; a message to a session that has ended is dropped. */
  send(message: RouterMessage): void;
}
