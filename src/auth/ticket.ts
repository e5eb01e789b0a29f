/**
 * Ticket authentication (section "Ticket-based Authentication"): the client sends a password as it is. Only for
 * connections that nobody can listen to.
 */
import { randomBytes } from 'node:crypto';
import { SecretText } from './compare.js';
import { accept, denied, withoutAuthid } from './verdict.js';
import type { AuthMethod, AuthMethodType } from './method.js';
import type { TicketConfig } from './ticket-schema.js';

export const ticket: AuthMethodType<TicketConfig> = {
  type: 'ticket',

  create({ principals }, { uris }): AuthMethod {
    const known = new Map(
      Object.entries(principals).map(([authid, { ticket, role }]) => [
        authid,
        { ticket: new SecretText(ticket), role },
      ]),
    );
    const nobody = { ticket: new SecretText(randomBytes(32).toString('base64')), role: '' };
    return {
      start({ realm, authid }) {
        if (authid === undefined) return withoutAuthid(uris);
        const { ticket, role: authrole } = known.get(authid) ?? nobody;
        const principal = { realm, authid, authrole, authmethod: 'ticket', authprovider: 'static' };
        return {
          type: 'challenge',
          authmethod: 'ticket',
          extra: {},
          resume: (signature) => (ticket.equals(signature) ? accept(principal) : denied(uris)),
        };
      },

      knows: ({ authid, authrole }) => known.get(authid)?.role === authrole,
    };
  },
};
