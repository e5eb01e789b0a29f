/** The `upload` service in the config. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, originKeys, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkUpload } from './rules.js';

const MIB = 1024 * 1024;

const field = (name: string, description: string) =>
  ({ type: 'string', minLength: 1, default: name, description }) as const;

export const uploadSchema = {
  type: 'object',
  section: 'Service "upload"',
  reload: 'restart of all',
  looks: 'upload',
  description:
    'Takes files from browsers, in pieces, as the library resumable.js sends them: an upload that was interrupted goes on where it was. Tells the progress by WAMP events. Needs the npm package `busboy`.',
  rules: checkUpload,
  required: ['type', 'realm', 'role', 'directory'],
  additionalProperties: false,
  properties: {
    type: { const: 'upload', description: 'The word for this service.' },
    ...serviceKeys,
    realm: { type: 'string', is: 'realm', description: 'The realm on which the progress is told.' },
    role: {
      type: 'string',
      is: 'role',
      minLength: 1,
      description: 'The role of the session that tells it. It must be allowed to publish to the topics.',
    },
    directory: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description:
        'Where the files go that have come to their end, absolute or relative to the node directory. It is made when it is not there. A file gets its name there at once, and whole.',
    },
    temp_directory: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: '`.unfinished` in the `directory`',
      description:
        'Where the pieces of unfinished uploads are kept; for this service alone. It is made when it is not there.',
    },
    form_fields: {
      type: 'object',
      section: 'Upload form fields',
      default: {},
      description: 'How the fields of the form are called. The defaults are the names of resumable.js.',
      additionalProperties: false,
      properties: {
        file_name: field('resumableFilename', 'The name of the file.'),
        mime_type: field('resumableType', 'The media type of the file. It is not looked at.'),
        total_size: field('resumableTotalSize', 'The size of the file, in bytes.'),
        chunk_number: field('resumableChunkNumber', 'The number of the piece, from 1.'),
        chunk_size: field('resumableChunkSize', 'The size of the pieces, in bytes; the last one has the rest.'),
        total_chunks: field('resumableTotalChunks', 'How many pieces there are.'),
        content: field('file', 'The piece itself. It comes after all other fields.'),
        identifier: field(
          'resumableIdentifier',
          'How the client calls the upload; the name of the file, where the field does not come. An addition to the keys of Crossbar.io.',
        ),
        on_progress: field('on_progress', 'The topic on which the progress is told; without it, it is not told.'),
        session: field('session', 'The id of the session that is told alone; without it, all subscribers are.'),
        chunk_extra: field('chunk_extra', 'JSON that each event has.'),
        finish_extra: field('finish_extra', 'JSON that the last event has.'),
      },
    },
    options: {
      type: 'object',
      section: 'Upload options',
      default: {},
      description: 'What is taken, and from whom.',
      additionalProperties: false,
      properties: {
        max_file_size: {
          type: 'integer',
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          default: 10 * MIB,
          description: 'How many bytes a file may have. 10485760 are 10 MiB.',
        },
        file_types: {
          type: 'array',
          uniqueItems: true,
          absent: 'any',
          items: {
            type: 'string',
            pattern: '^\\.[^/\\\\]+$',
            allowed: 'a file extension such as ".pdf"',
            description: 'A file extension, with its dot.',
          },
          description: 'Which files are taken, by the end of their names. The content is not looked at.',
        },
        file_permissions: {
          type: 'string',
          pattern: '^0?[0-7]{3}$',
          allowed: 'an octal number such as "0644"',
          default: '0644',
          description: 'The permissions of a file that has come to its end, as `chmod` takes them.',
        },
        overwrite: flag(
          'A file takes the place of another one of its name. Without it the second one is `name (1).ext`. An addition to the keys of Crossbar.io.',
        ),
        topics: {
          type: 'array',
          uniqueItems: true,
          absent: 'all that the `role` may publish to',
          items: {
            type: 'string',
            pattern: '^[^\\s#]+$',
            allowed: 'a URI without whitespace and "#"; may end in "*"',
            description: 'A URI. A `*` at the end makes a prefix, and elsewhere stands for one component.',
          },
          description:
            'The topics on which pages may ask for the progress. An addition to the keys of Crossbar.io, where a page names any.',
        },
        require_role: {
          type: 'string',
          is: 'role',
          minLength: 1,
          absent: 'everybody may upload',
          description:
            'The role that a visitor must have, by the login of the cookie. Needs a `cookie` section. An addition to the keys of Crossbar.io.',
        },
        ...originKeys,
        max_unfinished: {
          type: 'integer',
          minimum: 1,
          maximum: 100_000,
          default: 1000,
          description: 'How many uploads may be unfinished at a time. An addition to the keys of Crossbar.io.',
        },
        max_unfinished_size: {
          type: 'integer',
          minimum: MIB,
          maximum: Number.MAX_SAFE_INTEGER,
          absent: '1 GiB, or twice `max_file_size` where that is more',
          description:
            'How many bytes the pieces of all unfinished uploads may take on the disk. When it is full, uploads get 503. An addition to the keys of Crossbar.io.',
        },
        max_unfinished_per_address: {
          type: 'integer',
          minimum: 1,
          maximum: 100_000,
          default: 100,
          description:
            'How many uploads of one client address (IPv6: one network of 64 bits) may be unfinished at a time. An addition to the keys of Crossbar.io.',
        },
        max_unfinished_size_per_address: {
          type: 'integer',
          minimum: MIB,
          maximum: Number.MAX_SAFE_INTEGER,
          absent: 'a quarter of `max_unfinished_size`, or one and a quarter times `max_file_size` where that is more',
          description:
            'How many bytes the pieces of the unfinished uploads of one client address may take on the disk. Beyond it, its uploads get 503. An addition to the keys of Crossbar.io.',
        },
        unfinished_timeout: {
          type: 'integer',
          minimum: 60,
          maximum: 31_536_000,
          default: 86_400,
          description:
            'Seconds after which the pieces of an upload that does not go on are deleted. 86400 is a day. An addition to the keys of Crossbar.io.',
        },
        chunk_timeout: {
          type: 'integer',
          minimum: 1,
          maximum: 3600,
          default: 120,
          description:
            'Seconds within which one piece must have arrived. Slow connections need more, or smaller pieces. An addition to the keys of Crossbar.io.',
        },
      },
    },
  },
} as const satisfies ConfigSchema;

/** A checked service. */
export type UploadConfig = Service<Checked<typeof uploadSchema>>;
