/** Health checks of a real node: while it starts, while it runs, and while it has nowhere to keep cookies. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { nodeDirectory, runCli, spawnDaemon, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';

const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

const PATHS = { healthz: { type: 'healthz' }, readyz: { type: 'readyz' }, health: { type: 'health' } };

async function ask(daemon: Daemon, place: string): Promise<[status: number, body: string]> {
  const res = await fetch(daemon.url(place));
  expect(res.headers.has('set-cookie')).toBe(false);
  return [res.status, await res.text()];
}

const assertReady = async ({ cbdir }: Daemon) => (await runCli(['status', '--cbdir', cbdir, '--assert', 'ready'])).code;

it('a node that has started is ready, also behind a cookie section', async () => {
  const daemon = await startDaemon({
    config: nodeConfig({ paths: PATHS, transport: { cookie: { store: { type: 'memory' } } } }),
  });
  running.push(daemon);
  expect(await ask(daemon, '/healthz')).toEqual([200, 'ok\n']);
  const told = '{"status":"ready","checks":{"start":"ok","stop":"ok","cookies":"ok"}}\n';
  expect(await ask(daemon, '/readyz')).toEqual([200, told]);
  expect(await ask(daemon, '/health/readyz')).toEqual([200, told]);
  expect(await ask(daemon, '/health/healthz')).toEqual([200, 'ok\n']);
});

it('is alive and not ready as long as a part of it starts', async () => {
  const config = nodeConfig({ paths: PATHS }) as { workers: readonly object[] };
  const component = { type: 'module', module: './endless.js', realm: 'realm1', role: 'anonymous' };
  const second = { ...config.workers[0], transports: [], components: [component] };
  const cbdir = nodeDirectory({ ...config, workers: [...config.workers, second] });
  writeFileSync(path.join(cbdir, 'endless.js'), 'export default () => new Promise(() => {});');
  const daemon = spawnDaemon({ cbdir });
  running.push(daemon);
  await daemon.waitForLog('transport started');
  expect(await ask(daemon, '/healthz')).toEqual([200, 'ok\n']);
  const [status, body] = await ask(daemon, '/readyz');
  expect([status, JSON.parse(body)]).toMatchObject([
    503,
    { checks: { start: 'transports and components are starting' } },
  ]);
  expect(await assertReady(daemon)).toBe(69);
});

const prlimit = (daemon: Daemon, bytes: string): number | null =>
  spawnSync('prlimit', ['--pid', String(daemon.pid), `--fsize=${bytes}:unlimited`]).status;

/** Asks until the answer is another one. */
async function becomes(daemon: Daemon, expected: number): Promise<void> {
  while ((await ask(daemon, '/readyz'))[0] !== expected) await delay(50);
}

itNeeds('prlimit', spawnSync('prlimit', ['--version']).status === 0)(
  'is not ready while no cookie can be stored, and ready again when the disk has room, though nobody comes',
  async () => {
    const cookie = { store: { type: 'file', filename: 'cookies.dat' } };
    const websocket = { cookie };
    const daemon = await startDaemon({ config: nodeConfig({ paths: PATHS, websocket, transport: { cookie } }) });
    running.push(daemon);
    // As a full disk: no file may grow.
    expect(prlimit(daemon, '0')).toBe(0);
    expect((await fetch(daemon.url('/'))).status).toBe(503);
    expect((await ask(daemon, '/healthz'))[0]).toBe(200);
    const [status, body] = await ask(daemon, '/readyz');
    expect([status, JSON.parse(body)]).toMatchObject([503, { checks: { cookies: 'no new cookie can be stored' } }]);
    expect(await assertReady(daemon)).toBe(69);
    expect(prlimit(daemon, 'unlimited')).toBe(0);
    await becomes(daemon, 200);
    expect((await fetch(daemon.url('/'))).status).toBe(200);
  },
);
