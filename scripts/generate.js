// Writes what is derived from the source: the published JSON Schema, the reference of the config and the page of errors.
// Run it with `npm run generate`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { errorsPage } from './errors.js';
import { importSource } from './source.js';

const { publishedSchema, referencePage } = await importSource('config/reference.ts');
const root = path.dirname(import.meta.dirname);
for (const [file, text] of [
  ['config/crossbar.schema.json', `${JSON.stringify(publishedSchema(), null, 2)}\n`],
  ['docs/config.md', referencePage()],
  ['docs/errors.md', errorsPage()],
]) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
  console.log(`wrote ${file}`);
}
