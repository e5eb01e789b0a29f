/** ARCHITECTURE.md speaks of files and functions that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const SRC = path.join(ROOT, 'src');
const text = readFileSync(path.join(ROOT, 'ARCHITECTURE.md'), 'utf8');
/** Also in this chapter alone are functions named behind their file. */
const walks = chapter('Five walks');
const toAdd = chapter('To add ...');

function chapter(title: string): string {
  const [, after = ''] = text.split(`\n## ${title}\n`);
  return after.split('\n## ')[0] ?? '';
}

/** @returns the files that a text names in backticks; those of no folder are of another kind. */
function namedFiles(of: string): string[] {
  return [...of.matchAll(/`([a-z][\w-]*\/[\w./-]+\.(?:ts|js|md))`/g)].map(([, file = '']) => file);
}

function placeOf(file: string): string | undefined {
  return [path.join(SRC, file), path.join(ROOT, file)].find((place) => existsSync(place));
}

describe('ARCHITECTURE.md', () => {
  it('names files that are there', () => {
    expect(namedFiles(text).length).toBeGreaterThan(80);
    // Only the built package has it.
    const missing = namedFiles(text).filter((file) => placeOf(file) === undefined && !file.startsWith('dist/'));
    expect(missing).toEqual([]);
  });

  it('has every folder on its map', () => {
    const map = /```\nsrc\/\n([^`]*)```/.exec(text)?.[1] ?? '';
    const folders = [...map.matchAll(/^ {2}([a-z-]+)\/ /gm)].map(([, folder]) => folder);
    const found = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.toSorted()).toEqual(found.map(({ name }) => name).sort());
  });

  it('walks through functions that are there', () => {
    const steps = [...walks.matchAll(/`([\w/-]+\.ts)` (`\w+`(?:, `\w+`)*)/g)].flatMap(([, file = '', names = '']) =>
      [...names.matchAll(/\w+/g)].map(([name]) => ({ file, name })),
    );
    expect(steps.length).toBeGreaterThan(25);
    const missing = steps.filter(({ file, name }) => {
      const place = placeOf(file);
      return (
        place === undefined ||
        !new RegExp(`\\b(function |async |#)?${name}\\b ?[(<=]`).test(readFileSync(place, 'utf8'))
      );
    });
    expect(missing).toEqual([]);
  });

  it.each([
    ['a transport', 'worker/transports.ts'],
    ['a worker', 'worker/registry.ts'],
    ['a cookie store', 'cookie/registry.ts'],
    ['a serializer', 'serializer/registry.ts'],
    ['an authentication method', 'auth/registry.ts'],
    ['a web service', 'webservice/registry.ts'],
    ['a component kind', 'component/registry.ts'],
  ])('says where the line in the registry of %s goes', (family, file) => {
    const [, entry = ''] = toAdd.split(`- **${family}**`);
    expect(namedFiles(entry.split('\n- **')[0] ?? '')).toContain(file);
  });

  it.each([
    ['a transport', 'worker/schema.ts'],
    ['a worker', 'worker/schema.ts'],
    ['a cookie store', 'cookie/schema.ts'],
    ['a serializer', 'transport/connection-schema.ts'],
    ['an authentication method', 'auth/schema.ts'],
    ['a web service', 'webservice/schema.ts'],
    ['a component kind', 'component/schema.ts'],
  ])('says where the line in the schema of %s goes', (family, file) => {
    const [, entry = ''] = toAdd.split(`- **${family}**`);
    expect(namedFiles(entry.split('\n- **')[0] ?? '')).toContain(file);
  });
});
