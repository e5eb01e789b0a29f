/**
 * Components in the real daemon, as clients and operators see them. What a session promises is tested in
 * test/unit/component; here is what only a process has: modules, start and stop, other clients.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import autobahn from 'autobahn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DaemonExited, startDaemon } from '../support/daemon.js';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK, openRealm } from '../support/node-config.js';
import { configWith, directoryWith } from '../support/node-directory.js';
import { WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

async function started(options: DaemonOptions): Promise<Daemon> {
  const daemon = await startDaemon(options);
  daemons.push(daemon);
  return daemon;
}

const MODULES = {
  'hello.mjs': `
    export default async function (session, { id, extra, cbdir, log }) {
      await session.register('com.example.who', () => ({ id, extra, cbdir, authid: session.details.authid }));
      await session.register('com.example.fail', () => { throw new Error('the password is hunter2'); });
      await session.register('com.example.floating', () => { void session.call('com.example.not_there'); return 'fine'; });
      await session.register('com.example.binary', ([bytes]) => [bytes instanceof Uint8Array, bytes]);
      await session.subscribe('com.example.ping', ([n]) => session.publish('com.example.pong', [n + 1]));
      await session.subscribe('com.example.crash', () => Promise.reject(new Error('handler crashed')));
      session.onleave = (reason) => log.info({ reason }, 'hello left');
      return { stop: () => log.info('hello stopped') };
    }
    export function chatter(session) {
      // Keeps itself busy for ever: nobody else may starve of it.
      const again = () => void session.call('com.example.who').then(again, () => undefined);
      again();
    }
    export async function leaver(session) {
      await session.register('com.example.leave', () => session.leave('com.example.tired'));
    }
    export async function stubborn() {
      return { stop: () => new Promise(() => undefined) };
    }
  `,
};

describe('a node with components', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const components = [
      { id: 'hello', module: './hello.mjs', extra: { a: [1] }, authid: 'hal' },
      { module: './hello.mjs', name: 'chatter' },
      { id: 'leaver', module: './hello.mjs', name: 'leaver' },
    ];
    const cbdir = directoryWith(MODULES);
    const serializers = { serializers: ['json', 'msgpack'] };
    daemon = await started({ cbdir, config: configWith(components, { websocket: serializers }) });
  });
  const join = (serializer: 'json' | 'msgpack' = 'json') =>
    WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { serializer });

  it('has them there before the first client can connect, each with what the config says', async () => {
    const messages = daemon.logs.map(({ msg }) => msg);
    expect(messages.lastIndexOf('component started')).toBeLessThan(messages.indexOf('transport started'));
    const ids = daemon.logs.filter(({ msg }) => msg === 'component started').map(({ component }) => component);
    expect(ids).toEqual(['hello', 'component002', 'leaver']);
    const client = await join();
    const result = await client.ask([48, 1, {}, 'com.example.who']);
    expect(result[3]).toEqual([{ id: 'hello', extra: { a: [1] }, cbdir: daemon.cbdir, authid: 'hal' }]);
  });

  it('carries events and byte strings between them and clients', async () => {
    const client = await join('msgpack');
    await client.ask([32, 1, {}, 'com.example.pong']);
    client.send([16, 2, {}, 'com.example.ping', [41]]);
    expect((await client.next())[4]).toEqual([42]);
    const result = await client.ask([48, 3, {}, 'com.example.binary', [{ $bin: '0102' }]]);
    expect(result[3]).toEqual([[true, { $bin: '0102' }]]);
  });

  it('keeps what endpoints throw to itself, and lives through what handlers and forgotten calls do', async () => {
    const client = await join();
    const error = await client.ask([48, 1, {}, 'com.example.fail']);
    expect(error.slice(4)).toEqual(['wamp.error.runtime_error', ['the procedure failed']]);
    await daemon.waitForLog('endpoint of a component failed');
    client.send([16, 2, {}, 'com.example.crash']);
    await daemon.waitForLog('event handler of a component failed');
    expect((await client.ask([48, 3, {}, 'com.example.floating']))[3]).toEqual(['fine']);
    expect((await client.ask([48, 4, {}, 'com.example.who']))[0]).toBe(50);
  });

  it('goes on when one leaves', async () => {
    const client = await join();
    client.send([48, 1, {}, 'com.example.leave']);
    expect(await daemon.waitForLog('component left its realm')).toMatchObject({ component: 'leaver', level: 'warn' });
    expect(await client.next()).toMatchObject({ 0: 8, 4: 'wamp.error.canceled' });
    expect((await client.ask([48, 2, {}, 'com.example.who']))[0]).toBe(50);
  });

  it('shows their sessions as those of components', async () => {
    const client = await join();
    const [, , , ids] = await client.ask([48, 1, {}, 'wamp.session.list']);
    const shown: unknown[] = [];
    for (const [index, id] of (ids as [number[]])[0].entries()) {
      shown.push(((await client.ask([48, index + 2, {}, 'wamp.session.get', [id]]))[3] as unknown[])[0]);
    }
    expect(shown).toContainEqual(
      expect.objectContaining({ authid: 'hal', authmethod: 'component', transport: { peer: 'component' } }),
    );
  });

  it('calls onleave and stop when it stops, after the clients are gone', async () => {
    const client = await join();
    expect(await daemon.stop()).toBe(0);
    expect((await client.closed).code).toBe(1001);
    const messages = daemon.logs.map(({ msg, reason }) => [msg, reason]);
    const order = ['session left', 'hello left', 'hello stopped', 'node stopped'].map((text) =>
      messages.findIndex(([msg]) => msg === text),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(messages).toContainEqual(['hello left', 'wamp.close.system_shutdown']);
    expect(daemon.stderr).toBe('');
  });
});

it('a component that does not come to an end does not keep the node', async () => {
  const cbdir = directoryWith(MODULES);
  const daemon = await started({ cbdir, config: configWith([{ module: './hello.mjs', name: 'stubborn' }]) });
  expect(await daemon.stop()).toBe(0);
  expect(daemon.logs).toContainEqual(
    expect.objectContaining({ msg: 'component failed to stop', component: 'component001' }),
  );
});

describe('the start of a node stops', () => {
  const files = {
    'throws.mjs': 'export default () => { throw new Error("no database"); }',
    'rejects.mjs': 'export default async (session) => { await session.register("wamp.forbidden", () => 1); }',
    'broken.mjs': 'export default (',
    'fine.mjs': 'export default () => ({ stop() { throw new Error("not now"); } })',
  };
  it.each([
    ['./throws.mjs', 'default', 'no database'],
    ['./rejects.mjs', 'default', 'wamp.error.invalid_uri: "wamp.forbidden" is reserved for the router'],
    ['./broken.mjs', 'default', '"node --check'],
    ['./not-there.mjs', 'default', 'module "./not-there.mjs" cannot be imported: there is no file '],
    ['not-there', 'default', 'there is no package "not-there"'],
    ['./fine.mjs', 'start', 'module "./fine.mjs" exports no "start" (functions that it exports: default)'],
  ])('when %s, %s does not start', async (module, name, text) => {
    const config = configWith([{ module: './fine.mjs' }, { id: 'broken', module, name }]);
    const cbdir = directoryWith(files);
    const error = await startDaemon({ cbdir, config }).catch((thrown: unknown) => thrown);
    if (!(error instanceof DaemonExited)) throw new Error('the node started');
    expect((await error.daemon.exited).code).toBe(1);
    expect(error.daemon.stderr).toContain('component broken (/workers/0/components/1): ');
    expect(error.daemon.stderr).toContain(text);
    expect(existsSync(path.join(cbdir, 'node.pid'))).toBe(false);
    expect(error.daemon.logs).toContainEqual(expect.objectContaining({ msg: 'component failed to stop' }));
  });
});

describe('the role trusted, which is in no config', () => {
  it('is for components to which the config gives it, and not for an authenticator to give', async () => {
    const cbdir = directoryWith({
      'trusted.mjs': `export default async (session) => {
        await session.register('com.app.authenticate', () => 'trusted');
      };`,
    });
    const auth = {
      ticket: { type: 'dynamic', authenticator: 'com.app.authenticate', 'authenticator-realm': 'realm1' },
    };
    const realms = [{ name: 'realm1', roles: [{ name: 'anonymous' }] }];
    const config = configWith([{ module: './trusted.mjs', role: 'trusted' }], { realms, websocket: { auth } });
    const daemon = await started({ cbdir, config });
    expect(daemon.logs).toContainEqual(expect.objectContaining({ msg: 'component started' }));
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    client.send([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }]);
    expect((await client.next())[0]).toBe(4);
    client.send([5, 'anything', {}]);
    expect(await client.next()).toEqual([3, expect.anything(), 'wamp.error.no_such_role']);
  });
});

describe('the examples', () => {
  it('of docs/components.md work as they stand there', async () => {
    const text = readFileSync(path.join(ROOT, 'docs/components.md'), 'utf8');
    const block = (language: string) => new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(text)?.[1] ?? '';
    const { components } = JSON.parse(`{${block('json')}}`) as { components: object[] };
    const cbdir = directoryWith({ 'hello.js': block('js'), 'package.json': '{ "type": "module" }' });
    const daemon = await started({ cbdir, config: configWith(components) });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    expect((await client.ask([48, 1, {}, 'com.example.add', [2, 3]]))[3]).toEqual([5]);
    const error = await client.ask([48, 2, {}, 'com.example.divide', [1, 0]]);
    expect(error.slice(4)).toEqual(['com.example.error.division_by_zero', ['no number is that large']]);
    await client.ask([32, 3, {}, 'com.example.heard']);
    client.send([16, 4, {}, 'com.example.said', ['hi']]);
    expect((await client.next())[4]).toEqual(['Hello', 'hi']);
  });

  it('of config/ work as they stand there', async () => {
    const config = readFileSync(path.join(ROOT, 'config/component.json'), 'utf8').replace(
      '"endpoint": { "type": "tcp", "port": 8080 }',
      `"endpoint": ${JSON.stringify(LOOPBACK)}`,
    );
    const cbdir = directoryWith({ 'package.json': '{ "type": "module" }' });
    copyFileSync(path.join(ROOT, 'config/component.js'), path.join(cbdir, 'component.js'));
    const daemon = await started({ cbdir, config });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    expect((await client.ask([48, 1, {}, 'com.example.greet', ['world']]))[3]).toEqual(['Hello, world!']);
    expect((await client.ask([64, 2, {}, 'com.example.greet2'])).slice(4)).toMatchObject([
      'wamp.error.not_authorized',
      {},
    ]);
    await daemon.stop();
    expect(daemon.logs).toContainEqual(expect.objectContaining({ msg: 'the greeter goes home', greeted: 1 }));
  });

  it('have classes to import', async () => {
    const api = (await import(import.meta.resolve('crossbar-ts/component'))) as Record<string, unknown>;
    expect(Object.keys(api).sort()).toEqual(['CallError', 'Result']);
    const types = fileURLToPath(import.meta.resolve('crossbar-ts/component')).replace(/\.js$/, '.d.ts');
    expect(existsSync(types)).toBe(true);
  });
});

describe('an authorizer that is a component', () => {
  it('decides for the clients of a role', async () => {
    const cbdir = directoryWith({
      'authorizer.mjs': `
        export default async (session, { log }) => {
          await session.register('com.example.authorize', ([details, uri, action]) => {
            log.info({ authid: details.authid, uri, action }, 'asked');
            return uri === 'com.example.open' ? { allow: true, disclose: true } : false;
          });
          await session.register('com.example.open', (_args, _kwargs, { caller_authrole }) => caller_authrole);
        }`,
    });
    const realm = {
      name: 'realm1',
      roles: [
        { name: 'backend', permissions: ALLOW_ALL },
        { name: 'anonymous', authorizer: 'com.example.authorize' },
      ],
    };
    const config = configWith([{ module: './authorizer.mjs', role: 'backend' }], {
      realms: [realm, openRealm('realm2')],
    });
    const daemon = await started({ cbdir, config });
    autobahn.log.warn = () => undefined;
    const connection = new autobahn.Connection({
      realm: 'realm1',
      transports: [{ type: 'websocket', url: daemon.url('/ws', 'ws') }],
      max_retries: 0,
      use_es6_promises: true,
    });
    const session = await new Promise<autobahn.Session>((resolve) => {
      connection.onopen = resolve;
      connection.open();
    });
    expect(await session.call('com.example.open')).toBe('anonymous');
    await expect(session.call('com.example.closed')).rejects.toMatchObject({ error: 'wamp.error.not_authorized' });
    await daemon.waitForLog(
      ({ msg, uri, action }) => msg === 'asked' && uri === 'com.example.closed' && action === 'call',
    );
    connection.close();
  });
});
