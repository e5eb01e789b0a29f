/**
 * Nodes in containers that share files: each has a process table of its own, in which the other one is not, and pids of which
 * the other one has the same. What the kernel drops with a process holds all the same.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canUnshare, DaemonExited, nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';

describeNeeds('the right to unshare namespaces', canUnshare())('two containers on one volume', () => {
  let daemons: Daemon[];
  let volume: string;
  beforeEach(() => {
    daemons = [];
    volume = temporaryDirectory();
  });
  afterEach(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

  /** A container has no address before somebody gives it one. */
  function config(socketName: string): object {
    const endpoint = { type: 'unix', path: path.join(volume, socketName) };
    const store = { type: 'file', filename: path.join(volume, 'cookies.dat') };
    return nodeConfig({ transport: { endpoint, cookie: { store } } });
  }

  async function start(options: DaemonOptions): Promise<Daemon> {
    const daemon = await startDaemon({ contained: true, ...options });
    daemons.push(daemon);
    return daemon;
  }

  async function refusalOf(options: DaemonOptions): Promise<string> {
    const refused = await start(options).catch((error: unknown) => error);
    if (!(refused instanceof DaemonExited)) throw new Error('it was not refused');
    expect(await refused.daemon.stop()).toBe(1);
    return refused.daemon.stderr;
  }

  it('the second node on a node directory is refused while the first one lives, and not a moment longer', async () => {
    const cbdir = nodeDirectory(config('web.sock'));
    const first = await start({ cbdir });
    expect(await refusalOf({ cbdir })).toMatch(
      /a node is already running on .+ \(pid 1 of another container, see .+node\.pid\)/,
    );
    // From outside the pid is another one, and from inside it is the asker's own.
    expect(await refusalOf({ cbdir, contained: false })).toContain('a node is already running on');
    await first.kill();
    const second = await start({ cbdir });
    await second.kill();
    await start({ cbdir, contained: false });
  });

  it('the second node on a cookie file is refused while the first one lives, and not a moment longer', async () => {
    const first = await start({ config: config('one.sock') });
    expect(await refusalOf({ config: config('two.sock') })).toMatch(
      /cookies\.dat cannot be opened: in use by process 1 of another container \(see .+cookies\.dat\.lock\)/,
    );
    await first.kill();
    await start({ config: config('two.sock') });
  });

  it('commands from outside reach the node, or say who is in the way', async () => {
    const { cbdir } = await start({ config: config('web.sock') });
    expect(await runCli(['cookies', 'list', '--cbdir', cbdir])).toMatchObject({ code: 0 });
    rmSync(path.join(cbdir, 'node.sock'));
    const { code, stderr } = await runCli(['cookies', 'list', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/in use by process 1 of another container/);
  });
});
