/**
 * The `static` service in the config.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkDirectory, checkOptions } from './rules.js';

const COPY_THEM =
  'copy the files out of the Python package (python3 -c "import NAME; print(NAME.__path__[0])" tells where it is), and name their "directory"';

export const staticSchema = {
  type: 'object',
  section: 'Service "static"',
  looks: 'static directory',
  description:
    'Serves the files of a directory. Where a compressed copy lies beside a file (`app.js.br`, `app.js.gz`), a client that takes its coding gets that one.',
  rules: checkDirectory,
  required: ['type', 'directory'],
  additionalProperties: false,
  properties: {
    type: { const: 'static', description: 'The word for this service.' },
    ...serviceKeys,
    directory: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description:
        'The directory, absolute or relative to the node directory; or one file, which is served at this path. One that is not there yet is looked for at each request.',
    },
    options: {
      type: 'object',
      section: 'Static options',
      default: {},
      description: 'How the files are served.',
      rules: checkOptions,
      additionalProperties: false,
      properties: {
        enable_directory_listing: flag(
          'Lists the files of a directory that has no page (`index`). Off, so that nothing shows by accident.',
        ),
        mime_types: {
          type: 'object',
          allowed: 'an object such as {".md": "text/markdown"}',
          default: {},
          propertyNames: { pattern: '^\\.?[^./]+$', allowed: 'a file extension such as ".md"' },
          additionalProperties: {
            type: 'string',
            pattern: '^[^/\\s]+/[^/\\s]+.*$',
            allowed: 'a media type such as "text/markdown"',
            description: 'A media type.',
          },
          description: 'More media types, by file extension with its dot.',
        },
        cache_timeout: {
          type: ['integer', 'null'],
          maximum: 31_536_000,
          allowed: 'seconds up to 31536000, or null',
          absent: '12 hours, but for HTML 0, and for a file with a hash in its name a year',
          description:
            'Seconds that a browser may keep a file without asking again; null sends no such header. Left out, it depends on the file: HTML is asked for each time (`no-cache`), names with a hash as bundlers write it, such as `index-BxY2a9Qz.js` or `app.3f2a91bc.css`, are kept for a year (`immutable`), all others for 12 hours, as with Crossbar.io.',
        },
        default_file: {
          type: 'string',
          pattern: '^(?!\\.{1,2}(/|$))[^/\\\\]+(/(?!\\.{1,2}(/|$))[^/\\\\]+)*$',
          allowed: 'the path of a file in the directory, such as "app/index.html"',
          absent: '404 for paths that do not exist',
          description:
            'The file in `directory` that answers, with status 200, for paths that do not exist, as applications with one page need it. Requests for a file (a path with an extension such as `.js`), and those whose `Accept` takes no HTML, get 404: a script that is gone is no page.',
        },
        index: {
          type: 'string',
          pattern: '^(?!\\.{1,2}$)[^/\\\\]+$',
          allowed: 'the name of a file, such as "start.html"',
          default: 'index.html',
          description: 'The file that answers for a directory. An addition to the keys of Crossbar.io.',
        },
        allow_cross_origin: flag(
          'Lets pages of other sites read the files, but not as the visitor: `Access-Control-Allow-Origin: *` without credentials. An addition to the keys of Crossbar.io, which lets every page read them.',
        ),
      },
    },
  },
  notYet: {
    package: COPY_THEM,
    resource: COPY_THEM,
  },
} as const satisfies ConfigSchema;

export type StaticConfig = Service<Checked<typeof staticSchema>>;
