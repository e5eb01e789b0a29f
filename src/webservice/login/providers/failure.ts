/**
 * Why a login at a provider came to nothing, from what the libraries throw. Their errors have whole answers of the provider in them,
 * with tokens, so nothing of them is passed on but words that are known, and the constant texts of the libraries.
 */
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { ProviderAnswerError } from './bounded-fetch.js';

/** What happened. */
export interface Failure {
  /**
   * - `said no`: the provider sent the browser back with an error (RFC 6749, section 4.1.2.1)
   * - `unavailable`: the provider could not be asked
   * - `refused`: an answer is not what it has to be
   */
  readonly kind: 'said no' | 'unavailable' | 'refused';
  /** For the log: no token, code or answer. */
  readonly reason: string;
  /** The word of the provider. */
  readonly error?: string;
}

const MAX_REASON = 160;

/** @param error whatever an `IdentityProvider` rejected with. @throws the same for a bug of ours. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AuthorizationResponseError) {
    return { kind: 'said no', reason: word(error.error), error: error.error };
  }
  if (error instanceof ProviderAnswerError) return { kind: 'unavailable', reason: error.message };
  if (error instanceof ResponseBodyError) {
    return {
      kind: error.status >= 500 ? 'unavailable' : 'refused',
      reason: `the provider answers with ${word(error.error)}`,
    };
  }
  if (error instanceof ClientError) return failureOfClient(error);
  if (error instanceof Error && isOfNetwork(error)) return { kind: 'unavailable', reason: reasonOf(error) };
  // Of the library: what the provider sent lacks something.
  if (error instanceof Error && 'code' in error) return { kind: 'refused', reason: cut(error.message) };
  throw error;
}

function failureOfClient(error: ClientError): Failure {
  const { cause, code } = error;
  if (code === 'OAUTH_TIMEOUT') return { kind: 'unavailable', reason: 'the provider does not answer in time' };
  if (cause instanceof ProviderAnswerError) return { kind: 'unavailable', reason: cause.message };
  if (cause instanceof Response) {
    const reason = `the provider answers with ${cause.status}`;
    return { kind: cause.status >= 500 ? 'unavailable' : 'refused', reason };
  }
  return {
    kind: 'refused',
    reason: cut(cause instanceof Error ? `${error.message}: ${cause.message}` : error.message),
  };
}

/** `fetch` rejects with a TypeError without a code, and with a DOMException when its time is over. */
function isOfNetwork(error: Error): boolean {
  return (
    (error instanceof TypeError && !('code' in error) && error.cause instanceof Error) || error.name === 'TimeoutError'
  );
}

function reasonOf({ message, cause }: Error): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : cut(message);
}

/** A word of the provider, as far as it is one. */
function word(text: string): string {
  return /^[\w.:-]{1,64}$/.test(text) ? text : 'an unknown error';
}

function cut(text: string): string {
  return text.slice(0, MAX_REASON);
}
