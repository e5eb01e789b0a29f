/** docs/compatibility.md says what the table says, and every test that the table names is there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { realmSchema } from '../../src/router/schema.js';
import { DEVIATIONS } from './deviations.js';
import type { Deviation } from './deviations.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const INTRODUCTION = `# Compatibility with Crossbar.io

<!-- Written from test/conformance/deviations.ts by "npx vitest run test/conformance/deviations -u". Do not edit. -->

Crossbar.io deviates from the WAMP specification in some points. This page says, one row for each point, what a client of Crossbar.io
notices here. Where programs may depend on the behaviour of Crossbar.io, a switch in the [config of the realm](config.md#realm-compat)
restores it; all switches are off by default. The behaviour of Crossbar.io was read from its source and mostly measured with version
23.1.2.

`;

function page(deviations: readonly Deviation[]): string {
  const rows = deviations.map(
    (row) => `| ${[row.id, row.topic, row.crossbar, row.here, row.switch ?? '', held(row)].join(' | ')} |`,
  );
  return `${INTRODUCTION}| | topic | Crossbar.io | crossbar-ts | switch | held by |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Vertical bars and asterisks of a title would end the cell or change the type. */
function held({ test }: Deviation): string {
  return test === undefined ? '' : `[${test.title.replaceAll(/[|*\\]/g, '\\$&')}](../${test.file})`;
}

describe('the deviations', () => {
  it('are numbered from D-01 on, each once', () => {
    const ids = Array.from({ length: DEVIATIONS.length }, (_, i) => `D-${String(i + 1).padStart(2, '0')}`);
    expect(DEVIATIONS.map(({ id }) => id)).toEqual(ids);
  });

  it('are in docs/compatibility.md as they stand here', async () => {
    await expect(page(DEVIATIONS)).toMatchFileSnapshot(path.join(ROOT, 'docs/compatibility.md'));
  });

  it.each(DEVIATIONS.filter(({ test }) => test !== undefined))('$id is held by a test that is there', ({ test }) => {
    const file = path.join(ROOT, test?.file ?? '');
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(test?.title);
  });

  it('have a test, unless what they are about is not built yet', () => {
    const without = DEVIATIONS.filter(({ test }) => test === undefined);
    expect(without.filter(({ here }) => !here.includes('not built yet'))).toEqual([]);
  });

  it('name switches that the config has, and all of those for compatibility', () => {
    const named = new Set(DEVIATIONS.map((row) => row.switch).filter((name) => name?.startsWith('`compat.')));
    expect([...named].sort()).toEqual(
      Object.keys(realmSchema.properties.compat.properties)
        .map((key) => `\`compat.${key}\``)
        .sort(),
    );
  });
});
