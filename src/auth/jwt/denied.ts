/**
 * Tokens that are good, and do not count all the same: somebody is asked who knows which ones have been taken back. Answers count
 * for a while, so that a client that connects again and again does not ask again and again.
 */
import { createHash } from 'node:crypto';
import { AnswerFault } from '../dynamic/answer.js';
import { createAuthenticator } from '../dynamic/authenticator.js';
import type { AuthDeps } from '../method.js';
import type { TokenUser } from './issuer.js';
import type { DeniedConfig } from './schema.js';

/** Answers kept at most, of some 200 bytes each; the oldest goes first. */
export const MAX_ANSWERS = 10_000;

/** @returns whether a token is denied. Rejects with AuthenticatorRefusal or AnswerFault where nobody can say. */
export type DeniedQuestion = (realm: string, token: TokenUser) => Promise<boolean>;

interface Answer {
  readonly isDenied: Promise<boolean>;
  readonly untilMs: number;
}

/** Rejects when the function of the config cannot be loaded. */
export async function createDeniedQuestion(config: DeniedConfig, deps: AuthDeps): Promise<DeniedQuestion> {
  const ask = await createAuthenticator(config, deps);
  // digest of what names the token -> answer, in the order of the questions
  const answers = new Map<string, Answer>();
  const put = async (realm: string, { issuer, user, claims }: TokenUser): Promise<boolean> => {
    const answer = await ask(realm, user.authid, { issuer, ...claims });
    if (typeof answer !== 'boolean') throw new AnswerFault('the answer must be true or false');
    return answer;
  };
  return (realm, token) => {
    const now = deps.clock();
    const key = keyOf(realm, token);
    const known = answers.get(key);
    if (known !== undefined && known.untilMs > now) return known.isDenied;
    const isDenied = put(realm, token);
    answers.delete(key);
    answers.set(key, { isDenied, untilMs: now + config.cache * 1000 });
    const [oldest] = answers.keys();
    if (answers.size > MAX_ANSWERS && oldest !== undefined) answers.delete(oldest);
    // Who could not answer is asked again.
    isDenied.catch(() => answers.delete(key));
    return isDenied;
  };
}

/** Tokens have names of any length. */
function keyOf(realm: string, { issuer, subject, claims }: TokenUser): string {
  const named = JSON.stringify([realm, issuer, subject, claims]);
  return createHash('sha256').update(named).digest('base64');
}
