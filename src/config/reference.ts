/**
 * The config format told to others, from the same constants that check it: a plain JSON Schema for editors and other
 * tools (`config/crossbar.schema.json`) and a reference page for people (`docs/config.md`). `npm run generate` writes
 * both; a test fails when they are out of date.
 */
import { dynamicSchema, functionSchema } from '../auth/authenticator-schema.js';
import { anonymousSchema, anonymousStaticSchema, authSchema, cookieAuthSchema } from '../auth/schema.js';
import { cryptosignPrincipalSchema, cryptosignSchema, cryptosignStaticSchema } from '../auth/cryptosign-schema.js';
import { scramPrincipalSchema, scramSchema, scramStaticSchema } from '../auth/scram/schema.js';
import { secretFileSchema } from '../auth/secret-schema.js';
import { ticketPrincipalSchema, ticketSchema, ticketStaticSchema } from '../auth/ticket-schema.js';
import { tlsAuthSchema, tlsPrincipalSchema, tlsStaticSchema } from '../auth/tls-schema.js';
import { wampcraSchema, wampcraStaticSchema, wampcraUserSchema } from '../auth/wampcra-schema.js';
import { componentSchema } from '../component/schema.js';
import {
  cookieSchema,
  cookieStoreSchema,
  databaseStoreSchema,
  fileStoreSchema,
  memoryStoreSchema,
} from '../cookie/schema.js';
import { permissionSchema, realmSchema, roleSchema } from '../router/schema.js';
import type { ConfigSchema } from '../schema/dialect.js';
import { endpointSchema, tcpEndpointSchema, unixEndpointSchema } from '../transport/endpoint-schema.js';
import { rawsocketOptionsSchema, rawsocketTransportSchema } from '../transport/rawsocket/schema.js';
import { tlsSchema } from '../transport/tls-schema.js';
import { deflateSchema, websocketOptionsSchema, websocketTransportSchema } from '../transport/websocket/schema.js';
import { jsonSchema } from '../webservice/json-schema.js';
import { nodeInfoSchema } from '../webservice/nodeinfo-schema.js';
import { pathSchema } from '../webservice/path-schema.js';
import { redirectSchema } from '../webservice/redirect-schema.js';
import { pathServiceSchema, webTransportSchema } from '../webservice/schema.js';
import { staticSchema } from '../webservice/static/schema.js';
import {
  universalRawsocketSchema,
  universalTransportSchema,
  universalWebSchema,
  universalWebsocketSchema,
} from '../webservice/universal-schema.js';
import { websocketServiceSchema } from '../webservice/websocket-schema.js';
import { isOwnKeyword } from './own-keywords.js';
import { allowedWords } from './schema-words.js';
import { controllerSchema, nodeSchema, routerWorkerSchema, transportSchema } from './schema.js';

/** What is said once in the published schema and referred to by name. */
const NAMED = new Map<unknown, string>([
  [pathServiceSchema, 'pathService'],
  [endpointSchema, 'endpoint'],
  [websocketOptionsSchema, 'websocketOptions'],
  [authSchema, 'auth'],
  [cookieSchema, 'cookie'],
]);

/** @returns the JSON Schema (draft-07) of a config file, without keywords of our own. */
export function publishedSchema(): Readonly<Record<string, unknown>> {
  const definitions = [...NAMED].map(([schema, name]) => [name, plainCopy(schema)]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'crossbar-ts node config',
    ...plainCopy(nodeSchema),
    definitions: Object.fromEntries(definitions) as Record<string, unknown>,
  };
}

/** Copies a schema node without our own keywords; `properties` holds names, not keywords. */
function plainCopy(schema: unknown): Record<string, unknown> {
  const entries = Object.entries(schema as Record<string, unknown>)
    .filter(([keyword]) => !isOwnKeyword(keyword) && keyword !== 'discriminator')
    .map(([keyword, value]) => [keyword, keyword === 'properties' ? mapValues(value, reference) : plainValue(value)]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === 'object' && value !== null ? reference(value) : value;
}

function reference(schema: unknown): unknown {
  const name = NAMED.get(schema);
  return name === undefined ? plainCopy(schema) : { $ref: `#/definitions/${name}` };
}

function mapValues(object: unknown, change: (value: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(object as object).map(([key, value]) => [key, change(value)]));
}

interface Section {
  readonly title: string;
  readonly schema: ConfigSchema;
  /** An example of where it stands. */
  readonly place?: string;
}

/** The reference page, from the outside in. */
const SECTIONS: readonly Section[] = [
  { title: 'The node', schema: nodeSchema },
  { title: 'Controller', schema: controllerSchema, place: 'controller' },
  { title: 'Controller options', schema: controllerSchema.properties.options, place: 'controller.options' },
  { title: 'Router worker', schema: routerWorkerSchema, place: 'workers[]' },
  { title: 'Router worker options', schema: routerWorkerSchema.properties.options, place: 'workers[].options' },
  { title: 'Realm', schema: realmSchema, place: 'workers[].realms[]' },
  { title: 'Realm options', schema: realmSchema.properties.options, place: 'workers[].realms[].options' },
  { title: 'Store', schema: realmSchema.properties.store, place: 'workers[].realms[].store' },
  {
    title: 'Store: event history',
    schema: realmSchema.properties.store.properties['event-history'].items,
    place: 'workers[].realms[].store.event-history[]',
  },
  { title: 'Realm compat', schema: realmSchema.properties.compat, place: 'workers[].realms[].compat' },
  { title: 'Role', schema: roleSchema, place: 'workers[].realms[].roles[]' },
  { title: 'Permission', schema: permissionSchema, place: 'workers[].realms[].roles[].permissions[]' },
  { title: 'Permission: allow', schema: permissionSchema.properties.allow, place: '...permissions[].allow' },
  { title: 'Permission: disclose', schema: permissionSchema.properties.disclose, place: '...permissions[].disclose' },
  { title: 'Component', schema: componentSchema, place: 'workers[].components[]' },
  { title: 'Transport', schema: transportSchema, place: 'workers[].transports[]' },
  { title: 'Transport "web"', schema: webTransportSchema, place: 'workers[].transports[]' },
  { title: 'Web options', schema: webTransportSchema.properties.options, place: 'workers[].transports[].options' },
  { title: 'Transport "websocket"', schema: websocketTransportSchema, place: 'workers[].transports[]' },
  { title: 'Transport "rawsocket"', schema: rawsocketTransportSchema, place: 'workers[].transports[]' },
  { title: 'RawSocket options', schema: rawsocketOptionsSchema, place: 'workers[].transports[].options' },
  { title: 'Transport "universal"', schema: universalTransportSchema, place: 'workers[].transports[]' },
  { title: 'Universal: RawSocket', schema: universalRawsocketSchema, place: '...rawsocket' },
  { title: 'Universal: WebSocket', schema: universalWebsocketSchema, place: '...websocket.PATH' },
  { title: 'Universal: web', schema: universalWebSchema, place: '...web' },
  { title: 'Endpoint', schema: endpointSchema, place: 'workers[].transports[].endpoint' },
  { title: 'Endpoint "tcp"', schema: tcpEndpointSchema },
  { title: 'Endpoint: TLS', schema: tlsSchema, place: '...endpoint.tls' },
  { title: 'Endpoint "unix"', schema: unixEndpointSchema },
  { title: 'Path service', schema: pathServiceSchema, place: 'workers[].transports[].paths' },
  { title: 'Service "websocket"', schema: websocketServiceSchema },
  { title: 'Service "static"', schema: staticSchema },
  { title: 'Static options', schema: staticSchema.properties.options },
  { title: 'Service "json"', schema: jsonSchema },
  { title: 'JSON options', schema: jsonSchema.properties.options },
  { title: 'Service "redirect"', schema: redirectSchema },
  { title: 'Service "nodeinfo"', schema: nodeInfoSchema },
  { title: 'Service "path"', schema: pathSchema },
  { title: 'WebSocket options', schema: websocketOptionsSchema, place: 'options of a WebSocket' },
  { title: 'Compression', schema: websocketOptionsSchema.properties.compression, place: 'options.compression' },
  { title: 'Deflate', schema: deflateSchema, place: 'options.compression.deflate' },
  { title: 'Authentication', schema: authSchema, place: 'auth of a WebSocket' },
  { title: 'Anonymous authentication', schema: anonymousSchema, place: 'auth.anonymous' },
  { title: 'Anonymous "static"', schema: anonymousStaticSchema },
  { title: 'Authentication "dynamic"', schema: dynamicSchema },
  { title: 'Authentication "function"', schema: functionSchema },
  { title: 'Cookie authentication', schema: cookieAuthSchema, place: 'auth.cookie' },
  { title: 'Ticket authentication', schema: ticketSchema, place: 'auth.ticket' },
  { title: 'Ticket "static"', schema: ticketStaticSchema },
  { title: 'Ticket principal', schema: ticketPrincipalSchema, place: 'auth.ticket.principals' },
  { title: 'WAMP-CRA', schema: wampcraSchema, place: 'auth.wampcra' },
  { title: 'WAMP-CRA "static"', schema: wampcraStaticSchema },
  { title: 'WAMP-CRA user', schema: wampcraUserSchema, place: 'auth.wampcra.users' },
  { title: 'SCRAM', schema: scramSchema, place: 'auth.scram' },
  { title: 'SCRAM "static"', schema: scramStaticSchema },
  { title: 'SCRAM principal', schema: scramPrincipalSchema, place: 'auth.scram.principals' },
  { title: 'Cryptosign', schema: cryptosignSchema, place: 'auth.cryptosign' },
  { title: 'Cryptosign "static"', schema: cryptosignStaticSchema },
  { title: 'Cryptosign principal', schema: cryptosignPrincipalSchema, place: 'auth.cryptosign.principals' },
  { title: 'TLS authentication', schema: tlsAuthSchema, place: 'auth.tls' },
  { title: 'TLS "static"', schema: tlsStaticSchema },
  { title: 'TLS principal', schema: tlsPrincipalSchema, place: 'auth.tls.principals' },
  { title: 'Secret file', schema: secretFileSchema, place: 'where a secret may stand' },
  { title: 'Cookie', schema: cookieSchema, place: 'cookie of a web transport, of a path service or of a WebSocket' },
  { title: 'Cookie store', schema: cookieStoreSchema, place: 'cookie.store' },
  { title: 'Cookie store "memory"', schema: memoryStoreSchema },
  { title: 'Cookie store "file"', schema: fileStoreSchema },
  { title: 'Cookie store "database"', schema: databaseStoreSchema },
];

const INTRODUCTION = `# The config file

<!-- Written by "npm run generate" from the schemas in src/. Do not edit. -->

A node reads \`config.yaml\` (or \`config.yml\`) or else \`config.json\` from its directory; \`--config\` names another file.
The format is version 2 of the node config of Crossbar.io, in JSON or YAML by one schema. For editors it is published as
[\`config/crossbar.schema.json\`](../config/crossbar.schema.json): name it in \`$schema\`.

- The whole file is checked before anything starts, and everything that is wrong is told at once, one line each:
  \`file:line:column: JSON pointer: what was found (allowed: what may stand there)\`. The exit code is 1.
- A key that nobody knows is an error, and so is a key of Crossbar.io that is not supported yet: nothing is ignored.
- JSON is strict: no comments, no comma at the end. YAML 1.2 may use comments, anchors and aliases. A key that stands
  twice in one object is an error in both.
- Relative paths start at the node directory. Ids that are left out are made up (\`worker001\`, \`realm001\`, ...).
- Environment variables are read in a few places only: \`port\`, \`disabled\`, and secrets (\`"\${NAME}"\`). One that is not set is an
  error. Secrets may also be in files (\`{"file": "secrets/joe.txt"}\`); others than the node should not be able to read them.
- A file is at most 4 MiB of UTF-8 and nests at most 100 levels.

Beyond the tables, these rules hold between keys:

- Ids and names are unique: worker ids in the node; realm ids, realm names, component ids and transport ids in a worker;
  role names in a realm.
- A node without any transport is an error, and so is a realm or role in \`auth\` or of a component that the worker does
  not have, or \`auth.cookie\` where no \`cookie\` section is in force.
- With \`salt\`, the \`secret\` of a WAMP-CRA user is a derived key of \`keylen\` bytes in Base64; \`iterations\` and \`keylen\` need
  \`salt\`.
- With \`argon2id13\` and \`argon2id-13\`, a SCRAM principal has \`memory\`; a TLS principal has a fingerprint.
- Only a warning, because it may be meant: a method without principals; one key for two principals; a secret file that others may read; a realm
  without roles; a WebSocket without \`auth\` in a worker where no realm
  has the role \`anonymous\`; \`config.yaml\` and \`config.json\` in one directory.
- Two transports cannot have the same port on overlapping interfaces (0, any free port, excepted), nor the same socket
  file.
- A role has one of \`permissions\`, \`authorizer\` and \`"allow-by-default": true\`. A \`uri\` that ends in \`*\` excludes the \`match\`
  words \`exact\` and \`wildcard\`.
- \`"same_site": "None"\` needs \`"secure": true\`. \`http_strict\` and \`http_only\` agree where both stand.
- \`cookie\` sections that name the same file or database share one store, so they agree on \`name\`, \`length\`, \`secrets\`,
  the rules of expiry and all of \`store\`. A database that is \`readonly\` cannot be emptied.
`;

/** @returns the reference page in Markdown. */
export function referencePage(): string {
  const contents = SECTIONS.map(({ title }) => `- [${title}](#${anchor(title)})`).join('\n');
  return `${INTRODUCTION}\n${contents}\n\n${SECTIONS.map(section).join('\n')}`;
}

function section({ title, schema, place }: Section): string {
  const where = place === undefined ? '' : ` Stands at: \`${place}\`.`;
  const parts = [`## ${title}\n\n${schema.description}${where}\n`];
  if (schema.oneOf !== undefined) parts.push(variants(schema.oneOf));
  if (schema.properties !== undefined) parts.push(table(schema));
  const notYet = [
    ...(schema.notYet ?? []),
    ...(schema.properties?.['type']?.notYet ?? []).map((word) => `type: ${word}`),
  ];
  if (notYet.length > 0) parts.push(`Known from Crossbar.io, not supported yet: ${notYet.map(code).join(', ')}.\n`);
  return parts.join('\n');
}

function variants(schemas: readonly ConfigSchema[]): string {
  const lines = schemas.map((schema) => `| ${code(String(schema.properties?.['type']?.const))} | ${linked(schema)} |`);
  return `| \`type\` | meaning |\n| --- | --- |\n${lines.join('\n')}\n`;
}

function linked(schema: ConfigSchema): string {
  const target = SECTIONS.find((candidate) => candidate.schema === schema);
  return target === undefined
    ? cell(schema.description)
    : `[${target.title}](#${anchor(target.title)}): ${cell(schema.description)}`;
}

function table(schema: ConfigSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const required = schema.required?.includes(key) === true;
    return `| ${code(key)} | ${typeCell(value)} | ${required ? '**required**' : defaultCell(value)} | ${meaning(value)} |`;
  });
  return `| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function typeCell(schema: ConfigSchema): string {
  const own = SECTIONS.find((candidate) => candidate.schema === schema);
  if (own !== undefined) return `[object](#${anchor(own.title)})`;
  const { additionalProperties: values } = schema;
  const inner = SECTIONS.find((candidate) => candidate.schema === values);
  if (inner !== undefined) return `object of [${inner.title}](#${anchor(inner.title)})`;
  if (schema.items !== undefined && schema.type === 'array') return `list of ${itemWords(schema.items)}`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  return cell(allowedWords(schema));
}

function itemWords(schema: ConfigSchema): string {
  const own = SECTIONS.find((candidate) => candidate.schema === schema);
  if (own !== undefined) return `[${own.title.toLowerCase()}](#${anchor(own.title)})`;
  return schema.enum === undefined ? 'strings' : cell(allowedWords(schema));
}

function defaultCell(schema: ConfigSchema): string {
  if (schema.absent !== undefined) return cell(schema.absent);
  return schema.default === undefined ? 'none' : code(JSON.stringify(schema.default));
}

function meaning(schema: ConfigSchema): string {
  const only = schema.because === undefined ? '' : ` No other value is supported yet: ${schema.because}.`;
  const { enum: words, notYet } = schema.items ?? {};
  const items =
    words === undefined || notYet === undefined ? '' : ` Not supported yet: ${notYet.map(code).join(', ')}.`;
  return cell(schema.description + only + items);
}

/** The link that Markdown renderers make of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function code(word: string): string {
  return `\`${word}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
