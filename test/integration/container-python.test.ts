/** Containers with components of Python: the real daemon, and Debian's Autobahn. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';
import { freePorts } from '../support/ports.js';
import { isAlive, untilGone } from '../support/processes.js';
import { SCRAM_JOE } from '../support/auth-clients.js';
import { WampClient } from '../support/wamp-client.js';

const PYTHON = '/usr/bin/python3';
const hasAutobahn = spawnSync(PYTHON, ['-c', 'import autobahn, twisted, cbor2, OpenSSL']).status === 0;

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

type Part = Readonly<Record<string, unknown>>;

const PRIVATE = 'ab'.repeat(32);
const PUBLIC = '248acbdbaf9e050196de704bea2d68770e519150d103b587dae2d9cad53dd930';
const RAW = { type: 'unix', path: 'raw.sock' };
const WEB = { type: 'unix', path: 'web.sock' };
const rawsocket = (more: object = {}): Part => ({ type: 'rawsocket', endpoint: RAW, serializer: 'cbor', ...more });
const websocket = (more: object = {}): Part => ({
  type: 'websocket',
  endpoint: WEB,
  url: 'ws://localhost/ws',
  ...more,
});

const AUTH = {
  anonymous: { type: 'static', role: 'anonymous' },
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'backend' } } },
  wampcra: { type: 'static', users: { joe: { secret: 'secret', role: 'backend' } } },
  cryptosign: { type: 'static', principals: { joe: { authorized_keys: [PUBLIC], role: 'backend' } } },
  scram: { type: 'static', principals: { joe: { ...SCRAM_JOE, role: 'backend' } } },
};

const PYTHON_FILES = {
  'backend.py': `
from autobahn.twisted.wamp import ApplicationSession
from twisted.internet.defer import inlineCallbacks
import os

class Adder(ApplicationSession):
    @inlineCallbacks
    def onJoin(self, details):
        yield self.register(lambda a, b: a + b, "com.example.add")
        yield self.register(lambda: [details.authid, details.authrole, details.authmethod], "com.example.who")
        yield self.register(lambda: os.getpid(), "com.example.pid")
        yield self.register(lambda: os._exit(7), "com.example.crash")

class Caller(ApplicationSession):
    @inlineCallbacks
    def onJoin(self, details):
        total = yield self.call("com.example.add", 2, self.config.extra["more"])
        yield self.register(lambda: total, "com.example.total")

class Ticket(ApplicationSession):
    def onConnect(self):
        self.join(self.config.realm, ["ticket"], "joe")
    def onChallenge(self, challenge):
        return "secret"
    @inlineCallbacks
    def onJoin(self, details):
        yield self.register(lambda: [details.authid, details.authrole], "com.example.own")

class Failing(ApplicationSession):
    def onJoin(self, details):
        raise RuntimeError("not today")

class Busy(ApplicationSession):
    def onJoin(self, details):
        print("busy")
        while True:
            pass

def joined(session, details):
    return session.register(lambda: details.authrole, "com.example.role")
`,
};

const component = (classname: string, more: object = {}): Part => ({
  ...{
    type: 'class',
    classname: `backend.${classname}`,
    id: classname.toLowerCase(),
    realm: 'realm1',
    transport: rawsocket(),
  },
  ...more,
});

function configOf(components: readonly Part[], options: object = {}, transports: readonly object[] = []): object {
  const realm = { name: 'realm1', roles: ['anonymous', 'backend'].map((name) => ({ name, permissions: ALLOW_ALL })) };
  const config = nodeConfig({
    realms: [realm],
    transports: [
      { type: 'web', id: 'web', endpoint: WEB, paths: { ws: { type: 'websocket', auth: AUTH } } },
      { type: 'rawsocket', id: 'raw', endpoint: RAW, auth: AUTH },
      ...transports,
    ],
  }) as { workers: object[] };
  const container = {
    type: 'container',
    id: 'box',
    options: { python: PYTHON, pythonpath: ['.'], ...options },
    components,
  };
  return {
    ...config,
    controller: { options: { shutdown: 'shutdown_on_shutdown_requested' } },
    workers: [...config.workers, container],
  };
}

async function started(
  components: readonly Part[],
  options: object = {},
  transports: readonly object[] = [],
): Promise<Daemon> {
  const daemon = await startDaemon({
    cbdir: directoryWith(PYTHON_FILES),
    config: configOf(components, options, transports),
  });
  daemons.push(daemon);
  return daemon;
}

/** What is told of a node while it runs, beside what its config could have better. */
const problemsIn = (daemon: Daemon): readonly LogRecord[] =>
  daemon.logs.filter(({ level, msg }) => ['warn', 'error'].includes(level) && msg !== 'config warning');
const of = (id: string, msg: string) => (record: LogRecord) => record.msg === msg && record['component'] === id;

async function called(daemon: Daemon, procedure: string, args: readonly unknown[] = []): Promise<readonly unknown[]> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'));
  return client.ask([48, 1, {}, procedure, args]);
}

describeNeeds('python3-autobahn, python3-twisted, python3-cbor2 and python3-openssl', hasAutobahn)(
  'components of Python in a container',
  () => {
    it('call each other through the node, over WebSocket and RawSocket, and share a process', async () => {
      const daemon = await started([
        component('Adder', { transport: websocket() }),
        component('Caller', { extra: { more: 40 } }),
      ]);
      expect((await called(daemon, 'com.example.total'))[3]).toEqual([42]);
      expect((await called(daemon, 'com.example.who'))[3]).toMatchObject([{ 1: 'anonymous' }]);
      const { pid } = await daemon.waitForLog('component host started');
      expect((await called(daemon, 'com.example.pid'))[3]).toEqual([pid]);
      expect(await daemon.stop()).toBe(0);
      expect(isAlive(Number(pid))).toBe(false);
      expect(problemsIn(daemon)).toEqual([]);
    });

    it.each([
      ['anonymous', { anonymous: { authid: 'joe' } }, 'anonymous'],
      ['ticket', { ticket: { authid: 'joe', ticket: 'secret' } }, 'backend'],
      ['wampcra', { wampcra: { authid: 'joe', secret: 'secret' } }, 'backend'],
      ['cryptosign', { cryptosign: { authid: 'joe', privkey: PRIVATE } }, 'backend'],
      ['scram', { scram: { authid: 'joe', password: 'the secret of joe' } }, 'backend'],
    ])('prove who they are: %s', async (method, auth, role) => {
      const daemon = await started([component('Adder', { auth })]);
      expect((await called(daemon, 'com.example.who'))[3]).toMatchObject([{ 1: role, 2: method }]);
    });

    it('log in by themselves, where the config says nothing of it', async () => {
      const daemon = await started([component('Ticket', { transport: websocket({ serializers: ['msgpack'] }) })]);
      expect((await called(daemon, 'com.example.own'))[3]).toEqual([['joe', 'backend']]);
    });

    it('may be functions', async () => {
      const auth = { ticket: { authid: 'joe', ticket: 'secret' } };
      const part = {
        type: 'function',
        id: 'hooks',
        realm: 'realm1',
        callbacks: { join: 'backend.joined' },
        transport: rawsocket(),
        auth,
      };
      const daemon = await started([part]);
      expect((await called(daemon, 'com.example.role'))[3]).toEqual(['backend']);
    });

    it.each([
      ['import', { classname: 'nobody.Adder' }, 'there is no module "nobody"'],
      ['import', { classname: 'backend.Nobody' }, 'has no "Nobody"'],
      ['connect', { transport: rawsocket({ endpoint: { type: 'unix', path: 'nobody.sock' } }) }, 'nobody.sock'],
      [
        'connect',
        { transport: { type: 'websocket', url: 'ws://127.0.0.1:1/' } },
        'connection refused: nobody listens there',
      ],
      ['connect', { transport: websocket({ url: 'ws://localhost/elsewhere' }) }, '404'],
      ['connect', { transport: rawsocket({ endpoint: WEB }) }, 'the server'],
      ['join', { realm: 'nowhere' }, 'wamp.error.no_such_realm'],
      ['join', { auth: { ticket: { authid: 'joe', ticket: 'wrong' } } }, 'wamp.error.'],
      ['onJoin', { classname: 'backend.Failing' }, 'RuntimeError: not today'],
    ])('fail in their stage %s with one line: %j', async (stage, part, problem) => {
      const daemon = await started([component('Adder', { id: 'bad', ...part })]);
      const record = await daemon.waitForLog(of('bad', 'component failed'));
      expect(record).toMatchObject({ level: 'error', worker: 'box', stage });
      expect(record['problem']).toContain(problem);
      expect(await called(daemon, 'wamp.session.count')).toMatchObject({ 0: 50 });
    });

    it('are started again with restart-on-failed when their process has died', async () => {
      const daemon = await started([component('Adder')], { restart: 'restart-on-failed' });
      const { pid: first } = await daemon.waitForLog('component host started');
      void called(daemon, 'com.example.crash');
      await daemon.waitForLog(({ msg, pid }) => msg === 'component host started' && pid !== first);
      await daemon.waitForLog(() => daemon.logs.filter(of('adder', 'component started')).length === 2);
      expect((await called(daemon, 'com.example.add', [1, 2]))[3]).toEqual([3]);
    });

    it('are gone when the node was killed, also one that is busy', async () => {
      const daemon = await started([component('Busy')]);
      const { pid } = await daemon.waitForLog('component host started');
      await daemon.waitForLog(({ line }) => line === 'busy');
      await daemon.kill();
      await untilGone([Number(pid)]);
    });
  },
);

describeNeeds('python3-autobahn and openssl', hasAutobahn && HAS_OPENSSL)('components of Python over TLS', () => {
  let certificates: Certificates;
  beforeAll(() => (certificates = new Certificates(temporaryDirectory())));

  /** A node with a WebSocket and a RawSocket on TLS, of which the second asks for certificates; and one component. */
  async function secured(kind: 'websocket' | 'rawsocket', tls: object): Promise<Daemon> {
    const [web = 0, raw = 0] = await freePorts(2);
    const file = (name: string): string => certificates.file(name);
    const own = {
      key: file('server.key'),
      certificate: file('server.pem'),
      chain_certificates: [file('intermediate.pem')],
    };
    const listeners = [
      { type: 'websocket', id: 'wss', endpoint: { ...LOOPBACK, port: web, tls: own } },
      {
        type: 'rawsocket',
        id: 'rss',
        endpoint: { ...LOOPBACK, port: raw, tls: { ...own, ca_certificates: [file('root.pem')] } },
      },
    ];
    const endpoint = { type: 'tcp', host: '127.0.0.1', port: kind === 'websocket' ? web : raw, tls };
    const transport =
      kind === 'websocket' ? { type: kind, url: `wss://localhost:${web}/`, endpoint } : { type: kind, endpoint };
    return started([component('Adder', { transport })], {}, listeners);
  }
  const files = (names: readonly string[]): string[] => names.map((name) => certificates.file(name));

  it('trust whom the config names', async () => {
    const daemon = await secured('websocket', { hostname: 'localhost', ca_certificates: files(['root.pem']) });
    expect((await called(daemon, 'com.example.add', [1, 2]))[3]).toEqual([3]);
  });

  it('show a certificate of their own', async () => {
    const [certificate, key] = files(['client.pem', 'client.key']);
    const daemon = await secured('rawsocket', {
      hostname: 'localhost',
      ca_certificates: files(['root.pem']),
      certificate,
      key,
    });
    expect((await called(daemon, 'com.example.add', [1, 2]))[3]).toEqual([3]);
  });

  it.each([
    ['a stranger', 'websocket', { ca: ['stranger.pem'], hostname: 'localhost' }, 'certificate verify failed'],
    ['another name', 'websocket', { ca: ['root.pem'], hostname: 'example.com' }, 'example.com'],
    ['one who wants a certificate', 'rawsocket', { ca: ['root.pem'], hostname: 'localhost' }, ''],
    [
      'a file that is not there',
      'websocket',
      { ca: ['nobody.pem'], hostname: 'localhost' },
      'nobody.pem cannot be read: No such file or directory',
    ],
  ] as const)('do not connect to %s', async (_, kind, { ca, hostname }, problem) => {
    const daemon = await secured(kind, { hostname, ca_certificates: files(ca) });
    const record = await daemon.waitForLog(of('adder', 'component failed'));
    expect(record).toMatchObject({ stage: 'connect' });
    expect(record['problem']).toContain(problem);
    expect(await called(daemon, 'wamp.session.count')).toMatchObject({ 0: 50 });
  });
});
