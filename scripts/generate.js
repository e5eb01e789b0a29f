// Writes what is derived from the source: the published JSON Schema, the reference of the config, the page of errors, and the tables of
// docs/migration.md.
// Run it with `npm run generate`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { errorsPage } from './errors.js';
import { withMetrics } from './metrics.js';
import { importSource } from './source.js';

const { publishedSchemaText, referencePage } = await importSource('config/reference.ts');
const { withTables } = await importSource('config/migration.ts');
const root = path.dirname(import.meta.dirname);
const noted = path.join(root, 'test/fixtures/config/noted');
const notes = readdirSync(noted)
  .filter((name) => name.endsWith('.expected.txt'))
  .flatMap((name) => readFileSync(path.join(noted, name), 'utf8').trimEnd().split('\n'));
for (const [file, text] of [
  ['config/crossbar.schema.json', publishedSchemaText()],
  ['docs/config.md', referencePage()],
  ['docs/errors.md', errorsPage()],
  ['docs/metrics.md', await withMetrics(readFileSync(path.join(root, 'docs/metrics.md'), 'utf8'))],
  ['docs/migration.md', withTables(readFileSync(path.join(root, 'docs/migration.md'), 'utf8'), notes)],
]) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
  console.log(`wrote ${file}`);
}
