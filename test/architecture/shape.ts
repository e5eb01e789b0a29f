/**
 * The shape of the source beyond who may import whom: circles, sizes, and doc comments on what a room shows to the others.
 * `test/architecture.test.ts` runs it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { sourceFacts } from '../support/source-facts.js';
import type { SourceFacts } from '../support/source-facts.js';

const SRC = path.resolve(import.meta.dirname, '../../src');
const MAX_FILES = 25;
const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 70;

interface SourceFile {
  readonly lines: number;
  readonly facts: SourceFacts;
}

/** Path below src, such as `router/realm.ts` -> what is in it. */
type Sources = ReadonlyMap<string, SourceFile>;

function read(texts: Iterable<readonly [string, string]>): Sources {
  return new Map([...texts].map(([file, text]) => [file, { lines: linesOf(text), facts: sourceFacts(text) }]));
}

function linesOf(text: string): number {
  return text.trimEnd().split('\n').length;
}

function sources(): Sources {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return read(files.map((file) => [file.split(path.sep).join('/'), readFileSync(path.join(SRC, file), 'utf8')]));
}

function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/** @returns every group of files that import each other, also through others, types included. */
function circles(files: Sources): string[][] {
  const edges = new Map([...files].map(([file, { facts }]) => [file, targets(file, facts)]));
  const reached = new Map([...files.keys()].map((file) => [file, reachable(file, edges)]));
  const isTogether = (a: string, b: string): boolean =>
    reached.get(a)?.has(b) === true && reached.get(b)?.has(a) === true;
  const found: string[][] = [];
  for (const file of files.keys()) {
    if (!isTogether(file, file) || found.some((circle) => circle.includes(file))) continue;
    found.push([...files.keys()].filter((other) => isTogether(file, other)).sort());
  }
  return found;
}

function targets(file: string, { imports }: SourceFacts): string[] {
  return imports.flatMap(({ specifier }) => targetOf(file, specifier) ?? []);
}

function reachable(from: string, edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...(edges.get(from) ?? [])];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    waiting.push(...(edges.get(file) ?? []));
  }
  return found;
}

/** @returns folders with too many files, files with too many lines, functions with too many lines. */
function tooLarge(files: Sources): string[] {
  const counts = new Map<string, number>();
  for (const file of files.keys()) {
    const folder = path.posix.dirname(file);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const folders = [...counts].filter(([, count]) => count > MAX_FILES);
  return [
    ...folders.map(([folder, count]) => `${folder}/ has ${count} files`),
    ...[...files].flatMap(([file, { lines, facts }]) => [
      ...(lines > MAX_FILE_LINES ? [`${file} has ${lines} lines`] : []),
      ...facts.functions
        .filter((found) => found.lines > MAX_FUNCTION_LINES)
        .map((found) => `${file}: ${found.name} has ${found.lines} lines`),
    ]),
  ];
}

/** @returns what other folders import by name and nobody explains. */
function undocumented(files: Sources): string[] {
  const found = new Set<string>();
  for (const [file, { facts }] of files) {
    for (const { specifier, names } of facts.imports) {
      const target = targetOf(file, specifier);
      // A schema explains itself: each of its parts has a description.
      if (target === undefined || roomOf(target) === roomOf(file) || isSchema(target)) continue;
      const shown = files.get(target)?.facts.exports ?? [];
      for (const { name, documented } of shown)
        if (!documented && names.includes(name)) found.add(`${target}: ${name}`);
    }
  }
  return [...found].sort();
}

function isSchema(file: string): boolean {
  return /(^|[/-])schema\.ts$/.test(file);
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

describe('the source', () => {
  const files = sources();

  it('has no circle of imports, of types either', () => {
    expect(files.size).toBeGreaterThan(0);
    expect(circles(files)).toEqual([]);
  });

  it('has no folder, file or function that is too large', () => {
    expect(tooLarge(files)).toEqual([]);
  });

  it('explains what a room shows to the others', () => {
    expect(undocumented(files)).toEqual([]);
  });
});

describe('what is wrong is found', () => {
  it('a circle of types, also through a third file', () => {
    const files = read([
      ['a/a.ts', "import type { B } from './b.js';"],
      ['a/b.ts', "import { c } from '../c/c.js';"],
      ['c/c.ts', "import type { A } from '../a/a.js';"],
      ['c/d.ts', "import type { A } from '../a/a.js';"],
    ]);
    expect(circles(files)).toEqual([['a/a.ts', 'a/b.ts', 'c/c.ts']]);
  });

  it('a folder, a file and a function that are too large', () => {
    const many = Array.from({ length: MAX_FILES + 1 }, (_, n) => [`many/${n}.ts`, ''] as const);
    const line = '  f();\n';
    const files = read([
      ...many,
      ['long/file.ts', line.repeat(MAX_FILE_LINES + 1)],
      ['long/functions.ts', `function long() {\n${line.repeat(MAX_FUNCTION_LINES)}}\nclass A {\n  f() {\n${line}}\n}`],
    ]);
    expect(tooLarge(files)).toEqual([
      `many/ has ${MAX_FILES + 1} files`,
      `long/file.ts has ${MAX_FILE_LINES + 1} lines`,
      `long/functions.ts: long has ${MAX_FUNCTION_LINES + 2} lines`,
    ]);
  });

  it('what is shown to other rooms without a word', () => {
    const files = read([
      [
        'a/a.ts',
        'export function f() {}\n/** Explained. */\nexport const g = 1;\nexport interface H {}\nexport const own = 2;',
      ],
      ['a/b.ts', "import { own } from './a.js';"],
      ['b/b.ts', "import { f, g } from '../a/a.js';\nimport type { H as Other } from '../a/a.js';"],
    ]);
    expect(undocumented(files)).toEqual(['a/a.ts: H', 'a/a.ts: f']);
  });
});
