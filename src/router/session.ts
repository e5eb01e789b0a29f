/**
 * What the router sees of a session: who it is, what it may do, and how to send to it. Transports, authentication and
 * everything that waits lie behind it.
 */
import type { Dict } from '../wamp/payload.js';
import type { WampError } from '../wamp/error.js';
import type { ClientFeature, ClientRole } from '../wamp/features.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Charged } from './budget.js';
import type { Role } from './role.js';

/**
 * What others may learn of a session (section "Session Meta API"). Nothing in it lets anybody take the session over: no
 * cookie, no request header, no `authextra`.
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
 * In the words of Crossbar.io; what it tells beyond this (request headers, process ids) is nobody's business. A session
 * of the router itself has no connection.
 */
export interface TransportDetails extends Dict {
  /** The address of the client. */
  readonly peer: string;
  /** Whether the connection to this node is TLS. */
  readonly is_secure?: boolean;
  readonly channel_type?: 'tcp' | 'tls' | 'unix';
  readonly channel_framing?: 'websocket' | 'rawsocket';
  /** The word of the serializer in a config. */
  readonly channel_serializer?: string;
  /** The subprotocol of a WebSocket. */
  readonly websocket_protocol?: string;
  /** Stands for the tracking cookie, and is not its value: sessions of one browser have the same. */
  readonly http_cbtid?: string;
}

/** What the router knows of a session: who it is, and how to send to it. */
export interface RouterSession extends Charged {
  /** The session id of WELCOME. */
  readonly id: number;
  readonly authid: string;
  readonly authrole: string;
  readonly role: Role;
  /** Made when it is asked for. */
  readonly details: SessionDetails;
  /** @returns whether the client announced `feature` for `role` in its HELLO. */
  announced(role: ClientRole, feature: ClientFeature): boolean;
  /**
   * Ends the session with GOODBYE `reason`; it has left the realm when this returns.
   * @param done called when nothing is left to wait for: at once, unless the reason makes something be stored first.
   *   `error` says that it could not be.
   */
  kill(reason: string, message?: string, done?: (error?: WampError) => void): void;
  /** Its {@link role} has got other rules: they count from the next request on. */
  roleChanged?(): void;
  /** Never throws and never waits; a message to a session that is gone goes nowhere. */
  send(message: RouterMessage): void;
}
