/**
 * What an authentication method is. It gets a HELLO and gives a verdict; it never sees a socket and never sends. Verdicts
 * are values: to be refused is no exception. To add a method: write its file, add it to `registry.ts`, run
 * the contract suite on it.
 */
import type { CookieRecord } from '../cookie/store.js';
import type { Dict } from '../wamp/payload.js';

/** Who a session is, once it may enter: what WELCOME tells the client. */
export interface Principal {
  readonly realm: string;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  /** Where the principal is on file: `static` is the config. */
  readonly authprovider: string;
  readonly authextra?: Dict;
}

/** What the client asked for in its HELLO. */
export interface AuthRequest {
  readonly realm: string;
  readonly authid: string | undefined;
  readonly authextra: Dict | undefined;
}

/** What else is known when a session opens. */
export interface AuthContext {
  /** The id that the session will have: a challenge may name it. */
  readonly sessionId: number;
  /** The tracking cookie of the connection, where cookies are tracked. */
  readonly cookie: CookieRecord | undefined;
}

export interface Accept {
  readonly type: 'accept';
  readonly principal: Principal;
}

export interface Deny {
  readonly type: 'deny';
  /** The reason of ABORT. */
  readonly reason: string;
  /** One sentence for the client. */
  readonly message: string;
}

export interface Challenge {
  readonly type: 'challenge';
  readonly authmethod: string;
  readonly extra: Dict;
  /** Called once, with the client's AUTHENTICATE. */
  readonly resume: (signature: string, extra: Dict) => Verdict | Promise<Verdict>;
}

export type Verdict = Accept | Deny | Challenge;

/** A method set up for one transport. Must not throw for anything that a client can send. */
export interface AuthMethod {
  start(request: AuthRequest, context: AuthContext): Verdict | Promise<Verdict>;
}
