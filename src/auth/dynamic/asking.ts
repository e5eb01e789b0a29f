/**
 * The half of a method that asks an authenticator (types `dynamic` and `function`), the same for all methods: it asks, makes a
 * principal of the answer, and always has a verdict, whatever the authenticator does. A method adds what comes before, and what
 * the client still has to prove.
 */
import { authenticatorDetails, createAuthenticator } from './authenticator.js';
import { readAnswer, principalOf, verdictOf } from './answer.js';
import type { DynamicConfig, FunctionConfig } from './schema.js';
import type { AuthContext, AuthDeps, AuthRequest, Deny, Principal, Unavailable, Verdict } from '../method.js';
import type { Dict } from '../../wamp/payload.js';

/** What an authenticator is asked. */
export interface Question {
  readonly request: AuthRequest;
  readonly context: AuthContext;
  /** The `authid` of the client where the answer names none. */
  readonly authid: string;
  /** More details for the authenticator, such as a ticket. */
  readonly more?: Dict;
}

/**
 * Asks the authenticator, and reads the answer.
 * @param judge makes the verdict of the answer: Accept, or the challenge that is left. May throw AnswerFault.
 * @returns that verdict, or a refusal when there is no answer, or none that can be used. Never rejects for what the
 *   authenticator does.
 */
export type Asking = <V extends Verdict>(
  question: Question,
  judge: (principal: Principal, answer: Dict) => V,
) => Promise<V | Deny | Unavailable>;

/** Rejects when the function of the config cannot be loaded. */
export async function createAsking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<Asking> {
  const ask = await createAuthenticator(config, deps);
  return ({ request, context, authid, more }, judge) =>
    verdictOf(deps, async () => {
      const { realm, authmethod } = request;
      const answer = await ask(realm, request.authid, authenticatorDetails(request, context, more));
      const given = readAnswer(answer, config['default-role']);
      return judge(principalOf(given, { realm, authid }, authmethod, config.type), given.answer);
    });
}
