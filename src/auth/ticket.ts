/**
 * Ticket authentication (section "Ticket-based Authentication"): the client sends a password in clear text. Only for connections
 * that nobody can listen to, such as TLS.
 */
import { randomBytes } from 'node:crypto';
import { createAsking } from './dynamic/asking.js';
import { SecretText } from './constant-time.js';
import { credentialFault, credentialMark } from './credential.js';
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

/** The authenticator gets the ticket, and decides. */
async function asking(config: DynamicConfig | FunctionConfig, deps: AuthDeps): Promise<AuthMethod> {
  const ask = await createAsking(config, deps);
  return {
    start(request, context) {
      const { authid } = request;
      if (authid === undefined) return withoutAuthid(deps.uris);
      return ticketChallenge((ticket) => ask({ request, context, authid, more: { ticket } }, accept));
    },
  };
}

function ticketChallenge(resume: Challenge['resume']): Challenge {
  return { type: 'challenge', authmethod: 'ticket', extra: {}, resume };
}
