import { expect, it } from 'vitest';

import { readinessOf } from '../../../../src/node/lifecycle/readiness.js';

const GOOD = { hasStarted: true, isStopping: false, lacksCookies: false };

it('is ready when nothing speaks against it', () => {
  expect(readinessOf(GOOD)).toEqual({ isReady: true, checks: { start: 'ok', stop: 'ok', cookies: 'ok' } });
});

it.each([
  ['start', { hasStarted: false }],
  ['stop', { isStopping: true }],
  ['cookies', { lacksCookies: true }],
])('is not ready for a single reason, and names it: %s', (check, wrong) => {
  const { isReady, checks } = readinessOf({ ...GOOD, ...wrong });
  expect(isReady).toBe(false);
  expect(Object.entries(checks).filter(([, found]) => found !== 'ok')).toEqual([[check, expect.any(String)]]);
});
