import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import type { TestProjectConfiguration } from 'vitest/config';

/** Each test file is in exactly one project. */
const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => path.join('test', file));
const browser = files.filter((file) => file.startsWith('test/browser/'));
const unit = files.filter((file) => /^test\/(?:unit\/|architecture)/.test(file) && !file.endsWith('.slow.test.ts'));
const others = files.filter((file) => !browser.includes(file) && !unit.includes(file));

function project(name: string, include: readonly string[], more: object = {}): TestProjectConfiguration {
  return { extends: true, test: { name, include: [...include], ...more } };
}

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // A second, which is the default, is how fast a machine is.
    expect: { poll: { timeout: 60_000 } },
    // The integration suites start daemons and browsers, and wait for them a good part of their time: three at a time keep a
    // machine of two processors busy.
    maxWorkers: 3,
    projects: [
      // They share the modules of their thread: loading them anew for each file takes longer than the tests. What became
      // of TypeScript is kept for the next run.
      project('unit', unit, { pool: 'threads', isolate: false, experimental: { fsModuleCache: true } }),
      project('browser', browser),
      project('others', others),
    ],
  },
});
