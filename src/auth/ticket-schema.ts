/** The `ticket` section: passwords in the config. */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { dynamicSchema, functionSchema } from './dynamic/schema.js';
import { warnIfNobody } from './principal-rules.js';
import { roleKeywords, secretSchema } from './secret-schema.js';

export const ticketPrincipalSchema = {
  type: 'object',
  section: 'Ticket principal',
  standsAt: 'auth.ticket.principals',
  description: 'Somebody who may join with a ticket.',
  required: ['ticket'],
  additionalProperties: false,
  properties: { ticket: secretSchema('What the client has to send.'), role: roleKeywords },
} as const satisfies ConfigSchema;

export const ticketStaticSchema = {
  type: 'object',
  section: 'Ticket "static"',
  description: 'The principals and their tickets are here in the config.',
  required: ['type', 'principals'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'static', description: 'The word for principals in the config.' },
    principals: {
      type: 'object',
      additionalProperties: ticketPrincipalSchema,
      rules: warnIfNobody,
      allowed: 'an object of principals by authid',
      description: 'Who may join, by `authid`.',
    },
  },
} as const satisfies ConfigSchema;

export const ticketSchema = {
  type: 'object',
  section: 'Ticket authentication',
  standsAt: 'auth.ticket',
  description: 'The client sends a password as it is: for connections with TLS only.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [ticketStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

/** A checked principal; the ticket is there, wherever it came from. */
export type TicketPrincipal = Omit<Checked<typeof ticketPrincipalSchema>, 'ticket'> & { readonly ticket: string };

export interface TicketConfig {
  readonly type: 'static';
  readonly principals: Readonly<Record<string, TicketPrincipal>>;
}
