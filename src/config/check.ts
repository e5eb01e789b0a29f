/**
 * From the text of a config file to a checked, complete, frozen value: parse -> upgrade -> what has no effect is taken out ->
 * schema and defaults -> rules between keys -> resolve. It reads no file and no environment itself: both are passed in, so that
 * tests can call it.
 */
import { resolve } from 'node:path';

import type { LookWord } from '../schema/look.js';
import type { Decider } from '../router/deciders.js';
import { Cursor } from './cursor.js';
import { portsIn } from './environment.js';
import type { Environment } from './environment.js';
import { invalidConfig } from './error.js';
import type { ConfigProblem } from './error.js';
import { takeNotes } from './notes.js';
import type { Parser } from './source/formats.js';
import { behindFronts, entrancesOf, placesOf } from './places.js';
import type { MarkedPlace } from './walk.js';
import type { RealPath } from './real-path.js';
import { resolveConfig } from './resolve.js';
import { authenticatorsIn } from './rules/deciders.js';
import { checkRules } from './rules/rules.js';
import { resolveState } from './rules/state.js';
import { nodeSchemaTree } from './schema.js';
import type { NodeConfig } from './schema.js';
import { noSecretFiles, readOnce } from './secrets.js';
import type { SecretFiles } from './secrets.js';
import { sourceOf } from './source/object.js';
import { keyOffset, plainValue, pointerOf, valueOffset } from './source/source.js';
import type { ParsedSource, Path, SourceNode } from './source/source.js';
import { LineIndex, ROOT } from './source/text.js';
import type { Finding } from './source/text.js';
import { validate } from './validate.js';
import type { CompiledSchema } from './validate.js';
import { validator } from './validator.js';
import { upgradeSource } from './version1/upgrade.js';

export interface CheckContext {
  /** The parser of the file's format: {@link parserFor}. */
  readonly parse: Parser;
  /** The node directory: relative paths in the config start here. */
  readonly cbdir: string;
  /** Where relative paths start of what the node writes while it runs; by default the node directory. */
  readonly statedir?: string | undefined;
  /** The environment in which `$NAME` is looked up. */
  readonly env: Environment;
  /** Reads files with secrets; by default there are none. */
  readonly secretFiles?: SecretFiles;
  /** Follows links, to find private files in a directory that is served; by default none is followed. */
  readonly realPath?: RealPath;
  /** Takes notes for errors. */
  readonly strict?: boolean | undefined;
  /** The schema; by default {@link nodeSchemaTree}. */
  readonly schema?: CompiledSchema | undefined;
}

/** A config in which nothing is wrong. */
export interface CheckedConfig {
  /** Complete and frozen. */
  readonly config: NodeConfig;
  /** For each of its workers the procedures that decide about clients, wherever they are named (`provider` in the schema). */
  readonly authenticators: readonly (readonly Decider[])[];
  /** Whether no client gets in without a cookie: every place where they connect has a `cookie` section. */
  readonly needsCookies: boolean;
  /** What is allowed but probably a mistake. */
  readonly warnings: readonly ConfigProblem[];
  /** What Crossbar.io accepts and what has no effect here. It is not in `config`. */
  readonly notes: readonly ConfigProblem[];
  /** What can be looked at beyond the text (`looks` in the schema). */
  readonly sights: readonly Sight[];
  /** @returns what is said of the value at `path`, with its place in the file. */
  readonly problemAt: (path: Path, text: string) => ConfigProblem;
}

/** A value of a checked config that names something outside of it. */
export interface Sight {
  readonly look: LookWord;
  /** Complete and frozen. */
  readonly value: unknown;
  /** Which worker it belongs to, counted from 0. */
  readonly worker: number;
  /** @returns a problem of the value below these keys, with its place. */
  readonly problem: (below: readonly string[], text: string) => ConfigProblem;
}

/**
 * Checks the text of a config file.
 *
 * @param fileName - its name in messages
 * @throws ConfigError with everything that is wrong, in the order of the file
 */
export function checkConfig(text: string, fileName: string, context: CheckContext): CheckedConfig {
  const lines = new LineIndex(text);
  const { warnings, asWritten, ...source } = upgradeSource(parse(text, context.parse));
  const asProblems: AsProblems = (findings) => located(findings.map(asWritten), fileName, (offset) => lines.at(offset));
  const checked = checkSource(source, { ...context, lines, asProblems });
  return { ...checked, warnings: [...asProblems(warnings), ...checked.warnings] };
}

/**
 * Checks a config that is an object of the program.
 *
 * @throws ConfigError with everything that is wrong, in the order of the object
 */
export function checkObject(config: object, context: Omit<CheckContext, 'parse'>): CheckedConfig {
  const asProblems: AsProblems = (findings) => located(findings, 'config', () => NO_LINE);
  return checkSource(sourceOf(config), { ...context, lines: new LineIndex(''), asProblems });
}

const NO_LINE = { line: 0, column: 0 };

type AsProblems = (findings: readonly Finding[]) => ConfigProblem[];

interface SourceContext extends Omit<CheckContext, 'parse'> {
  readonly lines: LineIndex;
  readonly asProblems: AsProblems;
}

function checkSource({ root, findings: syntax }: ParsedSource, context: SourceContext): CheckedConfig {
  const { env, secretFiles = noSecretFiles, realPath = (file: string): string => file, lines, asProblems } = context;
  if (root === undefined) throw invalidConfig(asProblems(syntax.length > 0 ? syntax : [EMPTY]));

  const { value, findings: doubts, notes: repeated } = plainValue(root, lines);
  const { schema = { tree: nodeSchemaTree, check: validator() } } = context;
  const notes = collector(root, keyOffset);
  takeNotes(new Cursor(value), schema.tree, notes.add);
  const wrong = validate(value, root, schema);
  const rules = collector(root);
  const warnings = collector(root);
  const outside = { cbdir: resolve(context.cbdir), env, secretFiles: readOnce(secretFiles) };
  const around = { ...outside, portOf: portsIn(env) };
  if (context.statedir !== undefined) {
    resolveState(placesOf(new Cursor(value), schema.tree, around), resolve(context.statedir));
  }
  const places = placesOf(new Cursor(value), schema.tree, around);
  checkRules(places, schema.tree, { ...outside, realPath, report: rules.add, warn: warnings.add, note: notes.add });

  const findings = [...syntax, ...doubts, ...wrong, ...withoutEchoes(rules.findings, wrong)];
  const noted = [...repeated, ...withoutEchoes(notes.findings, wrong)];
  if (context.strict === true) findings.push(...noted);
  if (findings.length > 0) throw invalidConfig(asProblems(findings));
  resolveConfig(places, outside);
  // The schema check has shown the type; `resolveConfig` has made the rest of it true.
  const config = deepFreeze(value) as NodeConfig;
  const authenticators = behindFronts(places).map(authenticatorsIn);
  const entrances = entrancesOf(places);
  const needsCookies = entrances.length > 0 && entrances.every(({ cookie }) => cookie.isObject);
  const problemAt: CheckedConfig['problemAt'] = (path, text) =>
    firstOf(asProblems([{ offset: valueOffset(root, path), pointer: pointerOf(path), text }]));
  const sights = places.workers.flatMap(({ marked }, worker) => sightsIn(marked, worker, problemAt));
  const told = { warnings: asProblems(warnings.findings), notes: asProblems(noted) };
  return { config, authenticators, needsCookies, ...told, sights, problemAt };
}

function sightsIn(marked: readonly MarkedPlace[], worker: number, problemAt: CheckedConfig['problemAt']): Sight[] {
  return marked.flatMap(({ place: { value, path }, schema: { looks: look } }): Sight[] => {
    if (look === undefined) return [];
    const problem = (below: readonly string[], text: string): ConfigProblem => problemAt([...path, ...below], text);
    return [{ look, value, worker, problem }];
  });
}

function firstOf([problem]: readonly ConfigProblem[]): ConfigProblem {
  if (problem === undefined) throw new Error('a finding became no problem');
  return problem;
}

const EMPTY: Finding = { offset: 0, pointer: ROOT, text: 'the file is empty (allowed: an object with "version": 2)' };

function parse(text: string, parser: Parser): ParsedSource {
  if (text.startsWith('\ufeff')) {
    return { findings: [{ offset: 0, pointer: ROOT, text: 'found a byte order mark (allowed: UTF-8 without one)' }] };
  }
  if (text.trim() === '') return { findings: [EMPTY] };
  return parser(text);
}

function collector(
  root: SourceNode,
  offsetOf = valueOffset,
): { findings: Finding[]; add: (path: Path, text: string) => void } {
  const findings: Finding[] = [];
  const add = (path: Path, text: string): void => {
    findings.push({ offset: offsetOf(root, path), pointer: pointerOf(path), text });
  };
  return { findings, add };
}

/** @returns the findings of the rules about values in which the schema check found nothing. */
function withoutEchoes(rules: readonly Finding[], wrong: readonly Finding[]): Finding[] {
  const told = new Set(wrong.map(({ pointer }) => pointer));
  return rules.filter(({ pointer }) => !told.has(pointer));
}

function located(
  findings: readonly Finding[],
  file: string,
  lineAt: (offset: number) => { readonly line: number; readonly column: number },
): ConfigProblem[] {
  return findings
    .toSorted((a, b) => a.offset - b.offset || compare(a.pointer, b.pointer) || compare(a.text, b.text))
    .map(({ offset, pointer, text }) => ({ file, ...lineAt(offset), pointer, text }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
