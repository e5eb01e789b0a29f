/** The sample configs that come with the package. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { loadConfig } from '../../../src/config/load.js';
import { nodeSchema } from '../../../src/config/schema.js';
import { pathServiceSchema } from '../../../src/webservice/schema.js';
import { publishedCheck } from './published.js';

const directory = join(import.meta.dirname, '../../../config');
const samples = readdirSync(directory).filter((name) => /(?<!\.schema)\.(json|yaml)$/.test(name));

// A node directory with the secrets that they name.
const cbdir = mkdtempSync(join(tmpdir(), 'samples-'));
beforeAll(() => {
  mkdirSync(join(cbdir, 'secrets'));
  for (const name of ['pat', 'worker', 'cookies', 'github']) {
    writeFileSync(join(cbdir, `secrets/${name}.txt`), 'a secret, long enough\n', { mode: 0o600 });
  }
  writeFileSync(join(cbdir, 'secrets/joe.key'), 'ab'.repeat(32), { mode: 0o600 });
});
afterAll(() => rmSync(cbdir, { recursive: true }));

describe('samples', () => {
  it.each(samples)('%s loads without a warning', async (name) => {
    const env = { PORT: '8080', JOE_TICKET: 'secret', COOKIE_SECRET: 'a secret, long enough', BRIDGE_SECRET: 'secret' };
    const loaded = await loadConfig({ cbdir, config: join(directory, name), env });
    expect(loaded.warnings).toEqual([]);
  });

  it.each(samples)('%s satisfies the published schema', (name) => {
    const published = publishedCheck();
    // YAML is a superset of JSON.
    const value: unknown = parse(readFileSync(join(directory, name), 'utf8'));
    expect(published(value), JSON.stringify(published.errors)).toBe(true);
  });

  it.each(samples)('%s names the published schema for editors', (name) => {
    expect(readFileSync(join(directory, name), 'utf8')).toMatch(/\$schema"?: "?\.\/crossbar\.schema\.json/);
  });

  it('full.yaml uses every key that there is', () => {
    const used = new Set(keysIn(parse(readFileSync(join(directory, 'full.yaml'), 'utf8'))));
    const known = [...propertiesIn(nodeSchema), ...propertiesIn(pathServiceSchema)];
    // In the place of the name and the password that stand there.
    const others = ['nkey', 'credentials'];
    expect(known.filter((key) => !used.has(key) && !others.includes(key))).toEqual([]);
  });
});

function keysIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [key, ...keysIn(child)]);
}

function propertiesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => [
    ...(keyword === 'properties' ? Object.keys(value as object) : []),
    ...propertiesIn(value),
  ]);
}
