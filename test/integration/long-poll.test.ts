/** Long-poll with the real daemon: autobahn-js as it comes from npm, and raw requests, right and wrong. */
import autobahn from 'autobahn';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { XMLHttpRequest } from 'xhr2';
import { runCli, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { httpRequest, LongPollClient } from '../support/long-poll-client.js';
import type { HttpAnswer } from '../support/long-poll-client.js';
import { mailbox } from '../support/mailbox.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
import { cookieValue, WampClient, within } from '../support/wamp-client.js';

const TOPIC = 'com.example.topic';
const PROCEDURE = 'com.example.procedure';
const TICKET = 'the ticket of joe';
const MEMBER = { name: 'member', permissions: ALLOW_ALL };
const SITE = 'https://app.example.com';

const SHORT = { request_timeout: 1, session_timeout: 2 };
const AUTH = {
  anonymous: { type: 'static', role: 'member' },
  ticket: { type: 'static', principals: { joe: { ticket: TICKET, role: 'member' } } },
  cookie: { type: 'static' },
};
const COOKIE = { store: { type: 'file', filename: 'cookies.dat' } };

let daemon: Daemon;
const open: { close(): unknown }[] = [];
autobahn.log.warn = () => undefined;
beforeAll(async () => {
  Object.assign(globalThis, { XMLHttpRequest });
  const options = { ...SHORT, hello_timeout: 60_000, allowed_origins: ['self', SITE] };
  daemon = await startDaemon({
    args: ['--loglevel', 'debug'],
    config: nodeConfig({
      realms: [{ name: 'realm1', roles: [MEMBER] }, openRealm('realm2')],
      websocket: { auth: AUTH },
      transport: { cookie: COOKIE },
      paths: {
        lp: { type: 'longpoll', auth: AUTH, options },
        // A thousand at once take their time.
        crowd: { type: 'longpoll', auth: AUTH, options: { ...options, session_timeout: 10 } },
        small: { type: 'longpoll', auth: AUTH, options: { ...SHORT, queue_limit_messages: 3, max_message_size: 2048 } },
      },
    }),
  });
});
afterAll(async () => {
  await daemon.dispose();
  Object.assign(globalThis, { XMLHttpRequest: undefined });
});
afterEach(() => {
  for (const each of open.splice(0)) void each.close();
});

interface Ended {
  readonly reason: string;
  readonly details: autobahn.CloseDetails;
}

interface Joined {
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails;
  readonly ended: Promise<Ended>;
}

/** Opens a connection of autobahn-js that does not retry. @throws when it ends before the session is open. */
async function join(parts: object = {}, transports?: readonly object[]): Promise<Joined> {
  const connection = new autobahn.Connection({
    realm: 'realm1',
    transports: transports ?? [{ type: 'longpoll', url: daemon.url('/lp') }],
    max_retries: 0,
    on_internal_error: (error) => {
      throw error;
    },
    ...parts,
  });
  let isOver = false;
  open.push({ close: () => isOver || connection.close() });
  let end: (ended: Ended) => void;
  const ended = new Promise<Ended>((resolve) => (end = resolve));
  const opened = new Promise<Omit<Joined, 'ended'>>((resolve, reject) => {
    connection.onopen = (session, details) => resolve({ session, details });
    connection.onclose = (reason, details) => {
      isOver = true;
      reject(new Error(`${reason}: ${String(details.reason)}`));
      end({ reason, details });
      return true;
    };
  });
  connection.open();
  return { ...(await within(opened, 'session of autobahn-js')), ended };
}

async function raw(options: Partial<Parameters<typeof LongPollClient.connect>[0]> = {}): Promise<LongPollClient> {
  const client = await LongPollClient.connect({ port: daemon.port, path: '/lp', ...options });
  open.push(client);
  return client;
}

function post(urlPath: string, body?: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  return httpRequest({ port: daemon.port, host: '127.0.0.1', path: urlPath, method: 'POST', headers }, body);
}

/** Polls and hangs up before the node can answer: it reads the request when the connection has been reset already. */
async function pollAndHangUp({ id }: LongPollClient): Promise<void> {
  const socket = connect(daemon.port, '127.0.0.1');
  const head = 'HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
  socket.write(`OPTIONS /lp/open ${head}`);
  await once(socket, 'data');
  daemon.signal('SIGSTOP');
  try {
    while (!/^\d+ \(.*\) T /.test(readFileSync(`/proc/${daemon.pid}/stat`, 'utf8')));
    await new Promise((resolve) => socket.write(`POST /lp/${id}/receive ${head}`, resolve));
    const closed = once(socket, 'close');
    socket.resetAndDestroy();
    await closed;
  } finally {
    daemon.signal('SIGCONT');
  }
}

/** What was answered to polls, when there are so many. */
async function receives({ answers }: LongPollClient, count: number): Promise<number[]> {
  for (;;) {
    const statuses = answers.filter(({ word }) => word === 'receive').map(({ status }) => status);
    if (statuses.length >= count) return statuses;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const OPEN = JSON.stringify({ protocols: ['wamp.2.json'] });
const idOf = ({ body }: HttpAnswer): string => (JSON.parse(body.toString()) as { transport: string }).transport;

describe('autobahn-js', () => {
  it('subscribes, publishes, registers and calls, with progressive results', async () => {
    const [one, other] = [await join(), await join()];
    const events = mailbox<unknown>();
    await one.session.subscribe(TOPIC, (args) => events.put(args));
    await other.session.publish(TOPIC, ['é', 1], { k: null }, { acknowledge: true });
    expect(await events.take()).toEqual(['é', 1]);
    await one.session.register(PROCEDURE, (args, _kwargs, { progress }) => {
      progress?.([1]);
      return args[0];
    });
    expect(await other.session.call(PROCEDURE, ['x'])).toBe('x');
    await expect(other.session.call('com.example.none')).rejects.toMatchObject({
      error: 'wamp.error.no_such_procedure',
    });
  });

  it('gets progressive results of a callee on a WebSocket in their order', async () => {
    const callee = await WampClient.connect(daemon.url('/ws', 'ws'));
    open.push({ close: () => callee.close() });
    await callee.hello();
    await callee.ask([64, 1, {}, `${PROCEDURE}.progressive`]);
    const { session } = await join();
    const progress: unknown[] = [];
    const call = session.call(`${PROCEDURE}.progressive`, [], {}, { receive_progress: true });
    const done = call.progress((value) => progress.push(value));
    const [, invocation] = await callee.next();
    for (let i = 0; i < 10; i++) callee.send([70, invocation, { progress: true }, [i]]);
    callee.send([70, invocation, {}, ['end']]);
    expect(await done).toBe('end');
    expect(progress).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('keeps the order of 500 events', async () => {
    const [one, other] = [await join(), await join()];
    const got: number[] = [];
    const all = new Promise<void>((resolve) => {
      void one.session.subscribe(TOPIC, ([number]) => {
        if (got.push(number as number) === 500) resolve();
      });
    });
    await one.session.call('com.example.none').catch(() => undefined);
    for (let i = 0; i < 500; i++) other.session.publish(TOPIC, [i]);
    await within(all, '500 events', 60_000);
    expect(got).toEqual([...got].sort((a, b) => a - b));
  });

  it('stays while it is idle for longer than a request, and a session, may take', async () => {
    const { session } = await join();
    const id = session.id;
    const marker = await raw();
    await marker.hello();
    // Three polls of this one without a message: three seconds.
    const polls = () => marker.answers.filter(({ word, status }) => word === 'receive' && status === 204).length;
    while (polls() < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(session.isOpen).toBe(true);
    expect(await session.call('wamp.session.get', [id])).toMatchObject({
      session: id,
      transport: { channel_type: 'tcp', channel_framing: 'longpoll', channel_serializer: 'json' },
    });
  });

  it('hears of a kill, and does not retry', async () => {
    const [killer, victim] = [await join(), await join({ max_retries: -1 })];
    await killer.session.call('wamp.session.kill', [victim.session.id], { reason: 'com.example.enough' });
    const { reason, details } = await victim.ended;
    expect([reason, details.reason]).toEqual(['closed', 'com.example.enough']);
  });

  it('leaves with GOODBYE, behind what it sent before', async () => {
    const [one, leaving] = [await join(), await join()];
    const events = mailbox<unknown>();
    await one.session.subscribe(TOPIC, ([number]) => events.put(number));
    for (let i = 0; i < 20; i++) leaving.session.publish(TOPIC, [i]);
    open.at(-1)?.close();
    expect((await leaving.ended).reason).toBe('closed');
    for (let i = 0; i < 20; i++) expect(await events.take()).toBe(i);
  });

  it('is told that there is no such realm, and that its ticket is wrong', async () => {
    await expect(join({ realm: 'com.example.nowhere' })).rejects.toThrow('closed: wamp.error.no_such_realm');
    const wrong = { authid: 'joe', authmethods: ['ticket'], onchallenge: () => 'wrong' };
    await expect(join(wrong)).rejects.toThrow(/^closed: wamp\.error\./);
    const { details } = await join({ ...wrong, onchallenge: () => TICKET });
    expect(details).toMatchObject({ authid: 'joe', authmethod: 'ticket' });
  });

  it('is what a page goes on with where WebSockets are blocked', async () => {
    const blocked = [{ type: 'websocket', url: daemon.url('/nowhere', 'ws') }];
    await expect(join({}, blocked)).rejects.toThrow('unreachable');
    const { session } = await join();
    expect(await session.call('wamp.session.get', [session.id])).toMatchObject({
      transport: { channel_framing: 'longpoll' },
    });
  });

  it('is seen by the command for sessions', async () => {
    const { session } = await join();
    const { stdout } = await runCli(['sessions', 'list', '--cbdir', daemon.cbdir]);
    expect(stdout).toMatch(new RegExp(`${session.id} .* longpoll `));
  });

  it('comes back to a node that was started again', async () => {
    const node = await startDaemon({
      config: nodeConfig({
        transport: { endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' } },
        paths: { lp: { type: 'longpoll' } },
      }),
    });
    const joins = mailbox<autobahn.Session>();
    const connection = new autobahn.Connection({
      realm: 'realm1',
      transports: [{ type: 'longpoll', url: node.url('/lp') }],
      max_retries: -1,
      initial_retry_delay: 0.05,
      max_retry_delay: 0.05,
    });
    connection.onopen = (session) => joins.put(session);
    connection.open();
    await joins.take();
    const again = await node.restart();
    const session = await joins.take();
    await expect(session.call('wamp.session.count')).resolves.toBe(1);
    connection.onclose = () => true;
    connection.close();
    await again.dispose();
  });
});

describe('cookies', () => {
  it('one browser has one identity, by WebSocket and by long-poll', async () => {
    const client = await raw();
    const cookie = cookieValue(String(client.handshake.headers['set-cookie']));
    const headers = { cookie: `cbtid=${cookie}` };
    const authidOf = (welcome: readonly unknown[]) => (welcome[2] as { authid: string }).authid;
    const hello = [1, 'realm1', { roles: { caller: {} }, authmethods: ['anonymous'] }];
    const polled = authidOf(await client.ask(hello));
    const webSocket = await WampClient.connect(daemon.url('/ws', 'ws'), { headers });
    open.push({ close: () => webSocket.close() });
    expect(authidOf(await webSocket.ask(hello))).toBe(polled);
    const again = await raw({ headers });
    expect(again.handshake.headers['set-cookie']).toBeUndefined();
    expect(authidOf(await again.ask(hello))).toBe(polled);
  });

  it('a login gets a new id with the next answer, and a logout takes the cookie away', async () => {
    const first = await raw();
    const planted = cookieValue(String(first.handshake.headers['set-cookie']));
    const client = await raw({ headers: { cookie: `cbtid=${planted}` } });
    await client.ask([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }]);
    expect((await client.ask([5, TICKET, {}]))[0]).toBe(2);
    const told = () => client.answers.flatMap(({ headers }) => headers['set-cookie'] ?? []);
    while (told().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const renewed = cookieValue(told()[0] ?? '');
    expect(renewed).not.toBe(planted);
    client.headers = { cookie: `cbtid=${renewed}` };
    const byCookie = await raw({ headers: client.headers });
    expect(await byCookie.ask([1, 'realm1', { roles: { caller: {} }, authmethods: ['cookie'] }])).toMatchObject([
      2,
      expect.any(Number),
      { authid: 'joe', authprovider: 'cookie' },
    ]);
    client.send([6, {}, 'wamp.close.logout']);
    expect((await client.next())[0]).toBe(6);
    expect((await byCookie.next()).slice(0, 3)).toMatchObject([6, {}, 'wamp.close.logout']);
    await client.close();
    expect(told().at(-1)).toMatch(/^cbtid=; .*(Max-Age=0|Expires=Thu, 01 Jan 1970)/);
  });

  it('no cookie is demanded of the other requests', async () => {
    const client = await raw();
    client.headers = {};
    expect((await client.hello()).sessionId).toBeGreaterThan(0);
  });
});

describe('pages of other origins', () => {
  const FOREIGN = { origin: 'https://evil.example.com', 'content-type': 'text/plain' };

  it('are refused before anything is done, whatever they ask', async () => {
    const client = await raw();
    await client.hello();
    for (const [word, body] of [['open', OPEN], [`${client.id}/send`, '[3,{},"x"]'], [`${client.id}/close`]] as const) {
      const { status, headers } = await post(`/lp/${word}`, body, FOREIGN);
      expect([status, headers['access-control-allow-origin'], headers['set-cookie']]).toEqual([
        403,
        undefined,
        undefined,
      ]);
    }
    expect((await client.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
  });

  it('may ask where they are named, and read each answer', async () => {
    const preflight = await httpRequest({
      ...{ port: daemon.port, path: '/lp/open', method: 'OPTIONS' },
      headers: { origin: SITE, 'access-control-request-headers': 'content-type' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': SITE,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
    });
    for (const [word, expected] of [
      ['open', 200],
      ['unknown/send', 404],
      ['x/y/z', 404],
    ] as const) {
      const { status, headers } = await post(`/lp/${word}`, OPEN, { origin: SITE });
      expect([status, headers['access-control-allow-origin']]).toEqual([expected, SITE]);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
      expect(headers['cache-control']).toContain('no-store');
    }
  });
});

describe('requests', () => {
  it.each([
    ['', 'the body is not JSON'],
    ['{', 'the body is not JSON'],
    ['[]', 'the body is no JSON object with a list'],
    ['{"protocols":"wamp.2.json"}', '"protocols" is no list of texts'],
    ['{"protocols":[1]}', '"protocols" is no list of texts'],
    ['{"protocols":["wamp.1","mqtt"]}', 'none of the "protocols" is spoken here (spoken: wamp.2.json,'],
  ])('a handshake of %j gets 400', async (body, text) => {
    const { status, body: answer } = await post('/lp/open', body);
    expect([status, answer.toString().includes(text)]).toEqual([400, true]);
  });

  it('the first subprotocol counts that is spoken, and queries are ignored', async () => {
    const { status, headers, body } = await post(
      '/lp/open?x=1',
      '{"protocols":["wamp.3","wamp.2.cbor.batched","wamp.2.json"]}',
    );
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body.toString())).toEqual({
      transport: expect.stringMatching(/^[\w-]{24}$/) as string,
      protocol: 'wamp.2.cbor.batched',
    });
  });

  it('what is no message gets 400, and ABORT', async () => {
    const client = await raw();
    await client.hello();
    const { status, body } = await client.request('send', 'hello?');
    expect([status, body.toString()]).toEqual([400, expect.stringContaining('JSON')]);
    expect(await client.next()).toMatchObject([3, {}, 'wamp.error.protocol_violation']);
  });

  it('other methods get 405', async () => {
    const { id } = await raw();
    for (const [method, urlPath] of [
      ['GET', `/lp/${id}`],
      ['GET', '/lp'],
      ['PUT', `/lp/${id}/send`],
    ] as const) {
      const { status, headers } = await httpRequest({ port: daemon.port, path: urlPath, method });
      expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS']);
    }
  });

  it('a second poll ends the first with 204', async () => {
    const client = await raw();
    await client.hello();
    client.pause();
    // Besides the client's own poll, which is under way: two of the three end, and the last one waits for what comes.
    const polls = [client.request('receive'), client.request('receive')];
    await receives(client, 3);
    client.send([32, 1, {}, TOPIC]);
    await Promise.all(polls);
    expect((await receives(client, 4)).sort()).toEqual([200, 200, 204, 204]);
  });

  it('/close ends the poll with 204 first, and the id is over', async () => {
    const client = await raw();
    await client.hello();
    client.pause();
    const poll = client.request('receive');
    // Of the client's own poll and this one, one has ended: so the other waits.
    expect(await receives(client, 2)).toEqual([200, 204]);
    expect((await client.request('close')).status).toBe(204);
    await poll;
    expect(await receives(client, 3)).toEqual([200, 204, 204]);
    for (const word of ['send', 'receive']) {
      expect((await post(`/lp/${client.id}/${word}`, '[]')).status).toBe(404);
    }
  });

  it('a client that hangs up while it polls loses nothing', async () => {
    const [client, publisher] = [await raw(), await raw()];
    await publisher.hello();
    await client.hello();
    const [, , subscription] = await client.ask([32, 1, {}, TOPIC]);
    client.pause();
    const publish = async (number: number): Promise<void> => {
      expect((await publisher.ask([16, number + 1, { acknowledge: true }, TOPIC, [number]]))[0]).toBe(17);
    };
    // The first poll finds nothing and waits; each of the others comes for what waits.
    for (let i = 0; i < 20; i++) {
      await pollAndHangUp(client);
      await publish(i);
    }
    await pollAndHangUp(client);
    client.resume();
    for (let i = 0; i < 20; i++) {
      const [type, to, , , args] = await client.next();
      expect([type, to, args]).toEqual([36, subscription, [i]]);
    }
    await publish(20);
    expect((await client.next())[4]).toEqual([20]);
  });

  it('a client that makes no request any more is gone after a while', async () => {
    const [client, other] = [await raw(), await raw()];
    await other.hello();
    await other.ask([32, 1, {}, 'wamp.session.on_leave']);
    const { sessionId } = await client.hello();
    client.pause();
    expect((await other.next())[4]).toMatchObject([sessionId, expect.any(String), expect.any(String)]);
    await daemon.waitForLog('no request in time, connection dropped');
  });

  it('queue_limit_messages and max_message_size hold', async () => {
    const [client, publisher] = [await raw({ path: '/small' }), await raw()];
    await publisher.hello();
    const { sessionId } = await client.hello();
    await client.ask([32, 1, {}, TOPIC]);
    client.pause();
    for (let i = 1; i <= 10; i++) await publisher.ask([16, i, { acknowledge: true }, TOPIC]);
    await daemon.waitForLog(({ msg, sessionId: id }) => msg === 'slow consumer disconnected' && id === sessionId);
    expect((await client.request('send', '[]')).status).toBe(404);
    const large = await raw({ path: '/small' });
    await large.hello();
    const { status } = await large.request('send', JSON.stringify([16, 1, {}, TOPIC, ['x'.repeat(4096)]]));
    expect(status).toBe(413);
    await large.closed;
  });

  it('a thousand clients at once, half of them broken, leave nothing behind', async () => {
    const agent = new Agent({ keepAlive: true });
    const send = (urlPath: string, body?: string): Promise<HttpAnswer> =>
      httpRequest({ port: daemon.port, host: '127.0.0.1', path: urlPath, method: 'POST', agent }, body);
    const run = async (number: number): Promise<void> => {
      const id = idOf(await send('/crowd/open', OPEN));
      const base = `/crowd/${id}`;
      if (number % 4 === 1) {
        await send(`${base}/send`, '[1,"realm1"');
        return;
      }
      await send(`${base}/send`, JSON.stringify([1, 'realm1', { roles: { subscriber: {} } }]));
      const socket = connect(daemon.port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (number % 4 === 2) {
        socket.end(`POST ${base}/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[`);
        return;
      }
      socket.destroy();
      expect((await send(`${base}/receive`)).status).toBe(200);
      if (number % 4 === 3) await send(`${base}/send`, '[32,1,{},"com.example.topic"]');
      expect((await send(`${base}/close`)).status).toBe(204);
    };
    await Promise.all(Array.from({ length: 1000 }, (_, number) => run(number)));
    agent.destroy();
    const asker = await raw();
    await asker.hello();
    const count = async (): Promise<unknown> =>
      ((await asker.ask([48, 1, {}, 'wamp.session.count'])) as [0, 0, 0, [number]])[3];
    let left = await count();
    while ((left as [number])[0] > 1) left = await count();
    expect(left).toEqual([1]);
  });
});

it('no id and no cookie stand in the log', async () => {
  const client = await raw();
  await client.hello();
  await client.request('send', 'nonsense');
  await httpRequest({ port: daemon.port, path: `/lp/${client.id}`, method: 'GET' });
  await post(`/lp/${client.id}/send?x=1`, 'x', { origin: 'https://evil.example.com' });
  await client.closed;
  await daemon.waitForLog(({ msg, path: shown }) => msg === 'request' && shown === '/lp/…/close');
  const cookie = cookieValue(String(client.handshake.headers['set-cookie']));
  expect(daemon.output).not.toContain(client.id);
  expect(daemon.output).not.toContain(cookie);
  expect(readFileSync(path.join(daemon.cbdir, 'cookies.dat'), 'utf8')).toContain(cookie);
});
