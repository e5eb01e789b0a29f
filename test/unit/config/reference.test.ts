/** What is generated from the schemas: it is current, complete, and of use to others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { publishedSchemaText, referencePage } from '../../../src/config/reference.js';
import { nodeSchema } from '../../../src/config/schema.js';
import { pathServiceSchema } from '../../../src/webservice/schema.js';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the published schema', () => {
  it('is current (npm run generate)', () => {
    expect(read('config/crossbar.schema.json')).toBe(publishedSchemaText());
  });
});

describe('the reference page', () => {
  it('is current (npm run generate)', () => {
    expect(read('docs/config.md')).toBe(referencePage());
  });

  it('has every key, with its meaning', () => {
    const page = referencePage();
    const keys = [...propertiesIn(nodeSchema), ...propertiesIn(pathServiceSchema)];
    expect(keys.length).toBeGreaterThan(150);
    const missing: string[] = [];
    for (const [key, schema] of keys) {
      expect(schema.description, key).toMatch(/\.$/);
      const isThere = page.includes(`| \`${key}\` |`) && page.includes(schema.description.replaceAll('|', '\\|'));
      if (!isThere) missing.push(key);
    }
    expect(missing).toEqual([]);
  });

  it('links only to sections that it has', () => {
    const page = referencePage();
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, target]) => target);
    expect(links.filter((target) => !anchors.includes(target ?? ''))).toEqual([]);
  });

  it('names every word and key that is not supported yet', () => {
    const page = referencePage();
    for (const word of ['manhole', 'rawsocket', 'longpoll', 'wampcra', 'database', 'flatbuffers', 'tls']) {
      expect(page).toContain(`\`${word}\``);
    }
  });
});

function propertiesIn(schema: unknown): [string, { description: string }][] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => [
    ...(keyword === 'properties' ? (Object.entries(value as object) as [string, { description: string }][]) : []),
    ...propertiesIn(value),
  ]);
}
