/** autobahn-js as it comes from npm, in Node.js, against the daemon: what an application does, and a thousand of it. */
import autobahn from 'autobahn';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
import { cookieValue, WampClient, within } from '../support/wamp-client.js';

const THOUSAND = 1000;

interface Joined {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails;
  readonly closed: Promise<{ readonly reason: string; readonly details: autobahn.CloseDetails }>;
}

let daemon: Daemon;
let open: autobahn.Connection[] = [];
// It tells the console about every closed connection; there are thousands here.
autobahn.log.warn = () => undefined;
beforeAll(async () => {
  const store = { type: 'file', filename: 'cookies.dat' };
  const restricted = {
    name: 'restricted',
    roles: [
      { name: 'anonymous', permissions: [{ uri: 'com.example.allowed', allow: { subscribe: true, call: true } }] },
    ],
  };
  const disclosed = {
    name: 'disclosed',
    roles: [{ name: 'anonymous', permissions: [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }] }],
  };
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [openRealm('realm1'), restricted, disclosed],
      websocket: { cookie: { store } },
      paths: { memory: { type: 'websocket' } },
    }),
  });
});
afterAll(() => daemon.dispose());
afterEach(() => {
  for (const connection of open) connection.close();
  open = [];
});

/** Opens a connection that does not retry. @throws when it ends before the session is open */
async function join(realm = 'realm1', { urlPath = '/memory', headers = {} } = {}): Promise<Joined> {
  const url = daemon.url(urlPath, 'ws');
  const connection = new autobahn.Connection({
    realm,
    transports: [{ type: 'websocket', url, headers }],
    max_retries: 0,
    use_es6_promises: true,
    on_user_error: () => undefined,
    on_internal_error: (error) => {
      throw error;
    },
  });
  let closed: Joined['closed'] | undefined;
  const opened = new Promise<Omit<Joined, 'closed'>>((resolve, reject) => {
    closed = new Promise((resolveClosed) => {
      connection.onclose = (reason, details) => {
        open = open.filter((other) => other !== connection);
        reject(new Error(`${reason}: ${String(details.reason)} ${String(details.message)}`));
        resolveClosed({ reason, details });
        return true;
      };
    });
    connection.onopen = (session, details) => {
      open.push(connection);
      resolve({ connection, session, details });
    };
  });
  connection.open();
  const joined = await within(opened, 'session of autobahn-js', 60_000);
  return { ...joined, closed: closed! };
}

describe('autobahn-js', () => {
  it('joins and is told who it is', async () => {
    const { session, details } = await join();
    expect(details).toMatchObject({
      realm: 'realm1',
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
    });
    expect(Number.isSafeInteger(session.id)).toBe(true);
  });

  it('subscribes, publishes, unsubscribes', async () => {
    const [a, b] = [await join(), await join()];
    const events = mailbox<readonly unknown[]>();
    const subscription = await a.session.subscribe('com.example.topic', (args, kwargs, details) =>
      events.put([args, kwargs, details.topic, details.publication]),
    );
    const publication = await b.session.publish(
      'com.example.topic',
      [1, 'zwei', null],
      { k: [true] },
      { acknowledge: true },
    );
    expect(await events.take()).toEqual([[1, 'zwei', null], { k: [true] }, 'com.example.topic', publication.id]);
    await a.session.publish('com.example.topic', ['not to me'], {}, { acknowledge: true });
    await a.session.publish('com.example.topic', ['to me'], {}, { acknowledge: true, exclude_me: false });
    expect((await events.take())[0]).toEqual(['to me']);
    await a.session.unsubscribe(subscription);
    expect(subscription.active).toBe(false);
    await b.session.publish('com.example.topic', ['to nobody'], {}, { acknowledge: true });
  });

  it('registers, calls, unregisters; results are values, lists and dictionaries', async () => {
    const [callee, caller] = [await join(), await join()];
    const registration = await callee.session.register('com.example.add', (args, kwargs) => {
      if (args.length === 1) return args[0];
      return args.length === 0 ? undefined : new autobahn.Result([...args].reverse(), kwargs);
    });
    expect(await caller.session.call('com.example.add', [42])).toBe(42);
    expect(await caller.session.call('com.example.add')).toBeNull();
    expect(await caller.session.call('com.example.add', [1, 2], { k: 'v' })).toMatchObject({
      args: [2, 1],
      kwargs: { k: 'v' },
    });
    const many = await Promise.all(Array.from({ length: 100 }, (_, i) => caller.session.call('com.example.add', [i])));
    expect(many).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await callee.session.unregister(registration);
    await expect(caller.session.call('com.example.add', [1])).rejects.toMatchObject({
      error: 'wamp.error.no_such_procedure',
    });
  });

  it('gets errors: those of the callee with args and kwargs, and those of the router', async () => {
    const [callee, caller] = [await join(), await join()];
    await callee.session.register('com.example.fail', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- autobahn's way to choose the error's URI
      throw new autobahn.Error('com.example.error.too_big', ['why', 7], { limit: 5 });
    });
    await expect(caller.session.call('com.example.fail')).rejects.toMatchObject({
      error: 'com.example.error.too_big',
      args: ['why', 7],
      kwargs: { limit: 5 },
    });
    const rejected = async (promise: Promise<unknown>, error: string): Promise<void> => {
      await expect(promise).rejects.toMatchObject({ error });
    };
    await rejected(
      caller.session.register('com.example.fail', () => 1),
      'wamp.error.procedure_already_exists',
    );
    await rejected(caller.session.call('com.example..fail'), 'wamp.error.invalid_uri');
    await rejected(
      caller.session.subscribe('com.example. fail', () => undefined),
      'wamp.error.invalid_uri',
    );
    await rejected(caller.session.publish('wamp.mine', [], {}, { acknowledge: true }), 'wamp.error.invalid_uri');
  });

  it('is told what its role may not do', async () => {
    const { session } = await join('restricted');
    const denied = { error: 'wamp.error.not_authorized' };
    await expect(session.subscribe('com.example.denied', () => undefined)).rejects.toMatchObject(denied);
    await expect(session.register('com.example.allowed', () => 1)).rejects.toMatchObject(denied);
    await expect(session.publish('com.example.allowed', [], {}, { acknowledge: true })).rejects.toMatchObject(denied);
    await expect(session.call('com.example.denied')).rejects.toMatchObject(denied);
    await expect(session.call('com.example.allowed')).rejects.toMatchObject({ error: 'wamp.error.no_such_procedure' });
    await session.subscribe('com.example.allowed', () => undefined);
  });

  it('sees caller and publisher where the realm discloses them, and nowhere else', async () => {
    for (const [realm, shown] of [
      ['disclosed', true],
      ['realm1', false],
    ] as const) {
      const [a, b] = [await join(realm), await join(realm)];
      const {
        session: { id },
        details: { authid },
      } = b;
      const events = mailbox<autobahn.EventDetails>();
      await a.session.subscribe('com.example.topic', (_args, _kwargs, details) => events.put(details));
      await a.session.register('com.example.who', (_args, _kwargs, details) => [
        details.caller,
        details.caller_authid,
        details.caller_authrole,
      ]);
      b.session.publish('com.example.topic');
      const nobody = [undefined, undefined, undefined];
      const { publisher, publisher_authid, publisher_authrole } = await events.take();
      expect([publisher, publisher_authid, publisher_authrole]).toEqual(shown ? [id, authid, 'anonymous'] : nobody);
      expect(await b.session.call('com.example.who')).toEqual(shown ? [id, authid, 'anonymous'] : [null, null, null]);
    }
  });

  it('closes its session the orderly way, and hears why it cannot join', async () => {
    const { connection, closed } = await join();
    connection.close('wamp.close.normal', 'done');
    const { reason, details } = await within(closed, 'end of the connection');
    expect([reason, details.reason]).toEqual(['closed', 'wamp.close.goodbye_and_out']);
    await expect(join('no.such.realm')).rejects.toThrow('wamp.error.no_such_realm');
  });

  it('hears a GOODBYE when the node shuts down', async () => {
    const other = await startDaemon({ config: nodeConfig() });
    const connection = new autobahn.Connection({
      realm: 'realm1',
      url: other.url('/ws', 'ws'),
      max_retries: 0,
      use_es6_promises: true,
    });
    const ended = new Promise<string | null>((resolve) => {
      connection.onclose = (_reason, details) => {
        resolve(details.reason);
        return true;
      };
      connection.onopen = () => other.signal('SIGTERM');
    });
    connection.open();
    expect(await within(ended, 'GOODBYE')).toBe('wamp.close.system_shutdown');
    expect((await other.exited).code).toBe(0);
    await other.dispose();
  });
});

describe('a thousand concurrent connections', () => {
  const fileIds = (): string[] =>
    readFileSync(path.join(daemon.cbdir, 'cookies.dat'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { cbtid: string }).cbtid);

  it('of WebSockets: as many distinct cookies, each of them in the file exactly once', async () => {
    const clients = await Promise.all(
      Array.from({ length: THOUSAND }, () => WampClient.join(daemon.url('/ws', 'ws'), 'realm1')),
    );
    expect(clients.every((client) => client.isOpen)).toBe(true);
    const cookies = clients.map(({ handshake }) => cookieValue(handshake.setCookie[0] ?? ''));
    expect(new Set(cookies).size).toBe(THOUSAND);
    expect(clients.map(({ welcome }) => welcome.authid)).toEqual(cookies);
    expect(fileIds().sort()).toEqual(cookies.sort());
    await Promise.all(clients.map((client) => client.leave()));
  });

  it(
    'of autobahn-js: as many distinct identities, all of them new in the file, and all of them reachable',
    { timeout: 120_000 },
    async () => {
      const before = new Set(fileIds());
      const joined = await Promise.all(Array.from({ length: THOUSAND }, () => join('realm1', { urlPath: '/ws' })));
      const authids = joined.map(({ details }) => details.authid);
      expect(new Set(authids).size).toBe(THOUSAND);
      expect(
        fileIds()
          .filter((id) => !before.has(id))
          .sort(),
      ).toEqual(authids.sort());

      const heard = mailbox<number>();
      await Promise.all(joined.map(({ session }, i) => session.subscribe('com.example.all', () => heard.put(i))));
      await joined[0]!.session.publish('com.example.all', [], {}, { acknowledge: true, exclude_me: false });
      const listeners = new Set<number>();
      while (listeners.size < THOUSAND) listeners.add(await heard.take());
      expect(open).toHaveLength(THOUSAND);
      await Promise.all(
        joined.map(({ connection, closed }) => {
          connection.close();
          return within(closed, 'end of a connection', 60_000);
        }),
      );
    },
  );

  it('comes back with its cookie: the same authid', async () => {
    // From version 22 on Node has a WebSocket of its own. autobahn-js takes it for a browser's, which sets no headers.
    vi.stubGlobal('WebSocket', undefined);
    Reflect.deleteProperty(globalThis, 'WebSocket');
    const first = await join('realm1', { urlPath: '/ws' });
    const headers = { Cookie: `cbtid=${first.details.authid}` };
    const again = await join('realm1', { urlPath: '/ws', headers });
    vi.unstubAllGlobals();
    expect(again.details.authid).toBe(first.details.authid);
  });
});
