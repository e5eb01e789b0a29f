/** A node directory that cannot be written: what a node keeps lies in a state directory, what only it needs in a run directory. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { canUnshare, nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const BIN = path.resolve(import.meta.dirname, '../../bin/crossbar-ts.js');
const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

const withStore = (store: object): object => nodeConfig({ websocket: { cookie: { store } } });
const FILE = withStore({ type: 'file', filename: 'cookies.dat' });

async function visit(url: string): Promise<void> {
  await (await WampClient.join(url)).leave();
}

it('with --statedir cookies are kept there, and commands find them', async () => {
  const [cbdir, top] = [nodeDirectory(FILE), temporaryDirectory()];
  const [rundir, statedir] = [path.join(top, 'run'), path.join(top, 'lib', 'node')];
  const daemon = await startDaemon({ cbdir, args: ['--rundir', rundir, '--statedir', statedir] });
  running.push(daemon);
  await visit(daemon.url('/ws', 'ws'));
  expect(readdirSync(cbdir)).toEqual(['config.json']);
  expect(existsSync(path.join(statedir, 'cookies.dat'))).toBe(true);
  expect(statSync(statedir).mode & 0o777).toBe(0o700);
  await daemon.stop();
  const list = ['cookies', 'list', '--json', '--cbdir', cbdir];
  expect((await runCli([...list, '--statedir', statedir])).stdout).toContain('"digest"');
  expect((await runCli(list, { env: { CROSSBAR_STATEDIR: statedir } })).stdout).toContain('"digest"');
  expect((await runCli(list)).stdout).not.toContain('"digest"');
});

it('$CROSSBAR_RUNDIR and $CROSSBAR_STATEDIR are as good as the options', async () => {
  const [cbdir, top] = [nodeDirectory(FILE), temporaryDirectory()];
  const env = { CROSSBAR_RUNDIR: path.join(top, 'run'), CROSSBAR_STATEDIR: path.join(top, 'lib') };
  const daemon = await startDaemon({ cbdir, env });
  running.push(daemon);
  expect(readdirSync(env.CROSSBAR_STATEDIR)).toContain('cookies.dat');
  expect((await runCli(['status', '--cbdir', cbdir, '--assert', 'ready'], { env })).code).toBe(0);
  expect((await runCli(['stop', '--cbdir', cbdir], { env })).code).toBe(0);
});

it('the audit log is state, too: under systemd the node directory is only read', async () => {
  const [cbdir, statedir] = [nodeDirectory(''), temporaryDirectory()];
  const config = { ...FILE, controller: { options: { audit: { file: 'audit.log' } } } };
  running.push(await startDaemon({ cbdir, config, args: ['--statedir', statedir, '--rundir', temporaryDirectory()] }));
  expect(readdirSync(statedir)).toContain('audit.log');
  expect(readdirSync(cbdir)).toEqual(['config.json']);
});

it('absolute paths stay what they are, and a database is state, too', async () => {
  const [top, statedir] = [temporaryDirectory(), temporaryDirectory()];
  const filename = path.join(top, 'elsewhere.dat');
  for (const [store, there] of [
    [{ type: 'file', filename }, filename],
    [{ type: 'database', path: 'db' }, path.join(statedir, 'db')],
  ] as const) {
    const daemon = await startDaemon({ config: withStore(store), args: ['--statedir', statedir] });
    running.push(daemon);
    expect(existsSync(there)).toBe(true);
  }
});

it('a state directory that cannot be made keeps the node from starting, with one line', async () => {
  const cbdir = nodeDirectory(FILE);
  const statedir = path.join(cbdir, 'config.json', 'state');
  const { code, stderr } = await runCli(['start', '--cbdir', cbdir, '--statedir', statedir]);
  expect(code).toBe(1);
  expect(stderr).toContain(`the state directory ${statedir} cannot be made (ENOTDIR)`);
});

/** A node in namespaces of its own, as in a container. */
function contained(script: string, args: readonly string[]) {
  const flags = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const command = [process.execPath, BIN, 'start', ...args];
  const child = spawn('unshare', [...flags, 'sh', '-ec', `${script}\nexec "$@"`, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const started = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (line.includes('"node started"')) return true;
    return false;
  })();
  return { child, exited, started, stderr: () => stderr };
}

describeNeeds('a user that may make namespaces', canUnshare())('in containers', () => {
  itNeeds('mount', spawnSync('mount', ['--version']).status === 0)(
    'a node directory that is mounted read-only',
    async () => {
      const [cbdir, top] = [nodeDirectory(FILE), temporaryDirectory()];
      const dirs = ['--rundir', path.join(top, 'run'), '--statedir', path.join(top, 'lib')];
      const readOnly = `mount --bind '${cbdir}' '${cbdir}'; mount -o remount,ro,bind '${cbdir}'; ! touch '${cbdir}/x' 2>&-`;
      const node = contained(readOnly, ['--cbdir', cbdir, ...dirs]);
      expect([await node.started, node.stderr()]).toEqual([true, '']);
      expect(readdirSync(path.join(top, 'lib'))).toContain('cookies.dat');
      expect((await runCli(['stop', '--cbdir', cbdir, ...dirs.slice(0, 2)])).code).toBe(0);
      await node.exited;
      const bare = contained(readOnly, ['--cbdir', cbdir]);
      expect((await bare.exited)[0]).toBe(1);
      expect(bare.stderr()).toContain('node.pid cannot be written');
    },
  );

  it('two on one volume: the second is refused, though the pid of the first means nothing to it', async () => {
    const cbdir = nodeDirectory(FILE);
    const first = contained('', ['--cbdir', cbdir]);
    expect(await first.started).toBe(true);
    const second = contained('', ['--cbdir', cbdir]);
    expect((await second.exited)[0]).toBe(1);
    expect(second.stderr()).toContain(`a node is already running on ${cbdir} (pid 1`);
    // Also where each has a run directory of its own: the cookies are one file.
    const third = contained('', ['--cbdir', cbdir, '--rundir', temporaryDirectory()]);
    expect((await third.exited)[0]).toBe(1);
    expect(third.stderr()).toContain('cookies.dat');
    expect((await runCli(['stop', '--cbdir', cbdir])).code).toBe(0);
    await first.exited;
  });
});
