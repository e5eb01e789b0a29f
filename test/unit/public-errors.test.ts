/** Every class of errors that can leave the public API can be imported from it. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import * as face from '../../src/index.js';
import { nodeDirectory, temporaryDirectory } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';

const SRC = path.resolve(import.meta.dirname, '../../src');

/** What stays inside: the class, where its way ends, and the code there that ends it. */
const INSIDE: Readonly<Record<string, readonly (readonly [file: string, code: string])[]>> = {
  ArchiveError: [
    ['webservice/archive/source.ts', 'throw new Error(cannotServe(config, cause), { cause })'],
    ['http/dispatch.ts', 'this.#fail(error, request.req, res)'],
  ],
  ActionDenied: [['router/request-error.ts', 'instanceof ActionDenied']],
  AnswerFault: [['auth/dynamic/answer.ts', 'instanceof AnswerFault']],
  AuthenticatorRefusal: [['auth/dynamic/answer.ts', 'instanceof AuthenticatorRefusal']],
  AuthorizerFault: [['session/authorizer/authorization.ts', 'instanceof AuthorizerFault']],
  CallFault: [
    ['auth/dynamic/authenticator.ts', 'instanceof CallFault'],
    ['session/authorizer/authorization.ts', 'instanceof CallFault'],
  ],
  ConnectError: [['remote/hosted-module.ts', 'messageOf(error)']],
  DatabaseLost: [['cookie/database/store.ts', 'failed: messageOf(err)']],
  EngineError: [
    ['cluster/realm-events.ts', 'instanceof EngineError'],
    ['cluster/directory/registrations.ts', 'instanceof EngineError'],
  ],
  FileLost: [['cookie/file/cookie-file.ts', 'instanceof FileLost']],
  KeyFileError: [
    ['auth/jwt/look.ts', 'instanceof KeyFileError'],
    ['worker/router-worker.ts', 'new WorkerError'],
  ],
  KeySetError: [['auth/jwt/key-set.ts', 'this.#sayFailed(error']],
  KeysMissing: [['auth/jwt/issuer.ts', 'instanceof KeysMissing']],
  ListenError: [
    ['worker/router-worker.ts', 'new WorkerError'],
    ['node/control.ts', 'instanceof ListenError'],
  ],
  LockHeldError: [
    ['node/pidfile.ts', 'instanceof LockHeldError'],
    ['cookie/file/store.ts', 'throw cannotOpen'],
  ],
  LogoutTokenError: [['webservice/login/providers/backchannel.ts', 'instanceof LogoutTokenError']],
  ModuleError: [['worker/router-worker.ts', 'new WorkerError']],
  BadRecord: [['system/stream/stream-end.ts', 'instanceof BadRecord']],
  TurnedAway: [
    ['transport/apart/entrance.ts', 'instanceof TurnedAway'],
    ['transport/websocket/upgrades.ts', 'instanceof TurnedAway'],
  ],
  PacketError: [['mqtt/packets/packet-inbox.ts', 'instanceof PacketError']],
  PayloadError: [
    ['mqtt/event-frames.ts', 'instanceof PayloadError'],
    ['mqtt/mqtt-session.ts', 'instanceof PayloadError'],
    ['mqtt/client.ts', 'instanceof PayloadError'],
  ],
  OptionalPackageError: [
    ['cookie/database/engine.ts', 'new CookieStoreError'],
    ['worker/router-worker.ts', 'new WorkerError'],
    ['webservice/login/providers/look.ts', 'instanceof OptionalPackageError'],
    ['webservice/upload/look.ts', 'instanceof OptionalPackageError'],
  ],
  RefusedUpload: [
    ['webservice/upload/upload.ts', 'instanceof RefusedUpload'],
    ['webservice/upload/form.ts', 'instanceof RefusedUpload'],
  ],
  PrivatePlaceError: [['webservice/static/root.ts', 'instanceof PrivatePlaceError']],
  ProtocolViolation: [
    ['session/session.ts', 'instanceof ProtocolViolation'],
    ['client/local-transport.ts', 'instanceof ProtocolViolation'],
  ],
  ProviderAnswerError: [['webservice/login/providers/failure.ts', 'instanceof ProviderAnswerError']],
  ReplaceError: [['cli/upgrade.ts', 'new NodeError']],
  RequestFailed: [
    ['component/rest/callee.ts', 'instanceof RequestFailed'],
    ['component/rest/forwarder.ts', 'messageOf(error)'],
  ],
  StoreUnavailable: [['auth/session/session.ts', 'instanceof StoreUnavailable']],
  TlsFileError: [['worker/router-worker.ts', 'new WorkerError']],
  WampError: [['router/realm.ts', 'instanceof WampError']],
  WorkerError: [['node/node.ts', 'instanceof WorkerError']],
};

/** @returns the names of all classes that extend Error, or one that does. */
function errorClasses(): string[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(path.join(SRC, file), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(/^(?:export )?class (\w+) extends \w*(?:Error|Fault|Lost|Refusal|Violation)\b/gm)].map(
      ([, name = '']) => name,
    ),
  );
}

function isErrorClass(value: unknown): value is new (...args: never[]) => Error {
  return typeof value === 'function' && value.prototype instanceof Error;
}

const PUBLIC = Object.values(face).filter(isErrorClass);

describe('a class of errors', () => {
  it('is exported, or its way ends inside', () => {
    const found = errorClasses();
    expect(found.length).toBeGreaterThan(10);
    expect(found.sort()).toEqual([...PUBLIC.map(({ name }) => name), ...Object.keys(INSIDE)].sort());
  });

  it.each(Object.entries(INSIDE))('%s ends where it is said to end', (_name, ends) => {
    const missing = ends.filter(([file, code]) => !readFileSync(path.join(SRC, file), 'utf8').includes(code));
    expect(missing).toEqual([]);
  });
});

/** Fails to start a node. */
const start = (options: face.NodeOptions) => async (): Promise<unknown> => {
  const node = await face.startNode(options);
  await node.stop();
  return undefined;
};

/** Uses a node and fails. */
const use = (config: object, act: (node: face.Node) => Promise<unknown>) => async (): Promise<unknown> => {
  const node = await face.startNode({ cbdir: temporaryDirectory(), config });
  try {
    return await act(node);
  } finally {
    await Promise.allSettled([node.stop()]);
  }
};

const withCookies = (filename: string): object =>
  nodeConfig({ websocket: { cookie: { store: { type: 'file', filename } } } });
const withAuth = (auth: object): object => nodeConfig({ websocket: { auth } });
const missing = '/nowhere/at/all';

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** @returns what it rejects with. */
async function failureOf(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

describe('the public API', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    ['a config that is missing', 'ERR_CONFIG_MISSING', start({ cbdir: temporaryDirectory() })],
    ['a config that is wrong', 'ERR_CONFIG_INVALID', start({ config: { version: 1 } })],
    ['a directory that is missing', 'ERR_NODE_DIRECTORY', start({ cbdir: missing })],
    [
      'a run directory that cannot be made',
      'ERR_NODE_DIRECTORY',
      start({ config: nodeConfig(), rundir: path.join(import.meta.filename, 'x') }),
    ],
    [
      'a directory that is taken',
      'ERR_NODE_RUNNING',
      use(nodeConfig(), ({ summary: { cbdir } }) => face.startNode({ cbdir, config: nodeConfig() })),
    ],
    [
      'a port that is taken',
      'ERR_NODE_START',
      async () =>
        start({ config: nodeConfig({ transport: { endpoint: { ...LOOPBACK, port: await takenPort() } } }) })(),
    ],
    [
      'a certificate that is no certificate',
      'ERR_NODE_START',
      start({
        config: nodeConfig({
          transport: {
            endpoint: { ...LOOPBACK, tls: { certificate: import.meta.filename, key: import.meta.filename } },
          },
        }),
      }),
    ],
    [
      'a module that is missing',
      'ERR_NODE_START',
      start({ config: withAuth({ ticket: { type: 'function', module: './missing.js' } }) }),
    ],
    [
      'a component that is missing',
      'ERR_NODE_START',
      start({
        config: {
          version: 2,
          workers: [
            {
              type: 'router',
              realms: [{ name: 'realm1', roles: [{ name: 'r' }] }],
              transports: [{ type: 'rawsocket', serializers: ['json'], endpoint: LOOPBACK }],
              components: [{ type: 'module', module: './missing.js', realm: 'realm1', role: 'r' }],
            },
          ],
        },
      }),
    ],
    ['a cookie file in no directory', 'ERR_NODE_START', start({ config: withCookies(`${missing}/cookies.dat`) })],
    [
      'a cookie file that another node has',
      'ERR_NODE_START',
      use(withCookies('c.dat'), ({ summary: { cookieStores } }) =>
        face.startNode({ config: withCookies(String(cookieStores[0]?.filename)) }),
      ),
    ],
    [
      'a cookie store that cannot be closed',
      'ERR_COOKIE_STORE',
      use(withCookies('c.dat'), (node) => {
        const lock = path.join(node.summary.cbdir, 'c.dat.lock');
        rmSync(lock);
        mkdirSync(lock);
        return node.stop();
      }),
    ],
    [
      'a realm that is missing',
      'wamp.error.no_such_realm',
      use(nodeConfig(), (node) => node.connect('x', { role: 'anonymous' })),
    ],
    [
      'a procedure that is missing',
      'wamp.error.no_such_procedure',
      use(nodeConfig(), async (node) => (await node.connect('realm1', { role: 'anonymous' })).call('com.example.x')),
    ],
    [
      'a node that was stopped',
      'ERR_NODE_STOPPED',
      use(nodeConfig(), async (node) => {
        await node.stop();
        return node.connect('realm1', { role: 'anonymous' });
      }),
    ],
  ])('%s: %s', async (_what, expected, act) => {
    const error = await failureOf(act);
    expect(PUBLIC).toContain((error as Error).constructor);
    expect(error instanceof face.CallError ? error.error : (error as { code: string }).code).toBe(expected);
  });

  it('rejects with the reason of the signal as it is', async () => {
    const reason = new Error('not today');
    const signal = AbortSignal.abort(reason);
    expect(await failureOf(start({ cbdir: nodeDirectory(nodeConfig()), signal }))).toBe(reason);
  });
});
