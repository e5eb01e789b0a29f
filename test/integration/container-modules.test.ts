/** Containers with modules of JavaScript: the real daemon runs them in a process of their own. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { spawnDaemon, startDaemon } from '../support/daemon.js';
import type { Daemon, DaemonOptions, LogRecord } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';
import { isAlive, untilGone } from '../support/processes.js';
import { WampClient } from '../support/wamp-client.js';

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

type Part = Readonly<Record<string, unknown>>;

const PRIVATE = 'ab'.repeat(32);
const PUBLIC = '248acbdbaf9e050196de704bea2d68770e519150d103b587dae2d9cad53dd930';

/** Two sockets in the file system, which components know before the node starts. */
const RAW = { type: 'unix', path: 'raw.sock' };
const WEB = { type: 'unix', path: 'web.sock' };
const rawsocket = (more: object = {}): Part => ({ type: 'rawsocket', endpoint: RAW, serializer: 'cbor', ...more });
const websocket = (more: object = {}): Part => ({
  type: 'websocket',
  endpoint: WEB,
  url: 'ws://localhost/ws',
  serializers: ['json'],
  ...more,
});

const module = (file: string, more: object = {}): Part => ({
  ...{ type: 'module', module: `./${file}.js`, realm: 'realm1', transport: rawsocket() },
  ...more,
});

const AUTH = {
  anonymous: { type: 'static', role: 'anonymous' },
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'backend' } } },
  cryptosign: { type: 'static', principals: { jim: { authorized_keys: [PUBLIC], role: 'backend' } } },
};

function configOf(components: readonly Part[], options: object = {}, controller: object = {}): object {
  const realm = { name: 'realm1', roles: ['anonymous', 'backend'].map((name) => ({ name, permissions: ALLOW_ALL })) };
  const ws = { type: 'websocket', auth: AUTH };
  const config = nodeConfig({
    realms: [realm, openRealm('realm2')],
    transports: [
      { type: 'web', id: 'web', endpoint: WEB, paths: { ws } },
      { type: 'rawsocket', id: 'raw', endpoint: RAW, auth: AUTH },
    ],
  }) as { workers: object[] };
  return {
    ...config,
    controller: { options: { shutdown: 'shutdown_on_shutdown_requested', ...controller } },
    workers: [{ type: 'container', id: 'box', options, components }, ...config.workers],
  };
}

interface Start extends DaemonOptions {
  readonly options?: object;
  readonly controller?: object;
}

/** @param files - module -> its text */
async function started(
  files: Readonly<Record<string, string>>,
  components: readonly Part[],
  more: Start = {},
): Promise<Daemon> {
  const daemon = await startDaemon(optionsOf(files, components, more));
  daemons.push(daemon);
  return daemon;
}

function optionsOf(
  files: Readonly<Record<string, string>>,
  components: readonly Part[],
  { options, controller, ...rest }: Start,
): DaemonOptions {
  const config = configOf(components, options, controller);
  const cbdir = directoryWith({ 'package.json': '{"type": "module"}', ...files });
  return { cbdir, config, ...rest };
}

/** What is told of a node while it runs, beside what its config could have better. */
const problemsIn = (daemon: Daemon): readonly LogRecord[] =>
  daemon.logs.filter(({ level, msg }) => ['warn', 'error'].includes(level) && msg !== 'config warning');
const of = (component: string, msg: string) => (record: LogRecord) =>
  record.msg === msg && record['component'] === component;
const toldOf = (daemon: Daemon, component: string): string[] =>
  daemon.logs.filter((record) => record['component'] === component).map(({ msg }) => msg);
const hostOf = async (daemon: Daemon): Promise<number> =>
  Number((await daemon.waitForLog('component host started'))['pid']);

/** @returns the answer to a call, from a client of the node */
async function called(daemon: Daemon, procedure: string, args: readonly unknown[] = []): Promise<readonly unknown[]> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  return client.ask([48, 1, {}, procedure, args]);
}

const GREETER = `
  export default async function (session, { id, extra, cbdir, log, CallError }) {
    log.info({ count: 3 }, 'here I am');
    await session.register('com.example.' + id, async ([name], kwargs, details) => {
      if (name === undefined) throw new CallError('com.example.error', ['no name']);
      return [extra.greeting, name, session.details.authid, session.details.authrole, session.details.authmethod];
    });
  }`;

describe('modules in a container', () => {
  it('join by their transports, as who they prove to be, and answer calls', async () => {
    const extra = { greeting: 'hello' };
    const daemon = await started({ 'greeter.js': GREETER }, [
      module('greeter', {
        id: 'one',
        extra,
        transport: websocket(),
        auth: { ticket: { authid: 'joe', ticket: 'secret' } },
      }),
      module('greeter', { id: 'two', extra, auth: { cryptosign: { authid: 'jim', privkey: PRIVATE } } }),
      module('greeter', { id: 'three', extra }),
    ]);
    expect((await called(daemon, 'com.example.one', ['Pat']))[3]).toEqual([
      ['hello', 'Pat', 'joe', 'backend', 'ticket'],
    ]);
    expect((await called(daemon, 'com.example.two', ['Pat']))[3]).toEqual([
      ['hello', 'Pat', 'jim', 'backend', 'cryptosign'],
    ]);
    expect((await called(daemon, 'com.example.three', ['Pat']))[3]).toMatchObject([
      { 0: 'hello', 3: 'anonymous', 4: 'anonymous' },
    ]);
    expect(await called(daemon, 'com.example.one')).toMatchObject({ 0: 8, 4: 'com.example.error', 5: ['no name'] });
    const joined = await daemon.waitForLog(of('one', 'component joined'));
    expect(joined).toMatchObject({ level: 'info', worker: 'box', realm: 'realm1', authid: 'joe', authrole: 'backend' });
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ component: 'two', msg: 'log of the process', line: 'here I am {"count":3}' }),
    );
    expect(daemon.output).not.toContain(PRIVATE);
    const host = await hostOf(daemon);
    expect(readFileSync(`/proc/${host}/cmdline`, 'utf8') + readFileSync(`/proc/${host}/environ`, 'utf8')).not.toContain(
      'secret',
    );
  });

  it('call each other, hear events, and share a process', async () => {
    const files = {
      'callee.js': `export default (session) => session.register('com.example.pid', () => process.pid);`,
      'caller.js': `export default async (session) => {
        const pid = await session.call('com.example.pid');
        await session.subscribe('com.example.news', ([news]) => session.publish('com.example.echo', [news, pid === process.pid]));
      };`,
    };
    const daemon = await started(files, [module('callee'), module('caller', { transport: websocket() })]);
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    await client.ask([32, 1, {}, 'com.example.echo']);
    client.send([16, 2, {}, 'com.example.news', ['new']]);
    expect((await client.next())[4]).toEqual(['new', true]);
  });

  it('are told of by the node, and leave in order when it stops', async () => {
    const files = {
      'polite.js': `export default (session, { log }) => {
        session.onleave = (reason) => log.info('left because of ' + reason);
        return { stop: () => log.info('stopped') };
      };`,
    };
    const daemon = await started(files, [module('polite')]);
    const host = await hostOf(daemon);
    expect(daemon.stdout).toContain('component started');
    expect(await daemon.stop()).toBe(0);
    const lines = daemon.logs.filter(({ msg }) => msg === 'log of the process').map(({ line }) => line);
    expect(lines.slice(0, 2).map(String)).toEqual([expect.stringMatching(/^left because of wamp\.close\./), 'stopped']);
    expect(isAlive(host)).toBe(false);
    expect(daemon.logs.at(-1)?.msg).toBe('node stopped');
    expect(problemsIn(daemon)).toEqual([]);
  });

  it('are gone when the node was killed, busy or not', async () => {
    const busy = `export default (session, { log }) => { log.info('busy'); setTimeout(() => { for (;;); }, 100); };`;
    const daemon = await started({ 'busy.js': busy }, [module('busy')]);
    const host = await hostOf(daemon);
    await daemon.waitForLog(({ line }) => line === 'busy');
    await daemon.kill();
    await untilGone([host]);
  });

  it('harm nobody when they are busy: the node serves, and ends them', async () => {
    const busy = `export default (session) => session.register('com.example.busy', () => { for (;;); });`;
    const daemon = await started({ 'busy.js': busy, 'greeter.js': GREETER }, [module('busy')]);
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.send([48, 1, {}, 'com.example.busy']);
    expect(await called(daemon, 'wamp.session.count')).toMatchObject({ 0: 50 });
    const host = await hostOf(daemon);
    expect(await daemon.stop()).toBe(0);
    expect(isAlive(host)).toBe(false);
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'component host killed: it did not stop' }),
    );
  });
});

describe('a module that fails', () => {
  const bad = {
    'absent.js': '',
    'throws.js': `throw new Error('at once');`,
    'late.js': `export default async () => { throw new Error('not today'); };`,
    'no.js': 'export const x = 1;',
  };
  it.each([
    ['import', { module: './nobody.js' }, 'there is no file'],
    ['import', { module: './throws.js' }, 'at once'],
    ['import', { module: './no.js' }, 'exports no "default"'],
    ['connect', { transport: rawsocket({ endpoint: { type: 'unix', path: 'nobody.sock' } }) }, 'there is no such file'],
    [
      'connect',
      { transport: { type: 'websocket', url: 'ws://127.0.0.1:1/' } },
      'connection refused: nobody listens there',
    ],
    [
      'connect',
      { transport: websocket({ url: 'ws://localhost/elsewhere' }) },
      'the server answered with HTTP status 404',
    ],
    ['connect', { transport: { type: 'rawsocket', endpoint: { type: 'unix', path: 'web.sock' } } }, 'the server'],
    ['join', { realm: 'nowhere' }, 'wamp.error.no_such_realm'],
    ['join', { auth: { ticket: { authid: 'joe', ticket: 'wrong' } } }, 'wamp.error.'],
    ['onJoin', { module: './late.js' }, 'not today'],
  ])('in its stage %s has one line that says why: %j', async (stage, part, problem) => {
    const daemon = await started({ ...bad, 'late.js': bad['late.js'] }, [module('late', { id: 'bad', ...part })]);
    const record = await daemon.waitForLog(of('bad', 'component failed'));
    expect(record).toMatchObject({ level: 'error', worker: 'box', stage });
    expect(record['problem']).toContain(problem);
    expect(String(record['problem'])).not.toContain('\n');
    expect(await called(daemon, 'wamp.session.count')).toMatchObject({ 0: 50 });
    expect(toldOf(daemon, 'bad')).not.toContain('component will be started again');
  });

  it('is started again with restart-on-failed, each time later, in the process that lives', async () => {
    const files = {
      'flaky.js': `let tries = 0; export default (session) => { tries += 1; if (tries < 3) throw new Error('try ' + tries); return session.register('com.example.tries', () => tries); };`,
    };
    const daemon = await started(files, [module('flaky', { id: 'flaky' })], {
      options: { restart: 'restart-on-failed' },
    });
    await daemon.waitForLog(of('flaky', 'component started'));
    expect((await called(daemon, 'com.example.tries'))[3]).toEqual([3]);
    expect(daemon.logs.flatMap(({ waitMs }) => waitMs ?? [])).toEqual([500, 1000]);
  });

  it('takes the others of its process with it when it crashes, and all are started again', async () => {
    const files = {
      'crash.js': `export default async (session) => { await session.register('com.example.crash', () => { setTimeout(() => { throw new Error('crash'); }); }); };`,
      'greeter.js': GREETER,
    };
    const components = [
      module('crash', { id: 'crash' }),
      module('greeter', { id: 'greeter', extra: { greeting: 'again' } }),
    ];
    const daemon = await started(files, components, { options: { restart: 'restart-on-failed' } });
    const first = await hostOf(daemon);
    await called(daemon, 'com.example.crash');
    await daemon.waitForLog(({ msg, pid }) => msg === 'component host started' && pid !== first);
    await daemon.waitForLog(
      (record) =>
        record.msg === 'component started' && daemon.logs.filter(of('greeter', 'component started')).length === 2,
    );
    expect((await called(daemon, 'com.example.greeter', ['me']))[3]).toMatchObject([{ 0: 'again' }]);
    expect(await daemon.stop()).toBe(0);
  });

  it('is started again when its connection was lost', async () => {
    const daemon = await started(
      { 'greeter.js': GREETER },
      [module('greeter', { id: 'greeter', extra: { greeting: 'x' } })],
      {
        options: { restart: 'restart-on-failed' },
      },
    );
    const { sessionId } = await daemon.waitForLog(of('greeter', 'component joined'));
    // Killed by another session, it is told so, and that is no failure.
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    await client.ask([48, 1, {}, 'wamp.session.kill', [sessionId], { reason: 'com.example.enough' }]);
    const left = await daemon.waitForLog(of('greeter', 'component left its realm'));
    expect(left).toMatchObject({ level: 'info', reason: 'com.example.enough' });
    expect(toldOf(daemon, 'greeter')).not.toContain('component will be started again');
  });

  it('is started again in any case with restart-always', async () => {
    const leaver = `export default (session, { log }) => {
      setTimeout(() => session.leave());
      return { stop: () => log.info('cleaned up') };
    };`;
    const daemon = await started({ 'leaver.js': leaver }, [module('leaver', { id: 'leaver' })], {
      options: { restart: 'restart-always' },
    });
    await daemon.waitForLog(({ waitMs }) => waitMs === 1000);
    await daemon.waitForLog(({ line }) => line === 'cleaned up');
    expect(toldOf(daemon, 'leaver').slice(0, 5)).toEqual(
      expect.arrayContaining(['component joined', 'component left its realm', 'component will be started again']),
    );
    expect(await daemon.stop()).toBe(0);
  });
});

describe('a container', () => {
  const leaver = `export default (session) => { setTimeout(() => session.leave()); };`;
  const failing = `export default () => { throw new Error('no'); };`;
  const stays = `export default () => undefined;`;
  const files = { 'leaver.js': leaver, 'failing.js': failing, 'stays.js': stays };

  it.each([
    ['shutdown-on-last-component-stopped', ['leaver', 'leaver'], 0],
    ['shutdown-on-last-component-stopped', ['leaver', 'failing'], 1],
    ['shutdown-on-any-component-stopped', ['stays', 'leaver'], 0],
    ['shutdown-on-any-component-failed', ['stays', 'failing'], 1],
  ])('ends by %s with %j, and the node with it: %i', async (shutdown, names, code) => {
    const components = names.map((name) => module(name));
    const daemon = spawnDaemon(
      optionsOf(files, components, { options: { shutdown }, controller: { shutdown: 'shutdown_on_worker_exit' } }),
    );
    daemons.push(daemon);
    expect((await daemon.exited).code).toBe(code);
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ msg: 'a worker has ended, and the node ends with it', worker: 'box' }),
    );
  });

  it.each([
    ['shutdown-manual', ['leaver', 'failing']],
    ['shutdown-on-any-component-failed', ['leaver', 'stays']],
    ['shutdown-on-last-component-stopped', ['stays', 'failing']],
  ])('does not by %s with %j', async (shutdown, names) => {
    const components = names.map((name, index) => module(name, { id: `${name}_${index}` }));
    const daemon = await started(files, components, {
      options: { shutdown },
      controller: { shutdown: 'shutdown_on_worker_exit' },
    });
    await daemon.waitForLog(({ msg }) => msg === 'component left its realm' || msg === 'component failed');
    expect(await called(daemon, 'wamp.session.count')).toMatchObject({ 0: 50 });
    expect(await daemon.stop()).toBe(0);
  });

  it('without components, or disabled, does nothing', async () => {
    const daemon = await started(files, []);
    const other = await started(files, [module('stays')], { options: { disabled: true } });
    for (const one of [daemon, other]) {
      expect(await one.stop()).toBe(0);
      expect(one.logs.map(({ msg }) => msg)).not.toContain('component host started');
    }
  });

  it('gives its processes the environment that it says, and nobody a way into the control channel', async () => {
    const text = `export default (session) => session.register('com.example.env', () => [process.env.OWN ?? null, process.env.HOME ?? null]);`;
    const options = { env: { inherit: ['PATH'], vars: { OWN: 'a b' } } };
    const daemon = await started({ 'env.js': text }, [module('env')], { options });
    expect((await called(daemon, 'com.example.env'))[3]).toEqual([['a b', null]]);
  });
});
