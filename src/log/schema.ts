/** How much is logged (`controller.options.log_level`). */
import { LOG_LEVELS } from './level.js';
import type { ConfigSchema } from '../schema/dialect.js';

export const logLevelSchema = {
  type: 'string',
  enum: LOG_LEVELS,
  reload: 'at once',
  absent: '`info`',
  description:
    'How much is logged, from the quietest word to the most talkative. Processes for components follow it, too. With `--loglevel` on the command line it has no effect. An addition to the keys of Crossbar.io.',
} as const satisfies ConfigSchema;
