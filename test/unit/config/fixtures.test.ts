/** Whole files, right, right but for what has no effect, and wrong. The exact lines that are said about them lie beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ConfigError, formatProblem } from '../../../src/config/error.js';
import { loadConfig } from '../../../src/config/load.js';
import { publishedCheck } from './published.js';

const fixtures = join(import.meta.dirname, '../../fixtures/config');
const valid = configsIn(join(fixtures, 'valid'));
const noted = configsIn(join(fixtures, 'noted'));
const warned = configsIn(join(fixtures, 'warned'));
const invalid = configsIn(join(fixtures, 'invalid'));

function configsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => /\.(json|yaml)$/.test(name));
}

/** The role that may read the cookie ids of others, and may end their sessions: a warning each. */
const STRANGERS = '/workers/0/realms/0/roles/0';

/** Configs, also of the documents of Crossbar.io, in which everybody may do everything and browsers have cookies. */
const OPEN_TO_STRANGERS = [
  'documented-25-file-store.json',
  'documented-25-memory-store.json',
  'documented-file-store.json',
  'documented-memory-store.json',
  'merged-by-alias.yaml',
  'parts-left-out.json',
];

describe('configs that are right', () => {
  it.each(valid)('%s loads without a warning, but for what strangers may do there', async (name) => {
    const loaded = await loadConfig({ cbdir: '/node', config: join(fixtures, 'valid', name), env: {} });
    const warned = loaded.warnings.map(({ pointer }) => pointer);
    expect(warned).toEqual(OPEN_TO_STRANGERS.includes(name) ? [STRANGERS, STRANGERS] : []);
    expect(loaded.notes).toEqual([]);
    expect(loaded.config.workers).toHaveLength(1);
  });
});

describe('configs in which something has no effect', () => {
  it.each(noted)('%s loads with exactly the expected notes, and is refused with them by --strict', async (name) => {
    const file = join(fixtures, 'noted', name);
    const expected = readFileSync(file.replace(/\.\w+$/, '.expected.txt'), 'utf8');
    const { notes } = await loadConfig({ cbdir: '/node', config: file, env: {} });
    expect(notes.map((note) => `${formatProblem(note)}\n`).join('')).toBe(expected);
    expect(notes).not.toEqual([]);
    expect(`${(await problemsOf(file, true)).message}\n`).toBe(expected);
  });

  it.each(noted.filter((name) => name.endsWith('.json')))('%s is accepted by the published schema', (name) => {
    const accepts = publishedCheck();
    const config: unknown = JSON.parse(readFileSync(join(fixtures, 'noted', name), 'utf8'));
    expect(accepts(config), JSON.stringify(accepts.errors)).toBe(true);
  });
});

describe('configs in which something may be meant otherwise', () => {
  it.each(warned)('%s loads with exactly the expected warnings', async (name) => {
    const file = join(fixtures, 'warned', name);
    const { notes, warnings } = await loadConfig({ cbdir: '/node', config: file, env: {}, strict: true });
    const lines = warnings.map((warning) => `${formatProblem(warning)}\n`).join('');
    expect(lines).toBe(readFileSync(file.replace('.json', '.expected.txt'), 'utf8'));
    expect(notes).toEqual([]);
  });
});

describe('configs that are wrong', () => {
  it('are many', () => {
    expect(invalid.length).toBeGreaterThanOrEqual(30);
  });

  it.each(invalid)('%s is refused with exactly the expected lines', async (name) => {
    const expected = readFileSync(join(fixtures, 'invalid', name.replace(/\.\w+$/, '.expected.txt')), 'utf8');
    const error = await problemsOf(join(fixtures, 'invalid', name));
    expect(error).toBeInstanceOf(ConfigError);
    expect(`${error.message}\n`).toBe(expected);
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.problems).toHaveLength(expected.trimEnd().split('\n').length);
  });

  it('never have a name twice, because the expected lines are found by it', () => {
    const names = invalid.map((name) => name.replace(/\.\w+$/, ''));
    expect(new Set(names).size).toBe(names.length);
  });
});

async function problemsOf(file: string, strict = false): Promise<ConfigError> {
  try {
    await loadConfig({ cbdir: '/node', config: file, env: {}, strict });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${file} was accepted`);
}
