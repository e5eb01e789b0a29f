/** The principals of a transport change while its sessions are on. */
import { expect, it } from 'vitest';

import { AUTH_METHODS } from '../../../src/auth/registry.js';
import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { createSessionDeps } from '../../../src/session/deps.js';
import { NOBODY_TO_ASK } from '../../support/client.js';
import { FakeClock } from '../../support/realm.js';

const OPTIONS = { auth_error_uris: 'crossbar' } as never;
const parts = () => ({
  router: new Router([], { randomId: () => 1, clock: () => 0, scheduler: new FakeClock() }),
  log: silentLogger(),
  load: () => Promise.reject(new Error('no module')),
  families: { methods: AUTH_METHODS },
  logins: NOBODY_TO_ASK.logins,
});
const ticket = { type: 'static', principals: { joe: { ticket: 'secret', role: 'user' } } } as const;

it('finds the new methods behind the same object', async () => {
  const deps = await createSessionDeps({ auth: undefined, options: OPTIONS }, parts());
  const { authMethods } = deps;
  expect([authMethods.has('anonymous'), authMethods.has('ticket')]).toEqual([true, false]);
  await deps.renewAuth({ auth: { ticket }, options: OPTIONS });
  expect([authMethods.has('anonymous'), authMethods.has('ticket')]).toEqual([false, true]);
  expect(authMethods.get('ticket')).toBeDefined();
});

it('keeps the old ones when a new one cannot be set up', async () => {
  const deps = await createSessionDeps({ auth: undefined, options: OPTIONS }, parts());
  const auth = { ticket: { type: 'function', module: './missing.js', function: 'login' } } as never;
  await expect(deps.renewAuth({ auth, options: OPTIONS })).rejects.toThrow('no module');
  expect(deps.authMethods.has('anonymous')).toBe(true);
});
