/** docs/testing.md, walked from an empty directory: its commands and its files make a project whose types and tests pass. */
import { beforeAll, expect, it } from 'vitest';
import { Road } from '../support/road.js';

const road = new Road('testing.md');
const [types = '', tests = ''] = road.commands('npx tsc');

beforeAll(async () => {
  await road.run(road.commands('npm init'));
  road.writeFiles();
});

it('is strict, also about the types of this package', async () => {
  expect(JSON.parse(road.file('tsconfig.json'))).toMatchObject({
    compilerOptions: { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
  });
  expect(types).toBe('npx tsc --noEmit');
  await road.run([types]);
});

it('has tests that pass, in files beside each other', async () => {
  const written = road.blocks.filter(({ file }) => file?.endsWith('.test.ts') === true);
  const titles = written.flatMap(({ text }) => [...text.matchAll(/^test\('([^']+)'/gm)].map(([, title = '']) => title));
  expect(tests).toBe('npx vitest run');
  const output = await road.run([`${tests} --reporter=json`]);
  const { success, testResults } = JSON.parse(output.slice(output.indexOf('{"'))) as {
    success: boolean;
    testResults: { assertionResults: { title: string; status: string }[] }[];
  };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  expect([success, results.map(({ title }) => title).sort()]).toEqual([true, titles.sort()]);
  expect(titles.length).toBeGreaterThan(5);
});

it('has a test that fails when the code is wrong', async () => {
  road.write('src/shop.ts', road.file('src/shop.ts').replace('left === 0', 'left < 0'));
  await expect(road.run([`${tests} test/shop.test.ts`])).rejects.toThrow('does not sell what is gone');
});
