import { expect, it } from 'vitest';

import { ServiceManager, takeServiceManager } from '../../../../src/node/systemd/notify.js';
import type { RunNotify } from '../../../../src/node/systemd/notify.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { recordingLog } from '../../../support/cookie-store.js';

function manager(run: RunNotify, log = silentLogger()): ServiceManager {
  return new ServiceManager({ env: { NOTIFY_SOCKET: '/run/notify' }, pid: 42, log, run });
}

it('is nobody where nobody wants to be told', () => {
  expect(takeServiceManager({}, 42, silentLogger())).toBeUndefined();
  expect(takeServiceManager({ NOTIFY_SOCKET: '' }, 42, silentLogger())).toBeUndefined();
});

it('is taken out of the environment: programs of the node do not speak for it', () => {
  const env = { PATH: '/bin', NOTIFY_SOCKET: '/run/notify' };
  expect(takeServiceManager(env, 42, silentLogger())).toBeInstanceOf(ServiceManager);
  expect(env).toEqual({ PATH: '/bin' });
});

it('is told one thing after the other', async () => {
  const said: unknown[] = [];
  const waiting: (() => void)[] = [];
  const systemd = manager((args, env) => {
    said.push([...args, env['NOTIFY_SOCKET']]);
    return new Promise((resolve) => waiting.push(resolve));
  });
  const all = [systemd.ready('2 realms'), systemd.reloading(5n), systemd.stopping(30_000)];
  await Promise.resolve();
  expect(said).toHaveLength(1);
  for (const told of all) {
    waiting.shift()?.();
    await told;
  }
  expect(said).toEqual([
    ['--pid=42', 'READY=1', 'STATUS=2 realms', '/run/notify'],
    ['--pid=42', 'RELOADING=1', 'MONOTONIC_USEC=5', '/run/notify'],
    ['--pid=42', 'STOPPING=1', 'STATUS=stopping', 'EXTEND_TIMEOUT_USEC=35000000', '/run/notify'],
  ]);
});

it('that cannot be told is a line in the log, and no more', async () => {
  const { log, warnings } = recordingLog();
  const systemd = manager(() => Promise.reject(new Error('no such program')), log);
  await systemd.ready('up');
  await systemd.stopping(0);
  expect(warnings()).toMatchObject([{ problem: 'no such program' }, { problem: 'no such program' }]);
});
