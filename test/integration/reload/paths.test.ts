/** A reload adds, changes and removes paths: what goes is drained as by a node that stops, and nothing else ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LongPollClient } from '../../support/long-poll-client.js';
import {
  busyClients,
  CLOSED,
  configOf,
  DRAINED,
  expectServed,
  getFrom,
  joinAt,
  page,
  WEBSOCKET,
  webAt,
} from '../../support/changing-places.js';
import { ReloadedDaemon } from '../../support/reloading.js';

let node: ReloadedDaemon;
let one: number;
beforeAll(async () => {
  node = await ReloadedDaemon.start(([port = 0]) => configOf([webAt(port, { ws: WEBSOCKET })]), { portCount: 1 });
  [one = 0] = node.ports;
});
afterAll(() => node.dispose());

const take = (paths: object) => node.take(configOf([webAt(one, paths)]));

describe('paths', () => {
  it('come, change and go, and clients of others notice nothing', async () => {
    await take({ ws: WEBSOCKET, a: page('a'), b: page('b') });
    const client = await joinAt(one);
    await take({ ws: WEBSOCKET, a: page('other'), c: page('c') });
    expect(await Promise.all(['/a', '/b', '/c'].map((at) => getFrom(one, at)))).toEqual(['other', 404, 'c']);
    await expectServed(client, 1);
  });

  it('that go are drained: who is idle first, calls in flight are answered, callees last, without GOODBYE', async () => {
    await take({ ws: WEBSOCKET, old: WEBSOCKET });
    const staying = await joinAt(one);
    const { callee, caller, idle, answer } = await busyClients(one, '/old');
    await take({ ws: WEBSOCKET });
    expect(await idle.closed).toEqual(CLOSED);
    expect(await node.daemon.waitForLog(DRAINED)).toMatchObject({ connections: 3 });
    await expect(joinAt(one, '/old')).rejects.toMatchObject({ status: 404 });
    expect([callee.isOpen, caller.isOpen]).toEqual([true, true]);
    answer();
    expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
    expect(await Promise.all([caller.closed, callee.closed])).toEqual([CLOSED, CLOSED]);
    for (const client of [idle, caller, callee]) await client.silent();
    await expectServed(staying, 1);
  });

  it('are drained with the connections that came before an earlier reload', async () => {
    const at = (options: object): object => ({ ws: WEBSOCKET, old: { type: 'websocket', options } });
    await take(at({}));
    const first = await joinAt(one, '/old');
    await take(at({ hello_timeout: 7000 }));
    const second = await joinAt(one, '/old');
    await take(at({ hello_timeout: 8000 }));
    await expectServed(first, 1);
    await take({ ws: WEBSOCKET });
    expect(await Promise.all([first.closed, second.closed])).toEqual([CLOSED, CLOSED]);
  });

  it('may come back while their old connections are drained, and go again', async () => {
    const both = { ws: WEBSOCKET, old: WEBSOCKET };
    await take(both);
    const { callee, caller, idle, answer } = await busyClients(one, '/old');
    await take({ ws: WEBSOCKET });
    await idle.closed;
    await take(both);
    const newcomer = await joinAt(one, '/old');
    await expectServed(newcomer, 1);
    await take({ ws: WEBSOCKET });
    expect(await newcomer.closed).toEqual(CLOSED);
    answer();
    expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
    expect(await Promise.all([caller.closed, callee.closed])).toEqual([CLOSED, CLOSED]);
  });

  it('of long-polls are drained, too: a call in flight is answered by its callee, and heard of', async () => {
    await take({ ws: WEBSOCKET, lp: { type: 'longpoll' } });
    const [callee, caller] = await Promise.all([1, 2].map(() => LongPollClient.connect({ port: one, path: '/lp' })));
    if (callee === undefined || caller === undefined) throw new Error('no clients');
    await Promise.all([callee.hello(), caller.hello()]);
    await callee.ask([64, 1, {}, 'com.example.slow']);
    caller.send([48, 1, {}, 'com.example.slow']);
    const [, invocation] = await callee.next();
    await take({ ws: WEBSOCKET });
    await expect(LongPollClient.connect({ port: one, path: '/lp' })).rejects.toThrow('refused with 404');
    callee.send([70, invocation, {}, ['done']]);
    expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
    await Promise.all([callee.closed, caller.closed]);
    for (const { answers } of [callee, caller]) expect(answers.at(-1)).toMatchObject({ word: 'receive', status: 503 });
    expect((await callee.request('receive')).status).toBe(404);
  });

  it('that are drained end with the node that stops meanwhile', async () => {
    await take({ ws: WEBSOCKET, old: WEBSOCKET });
    const staying = await joinAt(one);
    const { callee, caller, idle, answer } = await busyClients(one, '/old');
    await take({ ws: WEBSOCKET });
    await idle.closed;
    node.daemon.signal('SIGTERM');
    expect(await staying.closed).toEqual(CLOSED);
    answer();
    expect(await caller.next()).toEqual([50, 1, {}, ['done']]);
    expect(await Promise.all([caller.closed, callee.closed])).toEqual([CLOSED, CLOSED]);
    expect(await node.daemon.exited).toEqual({ code: 0, signal: null });
  });
});
