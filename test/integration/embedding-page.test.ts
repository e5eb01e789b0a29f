/** The programs of docs/embedding.md, run as they stand there: each prints what the page says. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { transform } from 'esbuild';
import { expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/embedding.md'), 'utf8');
const programs = [...page.matchAll(/^```(js|ts)\n([^]*?)^```\n\n```text\n([^]*?)^```/gm)].map(
  ([, language = '', program = '', printed = '']) => ({ language, program, printed }),
);

it('every program of the page says what it prints', () => {
  expect(programs.map(({ language }) => language)).toEqual(['js', 'js', 'ts']);
  expect(page.match(/^```(js|ts)$/gm)).toHaveLength(programs.length);
});

it.each(programs)('a program in $language prints what the page says', async ({ language, program, printed }) => {
  // In the package itself its name leads to `exports`, as it does where it is installed.
  const { code } = await transform(program, {
    loader: language === 'ts' ? 'ts' : 'js',
    target: 'node20',
    format: 'esm',
  });
  const before = readdirSync(ROOT).sort();
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect([stdout, stderr]).toEqual([printed, '']);
  expect(readdirSync(ROOT).sort()).toEqual(before);
});
