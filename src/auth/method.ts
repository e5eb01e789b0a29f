/**
 * What an authentication method is. It gets a HELLO and gives a verdict; it never sees a socket and never sends. Verdicts
 * are values: to be refused is no exception. To add a method: write its file, add it to `registry.ts`, run
 * the contract suite on it.
 */
import type { CookieAuth } from '../cookie/store.js';
import type { LiveCookie } from '../cookie/live/live-cookie.js';
import type { RepeatedLogDeps } from '../log/repeated.js';
import type { Dict, Payload } from '../wamp/payload.js';

/** Who a session is, once it may enter: what WELCOME tells the client. */
export interface Principal {
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  /** Where the principal is on file: `static` is the config. */
  readonly authprovider: string;
  readonly authextra?: Dict;
  /** A mark of what the principal proved it with, to be kept with the login (`credential.ts`). Shown to nobody. */
  readonly credential?: string;
}

/** What the client asked for in its HELLO. */
export interface AuthRequest {
  /** The name by which the client asks for the method. */
  readonly authmethod: string;
  readonly realm: string;
  readonly authid: string | undefined;
  readonly authextra: Dict | undefined;
}

/** Who is at the other end, as far as the transport knows: there before anybody says HELLO. */
export interface ClientInfo {
  /** Address and port, for the log. */
  readonly peer: string;
  /**
   * What failures are counted by: the IP address, of IPv6 the network. Empty on a socket file, and for peers on this
   * machine: a proxy among them stands for all of its clients.
   */
  readonly address: string;
  /** The browser behind the tracking cookie, where cookies are tracked. */
  readonly liveCookie: LiveCookie | undefined;
  /** The id that the browser had, or got, when the connection was opened: a password. Undefined when it had an old one. */
  readonly heldCookie?: string | undefined;
  /**
   * The headers of the HTTP request, names in lower case; undefined without HTTP, and where no method of the transport
   * wants them. They hold cookies and passwords: for authenticators only.
   */
  readonly headers: Dict | undefined;
  /** Undefined on a connection without TLS. */
  readonly tls: TlsClient | undefined;
}

/** What TLS tells of a client. */
export interface TlsClient {
  /** The certificate that the client proved to have, signed by one of the `ca_certificates`; undefined without one. */
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

/** What else is known when a session opens. */
export interface AuthContext {
  /** The id that the session will have: a challenge may name it. */
  readonly sessionId: number;
  readonly client: ClientInfo;
  /** What session details show of the transport: nothing secret. */
  readonly facts: () => Dict;
}

export interface Accept {
  readonly type: 'accept';
  readonly principal: Principal;
  /** What proves the router to the client: goes into authextra of this one WELCOME, and is not remembered. */
  readonly proof?: Dict;
}

/** The client may not enter. */
export interface Deny {
  readonly type: 'deny';
  /** The reason of ABORT. */
  readonly reason: string;
  /** One sentence for the client. */
  readonly message: string;
}

/** Nothing can be decided at the moment: the client is to come back, and must not be told what it takes for final. */
export interface Unavailable {
  readonly type: 'unavailable';
  /** One sentence for the client. */
  readonly message: string;
}

/** The client is asked to prove who it is (section "CHALLENGE"); its answer goes to `resume`. */
export interface Challenge {
  readonly type: 'challenge';
  readonly authmethod: string;
  readonly extra: Dict;
  /** Called once, with the client's AUTHENTICATE. */
  readonly resume: (signature: string, extra: Dict) => Verdict | Promise<Verdict>;
}

/** The method has nothing to say to this client: the next one of the client's list is asked. */
export interface Pass {
  readonly type: 'pass';
}

/** What a method says of a HELLO, or of the answer to a CHALLENGE. */
export type Verdict = Accept | Deny | Unavailable | Challenge;

/** What may be wrong with a login that a cookie remembers. */
export type LoginFault = 'no such principal' | 'another credential';

/** A method set up for one transport. Must not throw for anything that a client can send. */
export interface AuthMethod {
  start(request: AuthRequest, context: AuthContext): Verdict | Pass | Promise<Verdict | Pass>;
  /**
   * Why somebody who was let in earlier would not be any more, not as the same, or not with what was shown then: asked about
   * logins that a cookie remembers. Only methods whose principals are in the config can know.
   */
  faultOf?(login: CookieAuth): LoginFault | undefined;
}

/** The methods of one transport: name in HELLO -> method. */
export type AuthMethods = ReadonlyMap<string, AuthMethod>;

/** The same for look-ups only: what is behind it may change while a node runs. */
export type AuthMethodLookup = Pick<AuthMethods, 'get' | 'has'>;

/** A method as the registry has it. `C` is its checked section of the config. */
export interface AuthMethodType<C> {
  /** The word in the config. */
  readonly type: string;
  /** What clients call it in HELLO; by default the word in the config. */
  readonly names?: readonly string[];
  /** Rejects when what the section names cannot be loaded. */
  create(config: C, deps: AuthDeps): AuthMethod | Promise<AuthMethod>;
}

/**
 * Loads a function from a module of the node directory.
 * @throws (rejects) when there is no such module, or it does not export the function.
 */
export type LoadFunction = (module: string, name: string) => Promise<(...args: readonly unknown[]) => unknown>;

/** The reasons of ABORT when authentication fails. */
export interface AuthUris {
  /** The client could not show that it is who it says it is. Unknown and wrong are the same, or names could be guessed. */
  readonly denied: string;
  /** None of the methods that the client offers is there. */
  readonly noMethod: string;
  /** The client offers to be anonymous, and that is not enough. */
  readonly required: string;
}

/** What methods get from the node. */
export interface AuthDeps extends RepeatedLogDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The methods of the transport, complete when the first client comes. */
  readonly siblings: AuthMethods;
  /**
   * Calls a procedure as the router itself. Rejects with a CallFault.
   * @param role undefined: one that may call everything.
   */
  readonly call: (
    realm: string,
    role: string | undefined,
    procedure: string,
    args: readonly unknown[],
  ) => Promise<Payload>;
  readonly load: LoadFunction;
  /** @returns whether there is such a realm, with such a role. */
  readonly admits: (realm: string, role: string) => boolean;
  /** What refusals are called here. */
  readonly uris: AuthUris;
}
