/**
 * Authenticators in the real daemon: a procedure of a component, of a client, a function of a module; and what becomes of
 * clients when they are dead, slow, lying or crashing.
 */
import autobahn from 'autobahn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL } from '../support/node-config.js';
import { configWith, directoryWith } from '../support/node-directory.js';
import { WampClient } from '../support/wamp-client.js';
import type { WampClientOptions } from '../support/wamp-client.js';

/** Knows the sessions of a web application by their cookie: `sid=SESSION OF joe`. */
const MODULES = {
  'component.mjs': `
    export default async function (session, { log, CallError }) {
      await session.register('com.app.by_cookie', ([realm, authid, details]) => {
        const { session: id, authmethod, transport } = details;
        log.info({ asked: { realm, authid, id, authmethod, peer: transport.peer } }, 'asked');
        const [, name] = /(?:^|; )sid=([a-z]+)/.exec(transport.http_headers_received.cookie ?? '') ?? [];
        if (name === undefined) throw new CallError('com.app.error.not_logged_in', ['please log in first']);
        return { role: 'user', authid: name, extra: { cookie: transport.http_cbtid } };
      });
      await session.register('com.app.slow', (_args, _kwargs, { signal }) => {
        signal.addEventListener('abort', () => log.info('told to stop'));
        return new Promise(() => undefined);
      });
      await session.register('com.app.crashing', () => { throw new Error('the password is hunter2'); });
      const lies = {
        nothing: undefined, number: 7, empty: '', list: ['user'], norole: { authid: 'joe' }, role: { role: 7 },
        realm: { role: 'user', realm: 7 }, extra: { role: 'user', extra: 'x' },
        nosuchrole: 'admin', nosuchrealm: { role: 'user', realm: 'elsewhere' },
      };
      await session.register('com.app.lying', ([, , { authextra }]) => lies[authextra.lie]);
    }`,
  'function.mjs': `
    export async function authenticate(realm, authid, { authmethod, transport }) {
      if (transport.http_headers_received['x-secret'] === 'sesame') return { role: 'user', realm: 'realm1', authid: 'ali' };
      throw Object.assign(new Error('no'), { error: 'com.app.error.closed', args: ['the door is closed'] });
    }`,
};

const dynamic = (authenticator: string, more: object = {}) => ({
  type: 'websocket',
  auth: { anonymous: { type: 'dynamic', authenticator, 'authenticator-realm': 'realm1', ...more } },
});

let daemon: Daemon;
beforeAll(async () => {
  const realm = {
    name: 'realm1',
    roles: [
      { name: 'backend', permissions: ALLOW_ALL },
      { name: 'user', permissions: ALLOW_ALL },
      { name: 'mute', permissions: [] },
    ],
  };
  const paths = {
    cookie: { ...dynamic('com.app.by_cookie'), cookie: {} },
    external: dynamic('com.app.external'),
    slow: dynamic('com.app.slow'),
    crashing: dynamic('com.app.crashing'),
    lying: dynamic('com.app.lying'),
    mute: dynamic('com.app.by_cookie', { 'authenticator-role': 'mute' }),
    function: {
      type: 'websocket',
      auth: { anonymous: { type: 'function', module: './function.mjs', name: 'authenticate' } },
    },
  };
  const websocket = { auth: { anonymous: { type: 'static', role: 'backend' } } };
  const config = configWith([{ module: './component.mjs', role: 'backend' }], { realms: [realm], websocket, paths });
  daemon = await startDaemon({ cbdir: directoryWith(MODULES), config });
});
afterAll(() => daemon.dispose());

const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} };

/** The first message that a client gets for its HELLO. */
async function answerAt(path: string, options: WampClientOptions = {}, details: object = {}): Promise<unknown[]> {
  const client = await WampClient.connect(daemon.url(path, 'ws'), options);
  return client.ask([1, 'realm1', { roles: ROLES, ...details }]);
}

/** Whoever comes while there is nobody to decide: no ABORT, and a code after which clients come back. */
async function closedAt(path: string, details: object = {}): Promise<number> {
  const client = await WampClient.connect(daemon.url(path, 'ws'));
  client.send([1, 'realm1', { roles: ROLES, ...details }]);
  return (await client.closed).code;
}

const FAILED = [3, { message: 'the authenticator failed' }, 'wamp.error.authentication_failed'];

describe('an authenticator that is a component', () => {
  it("knows clients by their application's own session cookie", async () => {
    const [type, session, details] = await answerAt('/cookie', { headers: { cookie: 'a=b; sid=joe' } });
    expect([type, details]).toMatchObject([
      2,
      { realm: 'realm1', authid: 'joe', authrole: 'user', authmethod: 'anonymous', authprovider: 'dynamic' },
    ]);
    const asked = { realm: 'realm1', authid: null, id: session, authmethod: 'anonymous' };
    await expect(daemon.waitForLog('asked')).resolves.toMatchObject({ asked });
  });

  it('is shown the id of the tracking cookie, which nobody else is', async () => {
    const client = await WampClient.connect(daemon.url('/cookie', 'ws'), { headers: { cookie: 'sid=joe' } });
    const [, cbtid] = /^cbtid=([^;]+)/.exec(client.handshake.setCookie[0] ?? '') ?? [];
    const welcome = await client.ask([1, 'realm1', { roles: ROLES }]);
    expect(welcome[2]).toMatchObject({ authextra: { cookie: cbtid } });
    const shown = await client.ask([48, 1, {}, 'wamp.session.get', [welcome[1]]]);
    expect(JSON.stringify(shown)).not.toContain(cbtid);
  });

  it('denies in its own words', async () => {
    expect(await answerAt('/cookie')).toEqual([3, { message: 'please log in first' }, 'com.app.error.not_logged_in']);
  });

  it('lets nobody in when it crashes; its words stay in the log', async () => {
    expect(await answerAt('/crashing')).toEqual(FAILED);
    await daemon.waitForLog('authenticator failed, client refused');
  });

  it.each(['nothing', 'number', 'empty', 'list', 'norole', 'role', 'realm', 'extra'])(
    'lets nobody in when its answer is none: %s',
    async (lie) => {
      expect(await answerAt('/lying', {}, { authextra: { lie } })).toEqual(FAILED);
    },
  );

  it.each([
    ['nosuchrole', 'wamp.error.no_such_role'],
    ['nosuchrealm', 'wamp.error.no_such_realm'],
  ])('lets nobody in as what is not there: %s', async (lie, reason) => {
    expect((await answerAt('/lying', {}, { authextra: { lie } }))[2]).toBe(reason);
  });

  it('lets nobody in when the router may not ask it', async () => {
    expect(await answerAt('/mute', { headers: { cookie: 'sid=joe' } })).toEqual(FAILED);
    await daemon.waitForLog(({ fault }) => fault === 'role "mute" may not call "com.app.by_cookie"');
  });

  it('lets nobody in when it is slow; it is told to stop', async () => {
    expect(await closedAt('/slow')).toBe(1013);
    await daemon.waitForLog('told to stop');
    await daemon.waitForLog(({ fault }) => fault === 'no answer within 5000 ms');
  });

  it('is asked about many at a time, and each gets an answer of its own', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `joe${String.fromCharCode(97 + (index % 26))}`);
    const welcomes = await Promise.all(
      names.map((name) => answerAt('/cookie', { headers: { cookie: `sid=${name}` } })),
    );
    expect(welcomes.map(([, , details]) => (details as { authid: string }).authid)).toEqual(names);
  });
});

describe('an authenticator that is a client', () => {
  it('decides as long as it is there', async () => {
    expect(await closedAt('/external')).toBe(1013);
    autobahn.log.warn = () => undefined;
    const connection = new autobahn.Connection({
      realm: 'realm1',
      transports: [{ type: 'websocket', url: daemon.url('/ws', 'ws') }],
      max_retries: 0,
      use_es6_promises: true,
      on_user_error: () => undefined,
    });
    const session = await new Promise<autobahn.Session>((resolve) => {
      connection.onopen = resolve;
      connection.open();
    });
    await session.register('com.app.external', ([realm, authid, details]) => {
      const { authextra } = details as { authextra?: { name?: string } };
      if (authextra?.name === undefined)
        throw new autobahn.Error('com.app.error.nameless', ['who are you?']) as unknown as Error;
      return { role: 'user', realm, authid: authid ?? authextra.name };
    });
    const welcome = await answerAt('/external', {}, { authextra: { name: 'pat' } });
    expect(welcome[2]).toMatchObject({ authid: 'pat', authrole: 'user' });
    expect(await answerAt('/external')).toEqual([3, { message: 'who are you?' }, 'com.app.error.nameless']);
    const closed = new Promise((resolve) => (connection.onclose = () => (resolve(undefined), true)));
    connection.close();
    await closed;
    expect(await closedAt('/external', { authextra: { name: 'pat' } })).toBe(1013);
  });
});

describe('an authenticator that is a function', () => {
  it('lets in whom it knows, on the realm that it says', async () => {
    const [type, , details] = await answerAt('/function', { headers: { 'x-secret': 'sesame' } });
    expect([type, details]).toMatchObject([2, { authid: 'ali', authrole: 'user', authprovider: 'function' }]);
  });

  it('denies in its own words', async () => {
    expect(await answerAt('/function')).toEqual([3, { message: 'the door is closed' }, 'com.app.error.closed']);
  });

  it('must be there when the node starts', async () => {
    const auth = { anonymous: { type: 'function', module: './function.mjs' } };
    const config = configWith([], { websocket: { auth } });
    await expect(startDaemon({ cbdir: directoryWith(MODULES), config })).rejects.toThrow(
      'transport transport001 (/workers/0/transports/0): module "./function.mjs" exports no "default"',
    );
  });
});

it('nothing secret is in the log', () => {
  const lines = daemon.logs
    .filter(({ msg }) => msg !== 'endpoint of a component failed')
    .map((line) => JSON.stringify(line));
  for (const secret of ['hunter2', 'sesame', 'sid=']) expect(lines.join('\n')).not.toContain(secret);
});
