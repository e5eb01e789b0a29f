/**
 * What docs/migration.md says of notes and refusals, from the keywords of the schemas that make them: `noEffect`, `unknownKeys`,
 * `ifAbsent`, `notYet`, `because` and `refuses`. What functions note (`adapt` and rules), no keyword says: the lines that the fixtures
 * of the tests expect show it. `npm run generate` writes them into the page; a test fails when they are out of date.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import { cell, code, schemasIn, sectionLink } from './reference.js';
import { nodeSchemaTree } from './schema.js';
import type { SchemaTree } from './walk.js';

const BEGIN =
  '<!-- Written by "npm run generate" from the schemas in src/, down to the next such line. Do not edit. -->';
const END = '<!-- The end of what is written by "npm run generate". -->';

const THERE = ' that is not there, so ';
const ABSENT = /^a \w+ that is not there, so /;

/** One line of a table: what, where it may stand, and the reason. */
interface Row {
  readonly what: string;
  readonly where: string;
  readonly why: string;
}

/**
 * @param page - docs/migration.md as it is
 * @param lines - what the fixtures expect: notes as `file:line:column: pointer: text`
 * @returns the page with the tables of today
 */
export function withTables(page: string, lines: readonly string[], tree: SchemaTree = nodeSchemaTree): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('docs/migration.md has no place for the tables');
  return `${page.slice(0, begin)}${BEGIN}\n\n<!-- prettier-ignore-start -->\n\n${tables(lines, tree)}\n\n<!-- prettier-ignore-end -->\n\n${page.slice(end)}`;
}

/** @returns what is refused of what Crossbar.io accepts: rows of words and keys with what to do instead. */
export function refusalsIn(tree: SchemaTree): Row[] {
  return joined(facts(tree).flatMap(refusalsOf));
}

function tables(lines: readonly string[], tree: SchemaTree): string {
  const notes = joined(facts(tree).flatMap(notesOf));
  const others = facts(tree).flatMap(unknownOf);
  return [
    '## What has no effect',
    'These keys are accepted, with a note that says why they have no effect:',
    table(['key', 'in', 'why'], notes),
    `Keys that Crossbar.io does not know either are accepted, with a note, in ${list(others)}. One that is nearly a known key is an error there, too.`,
    '## What is taken in another form',
    'These notes say what was found, and what becomes of it. Numbers and names are examples.',
    table(['at', 'note'], examplesIn(lines, tree)),
    '## What is refused',
    'Each is an error that says what to do instead. A slip, such as `permisions`, is an error, too.',
    table(['word or key', 'in', 'instead'], refusalsIn(tree)),
  ].join('\n\n');
}

/** A schema, and the section of the reference that it belongs to. */
interface Fact {
  readonly schema: ConfigSchema;
  readonly section: ConfigSchema;
  /** The key under which it stands; undefined for a section itself. */
  readonly key: string | undefined;
}

/** @returns all schemas, from the outside in, those that stand at several places once for each section. */
function facts({ root, definitions }: SchemaTree): Fact[] {
  const found: Fact[] = [];
  const seen = new Set<ConfigSchema>();
  const visit = (schema: ConfigSchema, around: ConfigSchema, key: string | undefined): void => {
    const section = schema.section === undefined ? around : schema;
    found.push({ schema, section, key });
    if (seen.has(schema) && section === schema) return;
    seen.add(schema);
    const named = new Map(Object.entries(schema.properties ?? {}).map(([name, inner]) => [inner, name]));
    for (const inner of schemasIn(schema, definitions)) visit(inner, section, named.get(inner));
  };
  visit(root, root, undefined);
  return found;
}

function notesOf({ schema, section, key }: Fact): Row[] {
  const { noEffect = {}, ifAbsent } = schema;
  const where = sectionLink(section);
  if (ifAbsent !== undefined && key !== undefined) {
    return [{ what: code(key), where, why: `a ${schema.is ?? 'name'}${THERE}${ifAbsent}` }];
  }
  if (typeof noEffect !== 'string') {
    return Object.entries(noEffect).map(([name, why]) => ({ what: code(name), where, why }));
  }
  return [{ what: `${code(key ?? '')} other than ${code(String(schema.const))}`, where, why: noEffect }];
}

function refusalsOf({ schema, section, key }: Fact): Row[] {
  const where = sectionLink(section);
  const { notYet = {}, refuses = {}, because } = schema;
  const words = Object.entries(notYet).map(([word, why]) => ({ what: code(word), where, why }));
  const values = Object.entries(refuses).map(([what, why]) => ({ what, where, why }));
  if (because === undefined || key === undefined || schema.noEffect !== undefined) return [...words, ...values];
  return [...words, ...values, { what: `${code(key)} other than ${code(String(schema.const))}`, where, why: because }];
}

function unknownOf({ schema, section }: Fact): string[] {
  return schema.unknownKeys === undefined ? [] : [sectionLink(section)];
}

/** Joins rows that differ only in where, and then those that differ only in what. */
function joined(rows: readonly Row[]): Row[] {
  const byPlace = grouped(rows, ({ what, why }) => `${what} ${why}`);
  const placed = byPlace.map((same) => ({ ...same[0], where: listed(same.map(({ where }) => where)) }));
  const byReason = grouped(placed, ({ where, why }) => `${where} ${why}`);
  return byReason.map((same) => ({ ...same[0], what: same.map(({ what }) => what).join(', ') }));
}

function grouped(rows: readonly Row[], idOf: (row: Row) => string): [Row, ...Row[]][] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const group = groups.get(idOf(row));
    if (group === undefined) groups.set(idOf(row), [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** Some keys stand in every kind of transport, or of principal. */
const MOST_PLACES = 3;

function listed(places: readonly string[]): string {
  const all = [...new Set(places)];
  return all.length <= MOST_PLACES ? all.join(', ') : `${all.slice(0, MOST_PLACES - 1).join(', ')} and others`;
}

/** @returns the notes of functions, each once. */
function examplesIn(lines: readonly string[], tree: SchemaTree): Row[] {
  const said = facts(tree).flatMap(notesOf);
  const isSaid = (text: string): boolean =>
    /^(?:unknown )?key "/.test(text) || said.some(({ why }) => text.includes(why.replace(ABSENT, 'so ')));
  const told = lines
    .map((line) => /^[^:]+:\d+:\d+: ([^:]+): (.*)$/.exec(line))
    .map((match) => ({ what: code(placeOf(match?.[1] ?? '')), where: '', why: match?.[2] ?? '' }))
    .filter(({ why }) => !isSaid(why));
  const byText = new Map(told.toReversed().map((row) => [row.why.replaceAll(/\d+|"[^"]*"/g, ''), row]));
  return [...byText.values()].reverse();
}

/** The last keys of a pointer, which say what it is about. */
function placeOf(pointer: string): string {
  return pointer
    .split('/')
    .filter((key) => key !== '' && !/^\d+$/.test(key))
    .slice(-2)
    .join('.');
}

function list(words: readonly string[]): string {
  const all = [...new Set(words)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
}

function table(head: readonly string[], rows: readonly Row[]): string {
  const cells = rows.map(({ what, where, why }) => (where === '' ? [what, why] : [what, where, why]));
  const lines = [head, head.map(() => '---'), ...cells.map((row) => row.map(cell))];
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
}
