import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { METRICS } from '../../../src/metrics/catalogue.js';

const root = join(import.meta.dirname, '../../..');

describe('docs/metrics.md', () => {
  const rows = [
    ...readFileSync(join(root, 'docs/metrics.md'), 'utf8').matchAll(
      /^\| `([a-z0-9_]+)` \| (\w+) \| (.*) \| (.*) \|$/gm,
    ),
  ].map(([, name, type, labels = '', help]) => [
    name,
    type,
    [...labels.matchAll(/`(\w+)`/g)].map(([, word]) => word),
    help,
  ]);

  it('has every metric, as it is (else: npm run generate)', () => {
    expect(rows).toEqual(METRICS.map(({ name, type, labels, help }) => [name, type, [...labels], help]));
  });
});
