/** What the system may tell the daemon, and what code of the operator may do to it. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const running: Daemon[] = [];

function watched(daemon: Daemon): Daemon {
  running.push(daemon);
  return daemon;
}

const started = async (options: DaemonOptions): Promise<Daemon> => watched(await startDaemon(options));

afterEach(async () => {
  await Promise.all(running.splice(0).map((daemon) => daemon.dispose()));
});

/** A node directory with modules, and a config that runs them as components, in order. */
function withComponents(modules: Readonly<Record<string, string>>): DaemonOptions {
  const cbdir = path.join(temporaryDirectory(), '.crossbar');
  mkdirSync(cbdir);
  for (const [name, text] of Object.entries(modules)) writeFileSync(path.join(cbdir, name), text);
  const components = Object.keys(modules).map((name) => ({
    type: 'module',
    module: `./${name}`,
    realm: 'realm1',
    role: 'anonymous',
  }));
  const web = {
    type: 'web',
    endpoint: LOOPBACK,
    paths: { '/': { type: 'json', value: 1 }, ws: { type: 'websocket' } },
  };
  const worker = { type: 'router', realms: [openRealm('realm1')], components, transports: [web] };
  return { cbdir, config: { version: 2, controller: {}, workers: [worker] } };
}

const HANGING = `export default (session, { log }) => { log.info('up to here'); return new Promise(() => undefined); }`;

describe('a signal while a component still starts', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends the start, with exit 0 and nothing left behind', async (signal) => {
    const daemon = watched(spawnDaemon(withComponents({ 'hanging.mjs': HANGING })));
    await daemon.waitForLog('up to here');
    daemon.signal(signal);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemon.logs.map(({ msg }) => msg)).toContain('component had not started yet when the node was stopped');
    expect(daemon.logs.at(-1)).toMatchObject({ msg: 'node stopped' });
    expect(daemon.stderr).toBe('');
    expect(readdirSync(daemon.cbdir)).not.toContain('node.pid');
  });

  it('ends one that does not even come to its function', async () => {
    const text = `console.log(JSON.stringify({ level: 'info', msg: 'up to here' })); await new Promise((r) => setTimeout(r, 1e6)); export default () => 1;`;
    const daemon = watched(spawnDaemon(withComponents({ 'hanging.mjs': text })));
    await daemon.waitForLog('up to here');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  it('those that had started come to their orderly end, the others are not started', async () => {
    const first = `export default (session, { log }) => ({ stop: () => log.info('first stopped') });`;
    const never = `export default (session, { log }) => log.info('never');`;
    const daemon = watched(
      spawnDaemon(withComponents({ 'first.mjs': first, 'second.mjs': HANGING, 'third.mjs': never })),
    );
    await daemon.waitForLog('up to here');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    const messages = daemon.logs.map(({ msg }) => msg);
    expect(messages).toContain('first stopped');
    expect(messages).not.toContain('never');
    expect(messages).not.toContain('transport started');
  });

  it('a second one ends it at once', async () => {
    // The stop of what has started takes its time.
    const first = `export default () => ({ stop: () => new Promise(() => undefined) });`;
    const daemon = watched(spawnDaemon(withComponents({ 'first.mjs': first, 'second.mjs': HANGING })));
    await daemon.waitForLog('up to here');
    daemon.signal('SIGTERM');
    await daemon.waitForLog('signal received');
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 143, signal: null });
  });
});

/** Whether the node still answers. */
async function answers(daemon: Daemon): Promise<void> {
  await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
}

describe('signals that are no wish to end', () => {
  it('SIGUSR1 does not open the debugger of Node.js', async () => {
    const daemon = await started({ config: nodeConfig() });
    daemon.signal('SIGUSR1');
    expect(await daemon.waitForLog((record) => record['signal'] === 'SIGUSR1')).toMatchObject({ level: 'warn' });
    await answers(daemon);
    expect(daemon.stderr).toBe('');
    expect(await daemon.stop()).toBe(0);
  });

  it('SIGUSR1 does not open it while the node starts, either', async () => {
    const daemon = watched(spawnDaemon(withComponents({ 'hanging.mjs': HANGING })));
    await daemon.waitForLog('up to here');
    daemon.signal('SIGUSR1');
    await daemon.waitForLog((record) => record['signal'] === 'SIGUSR1');
    expect(await daemon.stop()).toBe(0);
    expect(daemon.stderr).toBe('');
  });

  it('SIGUSR2, SIGHUP, SIGPIPE and SIGWINCH do not end it', async () => {
    const daemon = await started({ config: nodeConfig() });
    for (const signal of ['SIGPIPE', 'SIGHUP', 'SIGUSR2', 'SIGWINCH'] as const) daemon.signal(signal);
    expect(await daemon.waitForLog(({ signal }) => signal === 'SIGUSR2')).toMatchObject({ level: 'warn' });
    expect(await daemon.waitForLog(({ msg }) => msg === 'config reloaded')).toMatchObject({ level: 'info' });
    await answers(daemon);
    expect(await daemon.stop()).toBe(0);
  });

  it('the debugger is there for who asks for it', async () => {
    const daemon = await started({ config: nodeConfig(), env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
    const [, port] = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(daemon.stderr) ?? [];
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  });
});

it('SIGQUIT ends it at once, and the next start takes the directory over', async () => {
  const daemon = await started({ config: nodeConfig() });
  expect(await daemon.stop('SIGQUIT')).toBeNull();
  const again = watched(await daemon.restart());
  await answers(again);
});

describe('an error in a component that nobody catches does not end the node when a client calls it', () => {
  it.each([
    ['a promise that nobody waits for', `Promise.reject(new Error('oops'));`, 'oops'],
    ['one that is rejected with a text', `Promise.reject('oops');`, 'oops'],
    ['an async function', `(async () => { await null; null.x; })();`, 'null'],
    ['a timer', `setTimeout(() => { throw new Error('oops'); }, 1);`, 'oops'],
    ['a request in vain', `setImmediate(() => session.publish('a', [() => 1]));`, 'function'],
  ])('%s', async (_what, code, text) => {
    const module = `export default (session) => session.register('com.example.trap', () => { ${code} return 1; });`;
    const daemon = await started(withComponents({ 'trap.mjs': module }));
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    expect((await client.ask([48, 1, {}, 'com.example.trap']))[0]).toBe(50);
    const line = await daemon.waitForLog('uncaught error in the code of a component');
    expect(line).toMatchObject({ level: 'error' });
    expect(JSON.stringify(line['err'])).toContain(text);
    if (text !== 'oops' || !code.includes("'oops');") || code.includes('Error')) {
      expect(line['at']).toContain(path.join(daemon.cbdir, 'trap.mjs'));
    }
    await answers(daemon);
    expect(await daemon.stop()).toBe(0);
  });

  it('but it does end for an error of its own, with components too', async () => {
    const daemon = await started(
      withComponents({
        // Nothing of the stack is the component's: so nobody knows what is broken.
        'bug.mjs': `export default (session) => session.register('com.example.bug', () => {
        const error = new Error('a bug'); error.stack = 'Error: a bug\\n    at node:internal/x:1:2'; setTimeout(() => { throw error; }, 1);
      });`,
      }),
    );
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.send([48, 1, {}, 'com.example.bug']);
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.logs.at(-1)).toMatchObject({ level: 'fatal', err: { message: 'a bug' } });
  });
});
