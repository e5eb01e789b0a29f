/**
 * The `cgi` service in the config.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';

export const cgiSchema = {
  type: 'object',
  section: 'Service "cgi"',
  description:
    'Runs the scripts of a directory, one process for each request (CGI, RFC 3875). The first part of the path that is a file is the script, what follows is its `PATH_INFO`.',
  required: ['type', 'directory', 'processor'],
  looks: 'cgi',
  additionalProperties: false,
  properties: {
    type: { const: 'cgi', description: 'The word for this service.' },
    ...serviceKeys,
    directory: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description:
        'The directory of the scripts, absolute or relative to the node directory. Each file in it is a script.',
    },
    processor: {
      type: 'string',
      minLength: 1,
      description:
        'The program that is run with the script as its argument, such as `/usr/bin/python3`; a name is searched in the `PATH` of the node. It runs in the directory of the script.',
    },
    options: {
      type: 'object',
      section: 'CGI options',
      default: {},
      description: 'How the scripts are run. An addition to the keys of Crossbar.io.',
      additionalProperties: false,
      properties: {
        env: {
          type: 'object',
          allowed: 'an object of names and texts, such as {"DATABASE": "shop"}',
          default: {},
          propertyNames: { pattern: '^[^=\\u0000]+$', allowed: 'a name without "="' },
          additionalProperties: {
            type: 'string',
            pattern: '^[^\\u0000]*$',
            allowed: 'a text without U+0000',
            description: 'A value.',
          },
          description:
            'More environment variables of the scripts. Of those of the node they get `PATH` and `LANG`, and no others.',
        },
        timeout: {
          type: 'integer',
          minimum: 1,
          maximum: 3600,
          default: 30,
          description: 'Seconds that a script may run. Then it is ended, with all that it has started.',
        },
        max_processes: {
          type: 'integer',
          minimum: 1,
          maximum: 1000,
          default: 16,
          description: 'How many scripts run at a time. Beyond it requests are answered with 503.',
        },
      },
    },
  },
} as const satisfies ConfigSchema;

export type CgiConfig = Service<Checked<typeof cgiSchema>>;
