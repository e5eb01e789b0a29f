/**
 * The `archive` service in the config.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkArchive } from './rules.js';

const ENTRY = '^(?!\\.{0,2}(/|$))[^/\\\\]+(/(?!\\.{0,2}(/|$))[^/\\\\]+)*$';

export const archiveSchema = {
  type: 'object',
  section: 'Service "archive"',
  looks: 'archive',
  description:
    'Serves the files of a ZIP archive, which may be downloaded when the node starts. Clients that take gzip get the files as they are packed.',
  rules: checkArchive,
  required: ['type', 'archive'],
  additionalProperties: false,
  properties: {
    type: { const: 'archive', description: 'The word for this service.' },
    ...serviceKeys,
    archive: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description:
        'The ZIP file, absolute or relative to the node directory: entries that are stored or deflated, up to 4 GiB and 65,534 entries, none encrypted. It is read when the node starts.',
    },
    origin: {
      type: 'string',
      pattern: '^https?://[\\x21-\\x7e]+$',
      allowed: 'a URL such as "https://example.com/pages.zip"',
      absent: 'the file must be there',
      description:
        'Where the file comes from if it is not there, or is none of `hashes`. With `http` it needs `hashes`. At most 100 MiB.',
    },
    download: flag('Fetches the file from `origin`, before the node has started.'),
    hashes: {
      type: 'array',
      uniqueItems: true,
      default: [],
      items: {
        type: 'string',
        pattern: '^[0-9a-fA-F]{64}$',
        allowed: '64 hexadecimal digits',
        description: 'The SHA-256 of the file, as `sha256sum` writes it.',
      },
      description: 'Which files are taken: one must fit, else the node does not start. Empty: any.',
    },
    cache: flag(
      'Keeps files that were unpacked in memory, those that were asked for last: up to 64 MiB, of up to 8 MiB each.',
    ),
    default_object: {
      type: 'string',
      pattern: ENTRY,
      allowed: 'the name of a file, such as "index.html"',
      default: 'index.html',
      description: 'The file that answers for a directory.',
    },
    object_prefix: {
      type: 'string',
      pattern: '^(?!\\.{0,2}(/|$))[^\\\\]+$',
      allowed: 'the path of a directory in the archive, such as "dist"',
      absent: 'the whole archive',
      description: 'The directory in the archive that is served.',
    },
    mime_types: {
      type: 'object',
      allowed: 'an object such as {".md": "text/markdown"}',
      default: {},
      propertyNames: { pattern: '^\\.?[^/]+$', allowed: 'a file extension such as ".md"' },
      additionalProperties: {
        type: 'string',
        pattern: '^[^/\\s]+/[^/\\s]+.*$',
        allowed: 'a media type such as "text/markdown"',
        description: 'A media type.',
      },
      description: 'More media types, by file extension with its dot. Of `.js` and `.min.js` the longer one counts.',
    },
    options: {
      type: 'object',
      section: 'Archive options',
      default: {},
      description: 'How the files are served.',
      additionalProperties: false,
      properties: {
        default_file: {
          type: 'string',
          pattern: ENTRY,
          allowed: 'the path of a file in the archive, such as "app/index.html"',
          absent: '404 for paths that do not exist',
          description:
            'The file, below `object_prefix`, that answers for paths that do not exist. As in [static](#static-options), requests for a file (a path with an extension), and those whose `Accept` takes no HTML, get 404.',
        },
        allow_cross_origin: flag(
          'Lets pages of other sites read the files, but not as the visitor. An addition to the keys of Crossbar.io.',
        ),
        timeout: {
          type: 'integer',
          minimum: 1,
          maximum: 3600,
          allowed: 'seconds from 1 to 3600',
          default: 60,
          description:
            'Seconds that `origin` may be silent. The whole download has ten times as long. An addition to the keys of Crossbar.io.',
        },
      },
    },
  },
} as const satisfies ConfigSchema;

export type ArchiveConfig = Service<Checked<typeof archiveSchema>>;
