/**
 * What the two types of providers have in common, as the flow (`flow.ts`) sees them. They know the protocol between node and provider,
 * and no cookies, paths or pages. To add a type: a file with such a class, its schema in `schema.ts`, a line in `providers.ts`.
 */
import type { Fetch } from './bounded-fetch.js';

/** One login, as the node asks for it. */
export interface SignIn {
  /** Where the browser comes back to; registered at the provider. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
}

/** Who a provider says that somebody is. */
export interface Identity {
  /** Plain JSON: the claims. */
  readonly user: unknown;
  /** The name of the user at the provider, where the protocol has one. */
  readonly subject?: string;
  /** The session at the provider. */
  readonly sid?: string;
}

/** A logout that a provider tells of. One of the two is there. */
export interface ProviderLogout {
  readonly subject: string | undefined;
  readonly sid: string | undefined;
}

/** Somebody who vouches for users. */
export interface IdentityProvider {
  /** What WELCOME tells as `authmethod`. */
  readonly authmethod: string;
  /** Who vouches: kept with the login. */
  readonly issuer: string;
  /** @returns where the browser is sent. Rejects when the provider cannot be asked. */
  signInUrl(signIn: SignIn): Promise<URL>;
  /**
   * Exchanges the code for who the user is.
   * @param callback the URL at which the browser came back, made of the redirect URI.
   * @throws (rejects) what `failure.ts` understands.
   */
  identify(callback: URL, signIn: SignIn): Promise<Identity>;
  /** @returns where a browser ends its session at the provider; undefined where there is no such place. */
  signOutUrl?(returnTo: string): Promise<URL | undefined>;
  /**
   * @param token of a logout at the provider.
   * @throws LogoutTokenError (rejects) when it is not what it should be, anything else when the provider cannot be asked.
   */
  verifyLogout?(token: string): Promise<ProviderLogout>;
}

export interface IdentityProviderDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly fetch: Fetch;
}
