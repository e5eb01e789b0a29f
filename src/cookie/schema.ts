/**
 * The `cookie` section of the config: how the cookie looks, how long it lives and where its record is kept.
 * Keys, ranges and defaults are Crossbar.io's as documented; `http_only`, `path`, `domain` and all between `sliding` and `authid` are additions.
 */
import { secretSchema } from '../auth/secret-schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { checkReadonly } from './database/rules.js';
import { natsStoreSchema } from './nats/schema.js';
import type { NatsStoreConfig } from './nats/schema.js';

export const memoryStoreSchema = {
  type: 'object',
  section: 'Cookie store "memory"',
  description: 'Keeps the cookies in memory: every browser is a stranger again after a restart.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'memory', description: 'The word for this store.' },
  },
} as const satisfies ConfigSchema;

export const fileStoreSchema = {
  type: 'object',
  section: 'Cookie store "file"',
  looks: 'cookie file',
  description:
    'Keeps the cookies in an append-only file in the format of Crossbar.io: browsers are known again after a restart.',
  required: ['type', 'filename'],
  additionalProperties: false,
  properties: {
    type: { const: 'file', description: 'The word for this store.' },
    filename: {
      type: 'string',
      is: 'file',
      private: true,
      state: true,
      identity: true,
      minLength: 1,
      description:
        'The file, absolute or relative to the node directory, or to the state directory if there is one (`--statedir`). Sections that name the same file share one store.',
    },
    sync: {
      type: 'string',
      enum: ['always', 'everysec', 'no'],
      default: 'always',
      description:
        'When changes are synced to the disk: `always` before a client hears of them; `everysec` within a second, `no` when the system likes. A crash of the node loses nothing in any case; a power cut or a crash of the system loses nothing, the last second, the last half minute or so.',
    },
    checksum: {
      type: 'boolean',
      default: false,
      description:
        'Writes a checksum at the end of each line, so that any flipped bit on the disk is noticed: such a line is set aside. Crossbar.io reads such files as well.',
    },
    purge_on_startup: {
      type: 'boolean',
      default: false,
      description:
        'Rewrites the file without expired and deleted cookies before the node starts. Off, so that a start never loses history.',
    },
  },
} as const satisfies ConfigSchema;

export const databaseStoreSchema = {
  type: 'object',
  section: 'Cookie store "database"',
  looks: 'cookie database',
  description:
    'Keeps the cookies in an LMDB database that several nodes of one machine can use at the same time: a login at one of them counts at all of them. Needs the npm package `lmdb`.',
  required: ['type', 'path'],
  rules: checkReadonly,
  additionalProperties: false,
  properties: {
    type: { const: 'database', description: 'The word for this store.' },
    path: {
      type: 'string',
      is: 'file',
      private: true,
      state: true,
      identity: true,
      minLength: 1,
      description:
        'The directory of the database, absolute or relative to the node directory, or to the state directory if there is one (`--statedir`); it is made if there is none. Not on a network drive. Sections that name the same one share a store.',
    },
    maxsize: {
      type: 'integer',
      refuses: { '`maxsize` below 131072': 'name a larger one: Crossbar.io does not start with it either' },
      minimum: 131_072,
      maximum: 137_438_953_472,
      default: 1_073_741_824,
      description:
        'How large it may grow, in bytes. When it is full, new cookies and logins are refused until some have gone. 1073741824 is 1 GiB, good for a million cookies and more.',
    },
    readonly: {
      type: 'boolean',
      default: false,
      description: 'Only knows the cookies that are there: nobody gets a new one, and no login and logout is stored.',
    },
    sync: {
      type: 'boolean',
      default: true,
      description:
        'Syncs every change to the disk before a client hears of it. Off, a crash of the system may damage the whole database.',
    },
    purge_on_startup: {
      type: 'boolean',
      default: false,
      description:
        'Empties the whole database before the node starts: here, as in Crossbar.io, it does not only drop what is expired. Other nodes that use it lose their cookies, too.',
    },
  },
} as const satisfies ConfigSchema;

export const cookieStoreSchema = {
  type: 'object',
  reload: 'restart of all',
  section: 'Cookie store',
  standsAt: 'cookie.store',
  description: 'Where the records of the cookies are kept.',
  default: { type: 'memory' },
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [memoryStoreSchema, fileStoreSchema, databaseStoreSchema, natsStoreSchema],
} as const satisfies ConfigSchema;

export const cookieSchema = {
  type: 'object',
  reload: 'new requests',
  section: 'Cookie',
  standsAt: 'cookie of a web transport, of a path service or of a WebSocket',
  absent: 'the `cookie` of the web transport around it, else no cookie',
  description: 'Recognises a returning browser by a cookie.',
  inherited: true,
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      reload: 'restart',
      pattern: '^(__Host-|__Secure-)?[a-z][a-z0-9_]+$',
      allowed: 'two or more of a-z, 0-9 and _, beginning with a letter; "__Host-" or "__Secure-" may stand before',
      default: 'cbtid',
      description:
        "The cookie's name. One that begins with `__Host-` can only be set over TLS and by this very host, so that nobody on a subdomain or on plain HTTP can plant one: browsers see to it.",
    },
    length: {
      type: 'integer',
      reload: 'restart',
      minimum: 6,
      maximum: 64,
      default: 24,
      description:
        'Characters of the cookie id, 6 random bits each. 24 are 144 bits: nobody guesses one, no two are the same. Fewer than 22 are a warning.',
    },
    max_age: {
      type: 'integer',
      minimum: 1,
      maximum: 311_040_000,
      default: 86_400,
      description:
        'Lifetime in seconds, counted from the first visit and kept by the browser and the node. 86400 is one day.',
    },
    store: cookieStoreSchema,
    sliding: {
      reload: 'restart',
      type: 'boolean',
      default: false,
      description:
        'Counts `max_age` from the last visit instead of the first, and sends the cookie again in time: a browser that keeps coming back is never forgotten.',
    },
    idle_timeout: {
      reload: 'restart',
      type: 'integer',
      minimum: 1,
      maximum: 311_040_000,
      absent: 'no limit',
      description:
        'Seconds after which an unused cookie is forgotten, even within `max_age`. It is in use as long as a connection is open; otherwise this is exact to a tenth, so that a visit costs no write.',
    },
    max_unreturned: {
      reload: 'restart',
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      default: 10_000,
      description:
        'How many cookies are kept with which nobody has come back: beyond that the oldest are forgotten, so that requests without a cookie fill no store. Cookies that came back, had a login or have an open connection do not count.',
    },
    close_expired: {
      reload: 'restart',
      type: 'boolean',
      default: false,
      description:
        'Ends the sessions of a cookie when it expires, with GOODBYE `crossbar.close.cookie_expired`. Otherwise they go on, and only the next connection finds the cookie expired.',
    },
    rotate: {
      type: 'boolean',
      absent: 'true where a WebSocket has cookie authentication, else false',
      description:
        'Gives the cookie another id with the first handshake or page after a login, so that nobody who planted or saw the old one is logged in with it.',
    },
    rotate_grace: {
      type: 'integer',
      minimum: 0,
      maximum: 3600,
      default: 60,
      description:
        'Seconds for which an id that was replaced still works, for the requests that a browser has under way. Nobody is told the new id for it.',
    },
    secrets: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: secretSchema('A secret of 16 characters or more.'),
      absent: 'cookies are not signed',
      description:
        'Signs the cookies as Express does (`s:<id>.<mac>`, HMAC-SHA256), so that ids which were not made here never reach the store. The first secret signs, all verify: put a new one in front, and cookies are signed anew when they come. Each has 16 characters or more; `"${NAME}"` takes it from the environment, `{"file": "..."}` from a file.',
    },
    authid: {
      type: 'string',
      enum: ['cookie', 'derived'],
      absent: '`derived` where a WebSocket has cookie authentication, else `cookie`',
      description:
        'What anonymous sessions of the browser are called: the cookie id itself, as in Crossbar.io, or a hash of it that nobody can come back with. Other sessions see it.',
    },
    secure: {
      type: 'boolean',
      absent: 'true on a TLS connection, else false',
      description:
        'Adds `Secure`: the browser sends the cookie over TLS only. Set it to true behind a proxy that terminates TLS.',
    },
    http_only: {
      type: 'boolean',
      absent: 'true',
      description:
        'Adds `HttpOnly`: scripts of the page cannot read the cookie. On unless switched off, because the cookie identifies.',
    },
    http_strict: {
      type: 'boolean',
      absent: 'the value of `http_only`',
      description: "Crossbar.io's name of `http_only`. Both may stand together only with the same value.",
    },
    same_site: {
      type: 'string',
      enum: ['Strict', 'Lax', 'None'],
      default: 'Lax',
      description:
        'Adds `SameSite`: whether other sites may make the browser send the cookie. `None` needs `secure: true`, or browsers drop it.',
    },
    path: {
      type: 'string',
      pattern: '^/[^;\\x00-\\x20\\x7f-\\uffff]*$',
      allowed: 'a URL path beginning with "/", ASCII without space and ";"',
      default: '/',
      description:
        'Adds `Path`: below which URL path the browser sends the cookie. `/` covers the page and every WebSocket beside it.',
    },
    domain: {
      type: 'string',
      pattern: '^\\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$',
      allowed: 'a domain name',
      absent: 'the host that set the cookie, without its subdomains',
      description:
        'Adds `Domain`: shares the cookie with all subdomains of this domain. Browsers refuse a name without a dot inside, but for `localhost`, and addresses.',
    },
  },
} as const satisfies ConfigSchema;

/** A checked `store` section; `filename` and `path` are absolute. */
export type CookieStoreConfig =
  | Checked<typeof memoryStoreSchema>
  | Checked<typeof fileStoreSchema>
  | Checked<typeof databaseStoreSchema>
  | NatsStoreConfig;

/** A checked `cookie` section. */
export interface CookieConfig extends Omit<Checked<typeof cookieSchema>, 'store' | 'secrets'> {
  readonly store: CookieStoreConfig;
  /** The secrets themselves, wherever they come from. */
  readonly secrets?: readonly string[];
}
