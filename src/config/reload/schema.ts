/** What a reload does beside taking over the config (`controller.options.reload`). */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';

export const reloadSchema = {
  type: 'object',
  section: 'Reload',
  standsAt: 'controller.options.reload',
  default: {},
  reload: 'at once',
  description: 'What a reload of the config does beside taking it over. An addition to the keys of Crossbar.io.',
  additionalProperties: false,
  properties: {
    kick: {
      type: 'boolean',
      default: false,
      description:
        'Ends open sessions that the new config would not let in as whom they are: their principal is gone, has another role or another ticket, secret or key, or their method is gone. They get GOODBYE `wamp.close.killed`. By default they go on, and the reload lists them. What an authenticator decided stands.',
    },
  },
} as const satisfies ConfigSchema;

/** A checked `reload` section. */
export type ReloadConfig = Checked<typeof reloadSchema>;
