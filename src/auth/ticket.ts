/**
 * Ticket authentication (section "Ticket-based Authentication"): the client sends a password as it is. Only for
 * connections that nobody can listen to.
 */
import { randomBytes } from 'node:crypto';
import { authenticatorDetails, createAuthenticator } from './dynamic/authenticator.js';
import { SecretText } from './constant-time.js';
import { credentialFault, credentialMark } from './credential.js';
import { grantOf, principalOf, verdictOf } from './dynamic/answer.js';
import { accept, denied, withoutAuthid } from './verdict.js';
import type { DynamicConfig, FunctionConfig } from './dynamic/schema.js';
import type { AuthDeps, AuthMethod, AuthMethodType, Challenge } from './method.js';
import type { TicketConfig } from './ticket-schema.js';

export const ticket: AuthMethodType<TicketConfig | DynamicConfig | FunctionConfig> = {
  type: 'ticket',
  create: (config, deps) => (config.type === 'static' ? fixed(config, deps) : asking(config, deps)),
};

function fixed({ principals }: TicketConfig, { uris }: AuthDeps): AuthMethod {
  const known = new Map(
    Object.entries(principals).map(([authid, { ticket, role }]) => [
      authid,
      { ticket: new SecretText(ticket), role, credential: credentialMark('ticket', authid, ticket) },
    ]),
  );
  const nobody = { ticket: new SecretText(randomBytes(32).toString('base64')), role: '', credential: '' };
  return {
    start({ realm, authid }) {
      if (authid === undefined) return withoutAuthid(uris);
      const { ticket, role: authrole, credential } = known.get(authid) ?? nobody;
      const principal = { realm, authid, authrole, authmethod: 'ticket', authprovider: 'static', credential };
      return ticketChallenge((signature) => (ticket.equals(signature) ? accept(principal) : denied(uris)));
    },

    faultOf(login) {
      const found = known.get(login.authid);
      if (found?.role !== login.authrole) return 'no such principal';
      return credentialFault(login, [found.credential]);
    },
  };
}

/** The authenticator is shown the ticket, and decides. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAuthenticator(config, deps);
  return {
    start(request, context) {
      const { realm, authid } = request;
      if (authid === undefined) return withoutAuthid(deps.uris);
      const resume: Challenge['resume'] = (signature) =>
        verdictOf(deps, async () => {
          const details = authenticatorDetails(request, context, { ticket: signature });
          const grant = grantOf(await ask(realm, authid, details));
          return accept(principalOf(grant, { realm, authid }, 'ticket', config.type));
        });
      return ticketChallenge(resume);
    },
  };
}

function ticketChallenge(resume: Challenge['resume']): Challenge {
  return { type: 'challenge', authmethod: 'ticket', extra: {}, resume };
}
