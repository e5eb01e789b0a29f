/**
 * The half of a method that asks an authenticator (types `dynamic` and `function`), the same for all methods: what is asked,
 * what the answer makes of the client, and that there is a verdict whatever the authenticator does. What a method adds is
 * what happens before, and what the client has yet to prove.
 */
import { authenticatorDetails, createAuthenticator } from './authenticator.js';
import { grantOf, principalOf, verdictOf } from './answer.js';
import type { DynamicConfig, FunctionConfig } from './schema.js';
import type { AuthContext, AuthDeps, AuthRequest, Deny, Principal, Unavailable, Verdict } from '../method.js';
import type { Dict } from '../../wamp/payload.js';

/** Who is asked about. */
export interface Question {
  readonly request: AuthRequest;
  readonly context: AuthContext;
  /** What the client is called when the authenticator does not say. */
  readonly authid: string;
  /** What the authenticator is told besides, such as a ticket. */
  readonly more?: Dict;
}

/**
 * Asks, and reads the answer.
 * @param judge what follows from the answer: an ACCEPT, or the challenge that is left. May throw AnswerFault.
 * @returns its verdict, or the refusal when there is no answer, or none that can be read.
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
      const grant = grantOf(await ask(realm, request.authid, authenticatorDetails(request, context, more)));
      return judge(principalOf(grant, { realm, authid }, authmethod, config.type), grant.answer);
    });
}
