/** Who is on a node, asked through the control socket: large answers, slow readers, askers that go away, and what is refused. */
import { connect } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { silentLogger } from '../../../src/log/logger.js';
import { CONTROL_FILE, ControlClient, ControlServer } from '../../../src/node/control.js';
import { paced } from '../../../src/node/paced.js';
import { RemoteSessions, sessionRequests } from '../../../src/node/session-control.js';
import type { ListedSession, ServedRealm } from '../../../src/node/session-control.js';
import { Realm } from '../../../src/router/realm.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../support/realm.js';

/** A realm of a worker with so many sessions, in which kills need no turns. */
function servedRealm(worker: string, name: string, count = 0) {
  let lastId = 0;
  const scheduler = { elapsed: () => 0, after: (_ms: number, then: () => void) => (then(), () => undefined) };
  const clock = new FakeClock();
  const deps = { randomId: () => ++lastId, nextRouterId: () => ++lastId, clock: () => clock.now, scheduler };
  const realm = new Realm({ name, roles: [ALLOW_ALL] }, deps);
  const role = realm.role('anonymous');
  if (role === undefined) throw new Error('the role of the test is not there');
  const join = (id: number) => new ScriptedSession(realm, id, role);
  for (let id = 1; id <= count; id++) join(id);
  return { worker, realm, join, inventory: realm.inventory };
}

async function serve(...realms: readonly ServedRealm[]) {
  const cbdir = temporaryDirectory();
  const handlers = sessionRequests(() => realms, silentLogger());
  const server = await ControlServer.start({ cbdir, handlers, log: silentLogger() });
  onTestFinished(() => server?.stop());
  const client = await ControlClient.connect(cbdir);
  if (client === undefined) throw new Error('nobody listens');
  onTestFinished(() => client.close());
  return { cbdir, client, sessions: new RemoteSessions(client) };
}

async function listed(sessions: RemoteSessions, choice: Parameters<RemoteSessions['list']>[0] = {}) {
  const found: ListedSession[] = [];
  await sessions.list(choice, (session) => void found.push(session));
  return found.map(({ worker, realm, session }) => `${worker} ${realm} ${session}`);
}

/** Sends a request, and reads nothing of the answer. */
function ask(cbdir: string, request: object) {
  const socket = connect(path.join(cbdir, CONTROL_FILE));
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write(`${JSON.stringify(request)}\n`);
  return socket;
}

describe('a long list', () => {
  it('is complete, and says nothing of listeners that are forgotten', async () => {
    const forgotten: Error[] = [];
    // Other warnings are those of other tests in this thread.
    const onWarning = (warning: Error): void => {
      if (warning.name === 'MaxListenersExceededWarning') forgotten.push(warning);
    };
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const { sessions } = await serve(servedRealm('worker001', 'realm1', 20_000));
    let count = 0;
    // Others get their turn between two entries: the node has to wait for this reader again and again.
    await sessions.list({}, async () => {
      if (++count % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    });
    expect(count).toBe(20_000);
    expect(forgotten).toEqual([]);
  });

  it('lets others have their turn', async () => {
    let turns = 0;
    let seen = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    for await (const n of paced(Array.from({ length: 100 }, (_, at) => at))) {
      for (const until = performance.now() + 2; performance.now() < until;) seen = n;
    }
    isOver = true;
    expect(seen).toBe(99);
    expect(turns).toBeGreaterThan(5);
  });

  it('waits for a reader that is slow, and leaves out who has gone meanwhile', async () => {
    const served = servedRealm('worker001', 'realm1', 20_000);
    const { cbdir } = await serve(served);
    let shown = 0;
    const { inventory } = served;
    const session = inventory.session.bind(inventory);
    let isStuck: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => (isStuck = resolve));
    let seen = -1;
    inventory.session = (id) => (shown++, session(id));
    const watch = setInterval(() => {
      if (shown > 0 && shown === seen) isStuck();
      seen = shown;
    }, 50);
    onTestFinished(() => clearInterval(watch));
    const socket = ask(cbdir, { do: 'sessions.list' });
    await stuck;
    expect(shown).toBeLessThan(10_000);
    served.realm.close();
    let text = '';
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    socket.resume().end();
    await once(socket, 'close');
    const lines = text.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('{"done":null}');
    expect(lines.length - 1).toBeLessThanOrEqual(shown);
    expect(lines.length - 1).toBeLessThan(10_000);
  });

  it('ends when its reader has gone', async () => {
    const served = servedRealm('worker001', 'realm1', 20_000);
    const { cbdir, sessions } = await serve(served);
    let shown = 0;
    const { inventory } = served;
    const session = inventory.session.bind(inventory);
    inventory.session = (id) => (shown++, session(id));
    const socket = ask(cbdir, { do: 'sessions.list' });
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (shown > 0) resolve();
        else setImmediate(look);
      };
      look();
    });
    socket.destroy();
    await once(socket, 'close');
    // Answered behind it, by the same node, which has forgotten the other one.
    expect(await listed(sessions, { id: 1 })).toHaveLength(1);
    expect(shown).toBeLessThan(20_000);
  });
});

describe('several realms', () => {
  const made = async () => {
    const realms = [
      servedRealm('worker001', 'realm1', 2),
      servedRealm('worker001', 'realm2', 1),
      servedRealm('worker002', 'realm1'),
    ] as const;
    realms[2].join(7);
    return { realms, ...(await serve(...realms)) };
  };

  it('are listed one after the other, or as many as are meant', async () => {
    const { sessions } = await made();
    const [a1, a2, b1, c7] = [
      ...['worker001 realm1 1', 'worker001 realm1 2', 'worker001 realm2 1', 'worker002 realm1 7'],
    ];
    expect(await listed(sessions)).toEqual([a1, a2, b1, c7]);
    expect(await listed(sessions, { realm: 'realm1' })).toEqual([a1, a2, c7]);
    expect(await listed(sessions, { realm: 'realm1', worker: 'worker002' })).toEqual([c7]);
    expect(await listed(sessions, { worker: 'worker001' })).toEqual([a1, a2, b1]);
    expect(await listed(sessions, { id: 1 })).toEqual([a1, b1]);
    expect(await listed(sessions, { id: 99 })).toEqual([]);
    expect(await listed(sessions, { authid: 'authid2' })).toEqual([a2]);
    expect(await listed(sessions, { authrole: 'nobody' })).toEqual([]);
  });

  it('have to be told apart before anybody is killed', async () => {
    const { sessions, realms } = await made();
    const several = 'this node has several realms: say --realm with one of "realm1", "realm2"';
    const workers = 'several workers have a realm "realm1": say --worker with one of worker001, worker002';
    await expect(sessions.kill({ authid: 'authid1' })).rejects.toThrow(several);
    await expect(sessions.kill({ authrole: 'anonymous' })).rejects.toThrow(several);
    await expect(sessions.kill({ all: true })).rejects.toThrow('"all" needs the name of the realm');
    await expect(sessions.kill({ all: true, realm: 'realm1' })).rejects.toThrow(workers);
    await expect(sessions.kill({ id: 1 })).rejects.toThrow(several);
    expect(realms.map(({ realm }) => realm.size.sessions)).toEqual([2, 1, 1]);
    expect(await sessions.kill({ id: 7 })).toEqual({ killed: 1, parts: [] });
    expect(await sessions.kill({ id: 1, realm: 'realm2' })).toEqual({ killed: 1, parts: [] });
    expect(await sessions.kill({ authid: 'authid9', realm: 'realm2' })).toEqual({ killed: 0, parts: [] });
    expect(await sessions.kill({ all: true, realm: 'realm1', worker: 'worker001' })).toEqual({ killed: 2, parts: [] });
    expect(realms.map(({ realm }) => realm.size.sessions)).toEqual([0, 0, 0]);
  });

  it('and what is not there is refused', async () => {
    const { sessions, client } = await made();
    const refused = async (request: Promise<unknown>, text: string) => expect(request).rejects.toThrow(text);
    const there = 'no realm "realm3" is on this node: there are "realm1", "realm2"';
    await refused(listed(sessions, { realm: 'realm3' }), there);
    await refused(
      listed(sessions, { worker: 'worker003' }),
      'no worker "worker003" with realms is on this node: there are worker001, worker002',
    );
    await refused(sessions.get(99, {}), 'there is no session 99');
    await refused(sessions.kill({ id: 99 }), 'there is no session 99');
    await refused(sessions.kill({ id: 7, authid: 'x' }), 'say which sessions are meant');
    await refused(sessions.kill({}), 'say which sessions are meant');
    await refused(sessions.kill({ id: 7, reason: 'no uri' }), 'invalid reason URI "no uri"');
    await refused(client.ask('sessions.get', {}), '"id" is missing');
    await refused(client.ask('sessions.list', { id: '1' }), '"id" must be a number');
    await refused(client.ask('registrations.list', { uri: 1 }), '"uri" must be a text');
    await refused(
      client.ask('sessions.admire', {}),
      'this node does not know the request "sessions.admire": it is of an older version than this command',
    );
  });
});
