/**
 * Publishes the config format, from the constants that check it: a plain JSON Schema for editors and other tools
 * (`config/crossbar.schema.json`), and a reference page (`docs/config.md`). `npm run generate` writes both; a test fails when
 * they are out of date.
 */
import { authSchema } from '../auth/schema.js';
import { cookieSchema } from '../cookie/schema.js';
import type { ConfigSchema } from '../schema/dialect.js';
import { clientAuthSchema } from '../remote/auth-schema.js';
import { clientTransportSchema } from '../remote/transport-schema.js';
import { endpointSchema } from '../transport/endpoint-schema.js';
import { rawsocketOptionsSchema } from '../transport/rawsocket/schema.js';
import { websocketOptionsSchema } from '../transport/websocket/schema.js';
import { pathServiceSchema } from '../webservice/schema.js';
import { transportSchema } from '../worker/schema.js';
import { isOwnKeyword } from './own-keywords.js';
import { allowedWords } from './schema-words.js';
import { nodeSchema, nodeSchemaTree } from './schema.js';
import { freeSchema } from './walk.js';
import type { SchemaTree } from './walk.js';

/** The schemas that the published schema defines once and refers to by name. */
const NAMED = new Map<unknown, string>([
  [pathServiceSchema, 'pathService'],
  [endpointSchema, 'endpoint'],
  [websocketOptionsSchema, 'websocketOptions'],
  [authSchema, 'auth'],
  [cookieSchema, 'cookie'],
  [transportSchema, 'transport'],
  [rawsocketOptionsSchema, 'rawsocketOptions'],
  [clientTransportSchema, 'clientTransport'],
  [clientAuthSchema, 'clientAuth'],
]);

/** In characters; a longer list or dictionary has a line for each item. */
const MAX_LINE = 160;

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

/** @returns {@link publishedSchema} as a file. */
export function publishedSchemaText(): string {
  return `${compactJson(publishedSchema(), 0)}\n`;
}

/** Short lists and dictionaries stand in one line: indentation would be a third of the text, which is in the package. */
function compactJson(value: unknown, depth: number): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || depth + line.length <= MAX_LINE) return line;
  const indent = ' '.repeat(depth);
  const items = Array.isArray(value)
    ? value.map((item) => compactJson(item, depth + 1))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${compactJson(item, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${items.map((item) => `${indent} ${item}`).join(',\n')}\n${indent}${close}`;
}

/** Copies a schema node without our own keywords; `properties` holds names, not keywords. */
function plainCopy(schema: unknown): Record<string, unknown> {
  const entries = Object.entries(withAccepted(schema as Partial<ConfigSchema>))
    .filter(([keyword]) => !isOwnKeyword(keyword) && keyword !== 'discriminator')
    .map(([keyword, value]) => [keyword, keyword === 'properties' ? mapValues(value, reference) : plainValue(value)]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** A strict validator asks for a type beside `properties`. */
const ANY_TYPE = ['object', 'array', 'string', 'number', 'boolean', 'null'];

/** @returns the schema with all that is accepted with a note: an editor has nothing against it. */
function withAccepted(schema: Partial<ConfigSchema>): object {
  const { noEffect, unknownKeys, adapt, properties } = schema;
  if (properties === undefined && (typeof noEffect === 'string' || adapt !== undefined)) return ofAnyValue(schema);
  if (noEffect === undefined && unknownKeys === undefined && adapt === undefined) return schema;
  if (typeof noEffect === 'string') return { ...schema, additionalProperties: true };
  const ignored = Object.entries(noEffect ?? {}).map(([key, why]) => [key, { description: `Has no effect: ${why}.` }]);
  return {
    ...schema,
    properties: { ...properties, ...(Object.fromEntries(ignored) as object) },
    ...(unknownKeys !== undefined && { additionalProperties: true }),
    ...(adapt !== undefined && { type: ANY_TYPE }),
  };
}

/** @returns the schema of a single value without what limits it to some values of its type. */
function ofAnyValue(schema: Partial<ConfigSchema>): object {
  if (schema.type === 'array') return ofAnyWords(schema);
  const { const: only, enum: words, minimum, maximum, not: gap, pattern, ...open } = schema;
  const type = typeof (only ?? words?.[0] ?? minimum ?? maximum ?? gap?.exclusiveMinimum ?? pattern);
  // Of numbers some are taken as text.
  return {
    type,
    ...open,
    ...(schema.adapt !== undefined && open.type === 'integer' && { type: ['integer', 'string'] }),
  };
}

/** @returns the schema of a list without what limits its words: some are taken out. */
function ofAnyWords({ uniqueItems: _once, items, ...open }: Partial<ConfigSchema>): object {
  return { ...open, items: { type: items?.type, description: items?.description } };
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

/** An object with a section of its own. */
type Section = ConfigSchema & { readonly section: string };

function isSection(schema: ConfigSchema | undefined): schema is Section {
  return schema?.section !== undefined;
}

/** @returns every section, from the outside in. A section that several others contain follows the last of them. */
function sectionsIn({ root, definitions }: SchemaTree): Section[] {
  const seen = new Set<ConfigSchema>();
  const sections: Section[] = [];
  // Each section is added after its contents; the reversed list has it before them.
  const visit = (schema: ConfigSchema): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    schemasIn(schema, definitions).toReversed().forEach(visit);
    if (isSection(schema)) sections.push(schema);
  };
  visit(root);
  return sections.toReversed();
}

/** @returns the schemas right inside another one. */
export function schemasIn(schema: ConfigSchema, definitions: SchemaTree['definitions']): ConfigSchema[] {
  const { properties = {}, items, oneOf = [], form } = schema;
  const all = [...Object.values(properties), freeSchema(schema, definitions), items, ...oneOf, form];
  return all.filter((inner) => inner !== undefined);
}

const INTRODUCTION = `# The config file

<!-- Written by "npm run generate" from the schemas in src/. Do not edit. -->

A node reads \`config.yaml\` (or \`config.yml\`) or else \`config.json\` from its directory; \`--config\` names another file.
The format is version 2 of the node config of Crossbar.io, in JSON or YAML by one schema. For editors it is published as
[\`config/crossbar.schema.json\`](../config/crossbar.schema.json): name it in \`$schema\`.

- The whole file is checked before anything starts. All problems are reported at once, one line each:
  \`file:line:column: JSON pointer: what was found (allowed: what may stand there)\`. The exit code is 1.
- An unknown key is an error, and so is a key of Crossbar.io that is not supported yet: nothing is ignored in silence.
- Keys and values of Crossbar.io that have no effect here are accepted. \`check\` and the log of \`start\` have a note for each, with
  the reason; with \`--strict\` they are errors.
- JSON is strict: no comments, no trailing comma. YAML 1.2 may use comments, anchors and aliases. Of a key that
  stands twice in one object the last one counts, with a note.
- Relative paths start at the node directory. Missing ids are generated (\`worker001\`, \`realm001\`, ...).
- Environment variables are read in a few places only: \`port\` (\`"$NAME"\`), \`disabled\` and secrets (\`"\${NAME}"\`). For a port or a
  secret it is an error if the variable is not set. Secrets may also be in files (\`{"file": "secrets/joe.txt"}\`), which only
  the node should be able to read.
- A file is at most 4 MiB of UTF-8 and nests at most 100 levels.
- *Reload* says when a change takes effect after [\`crossbar-ts reload\`](operations.md#change-a-running-node), of a key and of all below
  it: \`at once\`, also for what is open; for \`new requests\`, \`new sessions\` or \`new connections\`, and what has begun goes on as it
  was; \`on demand\`, by \`reload --restart-components\`, else with the next start; or with the next start (\`restart\`,
  \`restart of all\`).

Besides the tables, these rules apply between keys:

- Ids and names are unique: worker ids in the node; realm ids, realm names, component ids and transport ids in a worker;
  role names in a realm.
- A realm or role that a component or an authenticator needs must exist in the worker; every realm has the role \`trusted\`, which
  may do everything.
- These are notes: a node without a transport; a realm or role of \`auth\` that is not there (such clients are refused);
  \`auth.cookie\` without a \`cookie\` section in force; a key of cryptosign that is none; \`"same_site": "None"\` without
  \`"secure": true\` on plain HTTP; \`"shared": true\` on one transport only; a path that \`websocket\` and \`web\` of a universal
  transport have.
- With \`salt\`, the \`secret\` of a WAMP-CRA user is a derived key of \`keylen\` bytes in Base64; anything else is taken for the
  password, with a note. \`iterations\` and \`keylen\` have no effect without \`salt\`.
- With \`argon2id13\` and \`argon2id-13\`, a SCRAM principal has \`memory\`; a TLS principal has a fingerprint.
- These are warnings only, because they may be intended: a method without principals; one key for two principals; a secret
  file that others may read; the users of the demo where other machines can connect; a realm without roles; a WebSocket
  without \`auth\` in a worker where no realm has the role \`anonymous\`; \`config.yaml\` and \`config.json\` in one directory.
- Two transports cannot have the same port on overlapping interfaces (except 0, any free port), unless both have
  \`"shared": true\` and differ only in \`auth\` and in paths that one of them has; nor the same socket file. A port cannot be
  within the \`portrange\` of another transport.
- A TCP endpoint has a \`port\` or a \`portrange\`.
- A role has \`permissions\` or an \`authorizer\`, not both. Beside one of them \`"allow-by-default": true\` has no effect. In a
  \`uri\` beside the \`match\` words \`exact\` and \`wildcard\` a \`*\` stands for itself.
- \`http_strict\` and \`http_only\` must agree where both are given.
- \`cookie\` sections that name the same file or database share one store, so they agree on \`name\`, \`length\`, \`secrets\`,
  the rules of expiry and all of \`store\`. A \`readonly\` database cannot have \`purge_on_startup\`.
`;

/** @returns the reference page in Markdown. */
export function referencePage(tree: SchemaTree = nodeSchemaTree): string {
  const sections = sectionsIn(tree);
  const contents = sections.map((schema) => `- ${link(schema)}`).join('\n');
  return `${INTRODUCTION}\n${contents}\n\n${sections.map(section).join('\n')}`;
}

function section(schema: Section): string {
  const where = schema.standsAt === undefined ? '' : ` Stands at: \`${schema.standsAt}\`.`;
  const parts = [`## ${schema.section}\n\n${schema.description}${where}${reloaded(schema)}\n`];
  if (schema.oneOf !== undefined) parts.push(variants(schema.oneOf));
  if (schema.properties !== undefined) parts.push(table(schema));
  parts.push(...withoutEffect(schema), ...later(schema));
  return parts.join('\n');
}

/** What the error says of each key or word that is not supported yet. */
function later({ notYet = {} }: ConfigSchema): string[] {
  const words = Object.entries(notYet).map(([word, instead]) => `- ${code(word)}: ${instead}.\n`);
  return words.length === 0 ? [] : [`Known from Crossbar.io, not supported yet:\n\n${words.join('')}`];
}

/** What the note says of each key that is accepted without effect. */
function withoutEffect({ noEffect = {}, unknownKeys }: ConfigSchema): string[] {
  if (typeof noEffect === 'string') return [];
  const keys = Object.entries(noEffect).map(([key, why]) => `- ${code(key)}: ${why}.\n`);
  const unknown =
    unknownKeys === undefined ? [] : ['- Keys that nobody knows, unless they look like a slip of a known one.\n'];
  const all = [...keys, ...unknown];
  return all.length === 0 ? [] : [`Accepted from Crossbar.io without effect:\n\n${all.join('')}`];
}

function variants(schemas: readonly ConfigSchema[]): string {
  const lines = schemas.map((schema) => `| ${code(String(schema.properties?.['type']?.const))} | ${linked(schema)} |`);
  return `| \`type\` | meaning |\n| --- | --- |\n${lines.join('\n')}\n`;
}

function linked(schema: ConfigSchema): string {
  const meaning = cell(schema.description);
  return isSection(schema) ? `${link(schema)}: ${meaning}` : meaning;
}

function table(schema: ConfigSchema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const required = schema.required?.includes(key) === true;
    return `| ${code(key)} | ${typeCell(value)} | ${required ? '**required**' : defaultCell(value)} | ${meaning(value)} |`;
  });
  return `| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function typeCell(schema: ConfigSchema): string {
  if (isSection(schema)) return link(schema, 'object');
  // A schema that is referred to by name has a section anyway.
  const inner = freeSchema(schema, {});
  if (isSection(inner)) return `object of ${link(inner)}`;
  if (schema.items !== undefined && schema.type === 'array') return `list of ${itemWords(schema.items)}`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  return cell(allowedWords(schema));
}

function itemWords(schema: ConfigSchema): string {
  if (isSection(schema)) return link(schema, schema.section.toLowerCase());
  return schema.enum === undefined ? 'strings' : cell(allowedWords(schema));
}

function defaultCell(schema: ConfigSchema): string {
  if (schema.absent !== undefined) return cell(schema.absent);
  return schema.default === undefined ? 'none' : code(JSON.stringify(schema.default));
}

function meaning(schema: ConfigSchema): string {
  const only = schema.because === undefined ? '' : ` No other value is supported yet: ${schema.because}.`;
  const other = typeof schema.noEffect === 'string' ? ` Other values have no effect: ${schema.noEffect}.` : '';
  const { enum: words, notYet } = schema.items ?? {};
  const items =
    words === undefined || notYet === undefined
      ? ''
      : ` Not supported yet: ${Object.keys(notYet).map(code).join(', ')}.`;
  return cell(schema.description + only + other + items + reloaded(schema));
}

/** When a change takes effect, where the schema says it itself and it is not what stands above the tables. */
function reloaded({ reload }: ConfigSchema): string {
  return reload === undefined ? '' : ` *Reload: ${reload}.*`;
}

function link({ section: title }: Section, text = title): string {
  return `[${text}](#${anchor(title)})`;
}

/** @returns a link to the section of a schema, from a page beside the reference; its title where it has none there. */
export function sectionLink({ section: title = '' }: ConfigSchema): string {
  return `[${title}](config.md#${anchor(title)})`;
}

/** The link that Markdown renderers make of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

/** A word in a cell. */
export function code(word: string): string {
  return `\`${word}\``;
}

/** A text in a cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
