/**
 * What an authenticator said: from its answer to a principal, or to a refusal. An authenticator is code of somebody else:
 * whatever is not clearly an answer lets nobody in.
 */
import { ErrorUri } from '../../wamp/error.js';
import { sayRepeated } from '../../log/repeated.js';
import { isDict } from '../../wamp/payload.js';
import { AuthenticatorRefusal } from './authenticator.js';
import { deny } from '../verdict.js';
import type { RepeatedLogDeps } from '../../log/repeated.js';
import type { Dict } from '../../wamp/payload.js';
import type { AuthRequest, Deny, Principal, Unavailable, Verdict } from '../method.js';

/** Who is let in, and as whom. */
export interface AuthenticatorAnswer {
  readonly role: string;
  /** Undefined: the one that the client asks for. */
  readonly realm: string | undefined;
  readonly authid: string | undefined;
  readonly extra: Dict | undefined;
  /** The whole answer: for methods that need more of it. Empty when it is a role alone. */
  readonly answer: Dict;
}

/** The answer of an authenticator is none; the text is for the log. */
export class AnswerFault extends Error {
  readonly code = 'ERR_GRANT';
  override readonly name = 'AnswerFault';
}

/**
 * @param answer a role, or `{role, realm?, authid?, extra?}`. What is null counts as absent; other keys are passed over.
 * @throws AnswerFault
 */
export function grantOf(answer: unknown): AuthenticatorAnswer {
  if (typeof answer === 'string') {
    return { role: textOf('role', answer) ?? '', realm: undefined, authid: undefined, extra: undefined, answer: {} };
  }
  if (!isDict(answer)) throw new AnswerFault('the answer must be a role or a dictionary');
  const role = textOf('role', answer.role);
  if (role === undefined) throw new AnswerFault('"role" is missing');
  const extra = answer.extra ?? undefined;
  if (extra !== undefined && !isDict(extra)) throw new AnswerFault('"extra" must be a dictionary');
  return { role, realm: textOf('realm', answer.realm), authid: textOf('authid', answer.authid), extra, answer };
}

/** @returns a text that an answer has under `key`; undefined when it has none. @throws AnswerFault */
export function textOf(key: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '') throw new AnswerFault(`"${key}" must be a string that is not empty`);
  return value;
}

/** @returns the text that an answer must have under `key`. @throws AnswerFault */
export function neededText(key: string, value: unknown, pattern = /^/): string {
  const text = textOf(key, value);
  // Not shown: it may be a secret.
  if (text === undefined || !pattern.test(text)) throw new AnswerFault(`"${key}" is missing, or not what it must be`);
  return text;
}

/** @returns a whole number from 1 that an answer has under `key`; undefined when it has none. @throws AnswerFault */
export function countOf(key: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new AnswerFault(`"${key}" must be a whole number from 1`);
  }
  return value;
}

/** @param otherwise what counts when the authenticator does not say. */
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
 * Runs what asks an authenticator and reads its answer.
 * @returns its verdict, or the refusal when there is no answer, or none that can be read.
 */
export async function verdictOf<V extends Verdict>(
  deps: RepeatedLogDeps,
  ask: () => Promise<V>,
): Promise<V | Deny | Unavailable> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AuthenticatorRefusal) return error.verdict;
    if (!(error instanceof AnswerFault)) throw error;
    sayRepeated(deps, 'warn', { fault: error.message }, 'answer of an authenticator is none, client refused');
    return deny(ErrorUri.AUTHENTICATION_FAILED, 'the authenticator failed');
  }
}
