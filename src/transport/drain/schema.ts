/** How a node ends, in the config (`transport/drain.ts`). */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';

/** Ten minutes: more is a mistake in the unit. */
const MAX_SECONDS = 600;

export const drainSchema = {
  type: 'object',
  section: 'Drain',
  default: {},
  description:
    'How the node stops, in seconds: it waits, closes its connections one by one, and lets calls be answered. A second signal ends it at once. An addition to the keys of Crossbar.io.',
  additionalProperties: false,
  properties: {
    delay: {
      type: 'number',
      minimum: 0,
      maximum: MAX_SECONDS,
      default: 0,
      description:
        'For so long nothing changes but that `readyz` answers 503 and HTTP connections end behind the next answer, so that load balancers send new clients elsewhere. Behind one it should be longer than the interval of its checks.',
    },
    spread: {
      type: 'number',
      minimum: 0,
      maximum: MAX_SECONDS,
      absent: 'a millisecond for each connection, at most 20 seconds',
      description:
        'How long closing all connections takes, so that clients do not come back all at once. Of few connections, each takes a second at most.',
    },
    calls: {
      type: 'number',
      minimum: 0,
      maximum: MAX_SECONDS,
      default: 5,
      description:
        'How long calls in flight, all together, may hold up the end of their callers and callees. Those that are not answered by then get ERROR `wamp.error.canceled`.',
    },
  },
} as const satisfies ConfigSchema;

export type DrainConfig = Checked<typeof drainSchema>;
