/** A node directory that only has to be read: what a running node needs lies in a run directory. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, runCli, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const running: Daemon[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((daemon) => daemon.dispose()));
});

async function started(rundir: string, cbdir: string): Promise<Daemon> {
  const daemon = await startDaemon({ cbdir, args: ['--rundir', rundir] });
  running.push(daemon);
  return daemon;
}

const CONFIG = nodeConfig({ websocket: { cookie: { store: { type: 'memory' } } } });

it('with --rundir nothing is written into the node directory', async () => {
  const [cbdir, top] = [nodeDirectory(CONFIG), temporaryDirectory()];
  const rundir = path.join(top, 'run', 'node');
  const daemon = await started(rundir, cbdir);
  expect(readdirSync(cbdir)).toEqual(['config.json']);
  const beacon = expect.stringMatching(/^\.alive\.[0-9a-f]{16}$/) as string;
  expect(readdirSync(rundir).sort()).toEqual([beacon, 'node.pid', 'node.sock']);
  // What was made for it is nobody else's.
  expect(statSync(rundir).mode & 0o777).toBe(0o700);
  expect(await daemon.stop()).toBe(0);
  expect(readdirSync(rundir)).toEqual([]);
});

it('commands find the running node there', async () => {
  const [cbdir, rundir] = [nodeDirectory(CONFIG), temporaryDirectory()];
  const daemon = await started(rundir, cbdir);
  await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
  // The store is in the memory of the node: only the node itself can tell.
  const asked = await runCli(['cookies', 'list', '--json', '--cbdir', cbdir, '--rundir', rundir]);
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(asked.stdout.trim().split('\n')).toHaveLength(1);
  expect(asked.stdout).toContain('"digest"');
  const unasked = await runCli(['cookies', 'list', '--json', '--cbdir', cbdir]);
  expect(unasked.stdout).not.toContain('"digest"');
});

it('a second node on the same run directory does not start', async () => {
  const [cbdir, rundir] = [nodeDirectory(CONFIG), temporaryDirectory()];
  await started(rundir, cbdir);
  const second = spawnDaemon({ cbdir: nodeDirectory(CONFIG), args: ['--rundir', rundir] });
  running.push(second);
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.stderr).toContain(`a node is already running on ${rundir}`);
  expect(existsSync(path.join(rundir, 'node.sock'))).toBe(true);
});

it('a run directory that cannot be made keeps the node from starting, with one line', async () => {
  const cbdir = nodeDirectory(CONFIG);
  const rundir = path.join(cbdir, 'config.json', 'run');
  const daemon = spawnDaemon({ cbdir, args: ['--rundir', rundir] });
  running.push(daemon);
  expect(await daemon.exited).toEqual({ code: 1, signal: null });
  expect(daemon.stderr).toContain(`the run directory ${rundir} cannot be made (ENOTDIR)`);
  expect(daemon.stderr).not.toContain('    at ');
});
