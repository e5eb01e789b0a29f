/**
 * What an authentication method is. It gets a HELLO and returns a verdict. It never sees a socket and never sends. Verdicts are
 * values: a refusal is no exception.
 *
 *     HELLO --start--> Accept, Deny, Unavailable: the end
 *                      Challenge: the client gets CHALLENGE, and `resume` its AUTHENTICATE
 *                      Pass: the next method of the client's list is asked
 *
 * To add one: a file that exports an {@link AuthMethodType}, a line in `registry.ts`, its section in `schema.ts`, and a client in
 * `test/support/auth-clients.ts`, with which the contract suite (`test/contract/auth-method.ts`) runs.
 */
import type { CookieAuth, LoginFault, LoginSource } from '../cookie/store.js';
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { RepeatedLogDeps } from '../log/repeated.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Lease, LeaseTimes } from './lease.js';
import type { SharedLogins } from './shared-logins.js';

/** Who a session is once it is let in. WELCOME tells the client all of it but `credential`. */
export interface Principal {
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  /** Where the principal comes from: `static` is the config, `dynamic` and `function` are authenticators, `cookie` is a login. */
  readonly authprovider: string;
  readonly authextra?: Dict;
  /** A mark of the credential that was used, to be stored with the login (`credential.ts`). Never sent. */
  readonly credential?: string;
  /** Who vouched for a login that a cookie remembers. Never sent. */
  readonly source?: LoginSource;
}

/** What the client asked for in its HELLO. */
export interface AuthRequest {
  /** The name by which the client asked for this method. */
  readonly authmethod: string;
  readonly realm: string;
  readonly authid: string | undefined;
  readonly authextra: Dict | undefined;
}

/** What the transport knows of the client before its HELLO. */
export interface ClientInfo {
  /** Address and port, for the log. */
  readonly peer: string;
  /**
   * What failures are counted by: the IPv4 address, or the IPv6 network. Empty on a socket file and for peers on this machine,
   * because one of them may be a proxy with many clients.
   */
  readonly address: string;
  /** The browser behind the tracking cookie, where cookies are tracked. */
  readonly liveCookie: LiveCookie | undefined;
  /** The cookie id that the browser had, or got, when the connection was opened: a password. Undefined when it had a replaced one. */
  readonly heldCookie?: string | undefined;
  /**
   * The headers of the HTTP request, with names in lower case; undefined without HTTP, and where no method of the transport
   * wants them. They contain cookies and passwords: for authenticators only.
   */
  readonly headers: Dict | undefined;
  /** The query of the URL with its `?`, or empty: there may be a ticket in it. Undefined where `headers` are. */
  readonly query?: string | undefined;
  /** Undefined on a connection without TLS. */
  readonly tls: TlsClient | undefined;
}

/** What TLS knows of a client. */
export interface TlsClient {
  /** The certificate of the client, verified and signed by one of the `ca_certificates`; undefined without one. */
  readonly certificate: ClientCertificate | undefined;
  /** @returns what only the two ends of this connection know (RFC 5929, RFC 9266); undefined for a type that it has not. */
  channelBinding(type: string): Uint8Array | undefined;
}

/** A client certificate. Fingerprints are upper-case hex octets, separated by colons. */
export interface ClientCertificate {
  readonly sha1: string;
  readonly sha256: string;
  /** The common name of the subject. */
  readonly commonName: string | undefined;
}

/** What else is known of the session that is being opened. */
export interface AuthContext {
  /** The id that the session will have: a challenge may name it. */
  readonly sessionId: number;
  readonly client: ClientInfo;
  /** @returns what session details show of the transport: nothing secret. */
  readonly facts: () => Dict;
}

/** The client is let in. */
export interface Accept {
  readonly type: 'accept';
  readonly principal: Principal;
  /** Proves the router to the client: is added to `authextra` of this WELCOME, and not stored. */
  readonly proof?: Dict;
  /** For a login that belongs to somebody else, such as a web application: the cookie does not remember it. */
  readonly lease?: Lease;
  /** Who vouched for the user: for a service that makes a cookie remember the login. */
  readonly source?: LoginSource;
}

/** The client is refused, with ABORT. */
export interface Deny {
  readonly type: 'deny';
  /** The reason of ABORT: a URI, usually one of {@link AuthUris}. */
  readonly reason: string;
  /** One sentence for the client. */
  readonly message: string;
  /** Only where the client has failed too often: when it may try again, in milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * Nothing can be decided at the moment, and the client should come back. Its connection is closed with a code that clients do
 * not take for final (1013), without ABORT.
 */
export interface Unavailable {
  readonly type: 'unavailable';
  /** Whether a limit on logins is the reason. */
  readonly isLimit?: true;
  /** One sentence for the client. */
  readonly message: string;
}

/** The client is asked to prove who it is (section "CHALLENGE"). A challenge lives in this object: methods keep no pending state. */
export interface Challenge {
  readonly type: 'challenge';
  readonly authmethod: string;
  readonly extra: Dict;
  /** Called with the client's AUTHENTICATE, at most once. */
  readonly resume: (signature: string, extra: Dict) => Verdict | Promise<Verdict>;
}

/** The method does not concern this client: the next method of the client's list is asked. */
export interface Pass {
  readonly type: 'pass';
}

/** What a method answers to a HELLO, or to the AUTHENTICATE behind a CHALLENGE. */
export type Verdict = Accept | Deny | Unavailable | Challenge;

/**
 * A method that is set up for one transport. It must not throw for anything that a client can send, and must answer for an unknown
 * `authid` as, and as slowly as, for a wrong secret.
 */
export interface AuthMethod {
  /** Answers a HELLO. */
  start(request: AuthRequest, context: AuthContext): Verdict | Pass | Promise<Verdict | Pass>;
  /**
   * Checks a login that a cookie remembers, or by which a session is open: is the principal still in the config, with the same role
   * and the same credential, and is whoever vouched for it still named there? For all methods where the config can say so; none asks
   * somebody else. Only `standing.ts` calls it.
   * @param liveCookie that remembers it, if one does.
   * @returns undefined when nothing is wrong with it.
   */
  faultOf?(login: CookieAuth, liveCookie?: LiveCookie): LoginFault | undefined;
  /**
   * Whether a client came with a credential in its handshake. Then the method is asked first, also where HELLO does not offer it.
   */
  isPresented?(client: ClientInfo): boolean;
  /** Reads what clients send as a `ticket`, where several methods share that name (`shared-ticket.ts`). */
  readonly ticketReader?: TicketReader;
  /** Releases what the method holds: connections, timers. Sessions that are on stay. Idempotent; never rejects. */
  stop?(): void | Promise<void>;
}

/** Takes tickets of one kind. */
export interface TicketReader {
  /** @returns the ticket that came with the handshake; undefined without one. */
  presented?(client: ClientInfo): string | undefined;
  /**
   * @param ticket what the client sent: in AUTHENTICATE, in `authextra.ticket` or `authextra.token`, or with the handshake.
   * @returns `pass` for text that is no ticket of this kind.
   */
  read(ticket: string, request: AuthRequest, context: AuthContext): Verdict | Pass | Promise<Verdict | Pass>;
}

/** The methods of one transport: name in HELLO -> method. */
export type AuthMethods = ReadonlyMap<string, AuthMethod>;

/** The same for look-ups only: the methods behind it may change while a node runs. */
export type AuthMethodLookup = Pick<AuthMethods, 'get' | 'has'> & {
  /** Another object when the methods are others; undefined where they never change. */
  readonly current?: AuthMethodLookup;
};

/** What the file of each method exports for the registry. `C` is its checked section of the config. */
export interface AuthMethodType<C> {
  /** Its key in the `auth` section. */
  readonly type: string;
  /**
   * The names that clients use for it in HELLO (`authmethods`); default: the key in the config. A method with a `ticketReader` also
   * has the name `ticket`.
   */
  readonly names?: readonly string[];
  /** It looks at the headers or the query of the handshake, which are kept for it then. */
  readonly wantsHandshake?: true;
  /** It asks for no secret, so nobody can guess one: failures are not counted. */
  readonly withoutSecret?: true;
  /**
   * Sets the method up for one transport.
   * @throws (may also reject) when something that the section names cannot be loaded.
   */
  create(config: C, deps: AuthDeps): AuthMethod | Promise<AuthMethod>;
}

/**
 * Loads a function from a module of the node directory.
 * @throws (rejects) when there is no such module, or it does not export the function.
 */
export type LoadFunction = (module: string, name: string) => Promise<(...args: readonly unknown[]) => unknown>;

/** The reasons of ABORT when authentication fails. */
export interface AuthUris {
  /** The `authid` is unknown, or the proof is wrong. One reason for both, or names could be guessed. */
  readonly denied: string;
  /** The transport has none of the methods that the client offers. */
  readonly noMethod: string;
  /** The client only offers `anonymous`, which the transport does not have. */
  readonly required: string;
}

/** What methods get from the node. */
export interface AuthDeps extends RepeatedLogDeps, LeaseTimes {
  /** What the methods and services of the worker share. */
  readonly logins: SharedLogins;
  /** The other methods of the transport: complete when the first client comes, not yet while methods are set up. */
  readonly siblings: AuthMethods;
  /**
   * Calls a procedure as the router itself. Rejects with a CallFault.
   * @param role by which it is called; undefined for one that may call everything.
   */
  readonly call: (
    realm: string,
    role: string | undefined,
    procedure: string,
    args: readonly unknown[],
  ) => Promise<Payload>;
  readonly load: LoadFunction;
  /** @returns whether there is such a realm, with such a role; not of a built-in role, which is never remembered. */
  readonly admits: (realm: string, role: string) => boolean;
  /** The reasons for refusals on this transport. */
  readonly uris: AuthUris;
}
