/**
 * Reads the answer of an authenticator, and makes a principal or a refusal of it. An authenticator is code of the operator:
 * an answer that is not clear lets nobody in.
 */
import { ErrorUri } from '../../wamp/error.js';
import { sayRepeated } from '../../log/repeated.js';
import { isDict } from '../../wamp/payload.js';
import { AuthenticatorRefusal } from './authenticator.js';
import { deny } from '../verdict.js';
import type { RepeatedLogDeps } from '../../log/repeated.js';
import type { Dict } from '../../wamp/payload.js';
import type { AuthRequest, Deny, Principal, Unavailable } from '../method.js';

/** The answer of an authenticator that lets a client in. */
export interface AuthenticatorAnswer {
  readonly role: string;
  /** Undefined: the realm that the client asks for. */
  readonly realm: string | undefined;
  /** Undefined: what {@link principalOf} is given. */
  readonly authid: string | undefined;
  /** Becomes `authextra`. */
  readonly extra: Dict | undefined;
  /** The whole answer, for methods that need more of it, such as a secret. Empty when the answer is a role alone. */
  readonly answer: Dict;
}

/** The answer of an authenticator cannot be used; the text is for the log. */
export class AnswerFault extends Error {
  readonly code = 'ERR_GRANT';
  override readonly name = 'AnswerFault';
}

/**
 * Reads an answer.
 *
 * @param answer a role, or `{role, realm?, authid?, extra?}`. Null counts as absent; other keys are ignored.
 * @param defaultRole counts where a dictionary has no role.
 * @throws AnswerFault
 */
export function readAnswer(answer: unknown, defaultRole?: string): AuthenticatorAnswer {
  if (typeof answer === 'string') {
    return { role: textOf('role', answer) ?? '', realm: undefined, authid: undefined, extra: undefined, answer: {} };
  }
  if (!isDict(answer)) throw new AnswerFault('the answer must be a role or a dictionary');
  const role = textOf('role', answer.role) ?? defaultRole;
  if (role === undefined) throw new AnswerFault('"role" is missing');
  const extra = answer.extra ?? undefined;
  if (extra !== undefined && !isDict(extra)) throw new AnswerFault('"extra" must be a dictionary');
  return { role, realm: textOf('realm', answer.realm), authid: textOf('authid', answer.authid), extra, answer };
}

/** @returns the text of an optional key of an answer; undefined when it is absent. @throws AnswerFault */
export function textOf(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '') throw new AnswerFault(`"${key}" must be a string that is not empty`);
  return value;
}

/** @returns the text of a required key of an answer. @throws AnswerFault */
export function neededText(key: string, value: unknown, pattern = /^/): string {
  const text = textOf(key, value);
  // Not shown: it may be a secret.
  if (text === undefined || !pattern.test(text)) throw new AnswerFault(`"${key}" is missing, or not what it must be`);
  return text;
}

/** @returns the whole number from 1 of an optional key of an answer; undefined when it is absent. @throws AnswerFault */
export function countOf(key: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new AnswerFault(`"${key}" must be a whole number from 1`);
  }
  return value;
}

/** @param otherwise what counts where the answer does not say. */
export function principalOf(
  { role, realm, authid, extra }: AuthenticatorAnswer,
  otherwise: Pick<AuthRequest, 'realm'> & { readonly authid: string },
  authmethod: string,
  authprovider: string,
): Principal {
  const principal = {
    realm: realm ?? otherwise.realm,
    authid: authid ?? otherwise.authid,
    authrole: role,
    authmethod,
    authprovider,
  };
  return extra === undefined ? principal : { ...principal, authextra: extra };
}

/**
 * Runs a function that asks an authenticator and reads its answer.
 * @returns what it gives, or a refusal when there is no answer, or none that can be used.
 */
export async function verdictOf<V>(deps: RepeatedLogDeps, ask: () => Promise<V>): Promise<V | Deny | Unavailable> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AuthenticatorRefusal) return error.verdict;
    if (!(error instanceof AnswerFault)) throw error;
    sayRepeated(deps, 'warn', { fault: error.message }, 'answer of an authenticator is none, client refused');
    return deny(ErrorUri.AUTHENTICATION_FAILED, 'the authenticator failed');
  }
}
