/** `crossbar-ts stop` and `status`: from any shell, about a node of this process table or of a container. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { canUnshare, nodeDirectory, runCli, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { CliResult, Daemon, DaemonOptions } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const CONFIG = nodeConfig();

const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

async function started(options: DaemonOptions = { config: CONFIG }): Promise<Daemon> {
  const daemon = await startDaemon(options);
  running.push(daemon);
  await daemon.waitForLog('node started');
  return daemon;
}

const about = (command: string, cbdir: string, ...more: string[]): Promise<CliResult> =>
  runCli([command, '--cbdir', cbdir, ...more]);

describe('status', () => {
  it('says what runs, as Crossbar.io does in the first line', async () => {
    const daemon = await started();
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    const asked = await about('status', daemon.cbdir);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toMatch(
      /^Status is RUNNING\n {2}pid \d+\n {2}version \S+\n {2}started \S+Z\n {2}ready\n {2}1 session in 1 realm\n$/,
    );
    const { stdout } = await about('status', daemon.cbdir, '--json');
    expect(JSON.parse(stdout)).toEqual({
      ...{ running: true, pid: daemon.pid, ready: true, realms: ['realm1'], sessions: 1 },
      version: (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version,
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      config_loaded: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      ...{ last_reload_successful: true, pending_restart: [] },
    });
    await client.leave();
  });

  it('--assert ends with 69 where it is not so, and with 0 where it is', async () => {
    const cbdir = nodeDirectory(CONFIG);
    const codes = async (): Promise<(number | null)[]> => {
      const states = ['running', 'ready', 'stopped'];
      return Promise.all(states.map(async (state) => (await about('status', cbdir, '--assert', state)).code));
    };
    expect(await codes()).toEqual([69, 69, 0]);
    expect(await about('status', cbdir)).toMatchObject({ code: 0, stdout: 'Status is STOPPED\n' });
    expect((await about('status', cbdir, '--json')).stdout).toBe('{"running":false}\n');
    await started({ cbdir });
    expect(await codes()).toEqual([0, 0, 69]);
  });

  it('a node that starts runs, and is not ready', async () => {
    // Its component never ends its start.
    const component = { type: 'module', module: './endless.js', realm: 'realm1', role: 'anonymous' };
    const { workers, ...rest } = CONFIG as { workers: readonly object[] };
    const cbdir = nodeDirectory({ ...rest, workers: [{ ...workers[0], components: [component] }] });
    writeFileSync(path.join(cbdir, 'endless.js'), 'export default () => new Promise(() => {});');
    const daemon = spawnDaemon({ cbdir });
    running.push(daemon);
    await daemon.waitForLog('realm started');
    const asked = await about('status', cbdir, '--assert', 'ready');
    expect(asked).toMatchObject({ code: 69 });
    expect(asked.stdout).toMatch(/^Status is RUNNING\n {2}pid \d+\n {2}it cannot be asked for more\n$/);
  });
});

describe('stop', () => {
  it('ends a node and returns when it is gone', async () => {
    const daemon = await started();
    const asked = await about('stop', daemon.cbdir);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toBe(`stopping the node on ${daemon.cbdir} (pid ${daemon.pid})\nstopped\n`);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemon.logs.some(({ msg }) => msg === 'node stopped')).toBe(true);
  });

  it('says with 69 that no node runs: none was there, a crash left the file, or its pid is that of another program', async () => {
    const cbdir = nodeDirectory(CONFIG);
    const none = { code: 69, stdout: '', stderr: `crossbar-ts: no node runs on ${cbdir}\n` };
    expect(await about('stop', cbdir)).toMatchObject(none);
    const daemon = await started({ cbdir });
    await daemon.kill();
    expect(await about('stop', cbdir)).toMatchObject(none);
    const file = path.join(cbdir, 'node.pid');
    for (const text of [JSON.stringify({ pid: process.pid, started: 'another boot/1' }), 'no JSON', '']) {
      writeFileSync(file, text);
      expect(await about('stop', cbdir)).toMatchObject(none);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  it('finds it in its run directory', async () => {
    const rundir = temporaryDirectory();
    const daemon = await started({ config: CONFIG, args: ['--rundir', rundir] });
    expect(await about('stop', daemon.cbdir)).toMatchObject({ code: 69 });
    expect(await about('status', daemon.cbdir, '--rundir', rundir, '--assert', 'ready')).toMatchObject({ code: 0 });
    expect(await about('stop', daemon.cbdir, '--rundir', rundir)).toMatchObject({ code: 0 });
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  it('ends one that does not react, and says so with 1', async () => {
    const daemon = await started();
    daemon.signal('SIGSTOP');
    const asked = await about('stop', daemon.cbdir, '--timeout', '0');
    expect(asked).toMatchObject({ code: 1, stderr: 'crossbar-ts: it had to be ended by force\n' });
    expect(asked.stdout).toContain('it does not react: killing it');
    expect(await daemon.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('refuses words that it does not know', async () => {
    const cbdir = nodeDirectory(CONFIG);
    for (const args of [['--timeout', 'soon'], ['--config', 'config.json'], ['now']]) {
      expect(await about('stop', cbdir, ...args)).toMatchObject({ code: 1, stdout: '' });
    }
  });
});

describeNeeds('the right to unshare namespaces', canUnshare())('a node in a container', () => {
  it('is found and stopped through its control socket', async () => {
    const socket = path.join(temporaryDirectory(), 'web.sock');
    const config = nodeConfig({ transport: { endpoint: { type: 'unix', path: socket } } });
    const daemon = await started({ config, contained: true });
    const { code, stdout } = await about('status', daemon.cbdir, '--assert', 'ready', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ running: true, pid: 1 })]);
    const asked = await about('stop', daemon.cbdir);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toContain('(pid 1 of another container)\nstopped\n');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemon.logs.some(({ msg }) => msg === 'node stopped')).toBe(true);
  });
});
