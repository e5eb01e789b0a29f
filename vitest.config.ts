import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // The integration suites start daemons and browsers; two at a time is what a small machine carries.
    maxWorkers: 2,
  },
});
