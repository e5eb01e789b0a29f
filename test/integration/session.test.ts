/**
 * The life of sessions as clients see it, beyond the recorded scenarios: several sessions on one connection, pipelines,
 * realms, ids, and payloads that come out as they went in.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';
import { ALL_ROLES, WampClient, within } from '../support/wamp-client.js';

let daemon: Daemon;
beforeAll(async () => {
  const anonymous = { type: 'static', realm: 'fixed', role: 'guest' };
  const fixed = { name: 'fixed', roles: [{ name: 'guest', 'allow-by-default': true }] };
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [openRealm('realm1'), openRealm('realm2'), fixed, { name: 'empty', roles: [] }],
      paths: { fixed: { type: 'websocket', auth: { anonymous } } },
    }),
  });
});
afterAll(() => daemon.dispose());
const join = (realm = 'realm1', urlPath = '/ws'): Promise<WampClient & { sessionId: number }> =>
  WampClient.join(daemon.url(urlPath, 'ws'), realm);
const connect = (): Promise<WampClient> => WampClient.connect(daemon.url('/ws', 'ws'));

describe('a connection', () => {
  it('carries one session after the other: new id, request ids from 1, nothing left of the first', async () => {
    const client = await connect();
    const first = await client.hello('realm1');
    const [, , subscription] = await client.ask([32, 1, {}, 'com.example.topic']);
    await client.ask([64, 2, {}, 'com.example.procedure']);
    expect(await client.ask([6, {}, 'wamp.close.normal'])).toEqual([6, {}, 'wamp.close.goodbye_and_out']);
    const second = await client.hello('realm2');
    expect(second.sessionId).not.toBe(first.sessionId);
    expect((await client.ask([34, 1, subscription]))[4]).toBe('wamp.error.no_such_subscription');
    const other = await join();
    expect((await other.ask([48, 1, {}, 'com.example.procedure']))[4]).toBe('wamp.error.no_such_procedure');
    await Promise.all([client.leave(), other.leave()]);
  });

  it('may send its requests right behind HELLO, without waiting', async () => {
    const client = await connect();
    client.send([1, 'realm1', { roles: ALL_ROLES }]);
    client.send([64, 1, {}, 'com.example.early']);
    client.send([48, 2, {}, 'com.example.early', ['x']]);
    expect((await client.next())[0]).toBe(2);
    expect((await client.next()).slice(0, 2)).toEqual([65, 1]);
    expect((await client.next()).slice(0, 2)).toEqual([68, 1]);
    await client.leave();
  });

  it('is closed after an ABORT of the client before HELLO, without an answer', async () => {
    const client = await connect();
    client.send([3, {}, 'wamp.close.normal']);
    await within(client.closed, 'close after ABORT');
    await expect(client.next()).rejects.toThrow('connection closed');
  });

  it('takes a request behind the GOODBYE for one before HELLO', async () => {
    const client = await join();
    client.send([6, {}, 'wamp.close.normal']);
    client.send([16, 1, {}, 'com.example.topic']);
    expect((await client.next())[0]).toBe(6);
    // A request without a session is a violation; that the session was there once changes nothing.
    expect((await client.next())[2]).toBe('wamp.error.protocol_violation');
  });
});

describe('joining', () => {
  it('announces only the features that are built', async () => {
    const client = await connect();
    const { welcome } = await client.hello();
    const announced = (features: readonly string[]) => ({
      features: Object.fromEntries(features.map((feature) => [feature, true])),
    });
    // No `event_history`: this realm has no store.
    expect(welcome['roles']).toEqual({
      broker: announced([
        'event_retention',
        'pattern_based_subscription',
        'payload_encryption_cryptobox',
        'payload_passthru_mode',
        'payload_transparency',
        'publisher_exclusion',
        'publisher_identification',
        'session_meta_api',
        'subscriber_blackwhite_listing',
        'subscription_meta_api',
        'subscription_revocation',
      ]),
      dealer: announced([
        'call_canceling',
        'call_reroute',
        'call_timeout',
        'caller_identification',
        'pattern_based_registration',
        'payload_passthru_mode',
        'progressive_call_invocations',
        'progressive_call_results',
        'registration_meta_api',
        'registration_revocation',
        'session_meta_api',
        'shared_registration',
        'testament_meta_api',
      ]),
    });
    await client.leave();
  });

  it.each<[why: string, details: object, reason: string]>([
    ['no method of the list is configured', { authmethods: ['wampcra', 'ticket'] }, 'wamp.error.no_auth_method'],
    ['the only method is an unknown word', { authmethods: ['nosuch'] }, 'wamp.error.no_auth_method'],
  ])('is denied when %s', async (_why, details, reason) => {
    const client = await connect();
    const answer = await client.ask([1, 'realm1', { roles: ALL_ROLES, ...details }]);
    expect([answer[0], answer[2]]).toEqual([3, reason]);
    await within(client.closed, 'close after ABORT');
  });

  it('is denied on a realm without the role', async () => {
    const client = await connect();
    const [type, , reason] = await client.ask([1, 'empty', { roles: ALL_ROLES }]);
    expect([type, reason]).toEqual([3, 'wamp.error.no_such_role']);
  });

  it('passes unknown methods, roles and features over', async () => {
    const client = await connect();
    const roles = { caller: { features: { x_mine: true } }, juggler: 7 };
    const [type] = await client.ask([1, 'realm1', { roles, authmethods: ['nosuch', 'anonymous'], x_mine: [] }]);
    expect(type).toBe(2);
    await client.leave();
  });

  it('goes to the realm and role of auth.anonymous, whatever the client asks for', async () => {
    const client = await WampClient.connect(daemon.url('/fixed', 'ws'));
    const { welcome } = await client.hello('realm1');
    expect([welcome['realm'], welcome.authrole]).toEqual(['fixed', 'guest']);
    await client.leave();
  });

  it('draws session and publication ids at random over the whole range', async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, () => join()));
    const ids = clients.map(({ sessionId }) => sessionId);
    for (let i = 0; i < 900; i++) {
      ids.push((await clients[0]!.ask([16, i + 1, { acknowledge: true }, 'com.example.topic']))[2] as number);
    }
    expect(new Set(ids).size).toBe(1000);
    expect(ids.filter((id) => !Number.isInteger(id) || id < 1 || id > 2 ** 53)).toEqual([]);
    // Half of the range holds half of the ids; beyond 350..650 lie less than one in 10^20 runs.
    const upper = ids.filter((id) => id > 2 ** 52).length;
    expect([upper > 350, upper < 650]).toEqual([true, true]);
    expect(ids.filter((id) => id % 2 === 0).length).toBeGreaterThan(350);
    await Promise.all(clients.map((client) => client.leave()));
  });
});

it('keeps realms apart', async () => {
  const [one, two] = [await join('realm1'), await join('realm2')];
  await one.ask([32, 1, {}, 'com.example.topic']);
  await one.ask([64, 2, {}, 'com.example.procedure']);
  expect((await two.ask([16, 1, { acknowledge: true }, 'com.example.topic']))[0]).toBe(17);
  expect((await two.ask([48, 2, {}, 'com.example.procedure']))[4]).toBe('wamp.error.no_such_procedure');
  expect((await two.ask([64, 3, {}, 'com.example.procedure']))[0]).toBe(65);
  // The next thing that the first session hears is the answer to its own request.
  expect((await one.ask([16, 3, { acknowledge: true }, 'com.example.other']))[0]).toBe(17);
  await Promise.all([one.leave(), two.leave()]);
});

describe('payloads', () => {
  const payloads = [
    '[1.0,-0.0,1e21,12345678901234567890,0.1000]',
    '[],{"z":1,"a":2,"10":3,"9":4}',
    '["\\u0000YWJj","\\ud800","€ 😀","\\u2028","\\/"]',
    '[{"a":1,"a":2}],{"__proto__":{"x":1},"constructor":null}',
    '[[[[[[[[]]]]]]],"]","[,",{"}":"{"}],{"]":"\\"]"}',
  ];

  it.each(payloads)('come out as they went in: %s', async (payload) => {
    const [sender, receiver] = [await join(), await join()];
    const [, , subscription] = await receiver.ask([32, 1, {}, 'com.example.payload']);
    const [, , registration] = await receiver.ask([64, 2, {}, 'com.example.payload']);
    sender.send(`[16,1,{},"com.example.payload",${payload}]`);
    const event = await receiver.nextText();
    expect(event.replace(/^\[36,\d+,\d+,\{\},/, `[36,${String(subscription)},0,{},`)).toBe(
      `[36,${String(subscription)},0,{},${payload}]`,
    );
    sender.send(` [ 48 , 2 , { "x" : [ "]" , {} ] } , "com.example.payload" , ${payload} ] `);
    const invocation = await receiver.nextText();
    expect(invocation.trim()).toMatch(new RegExp(`^\\[68,1,${String(registration)},\\{\\},`));
    expect(invocation).toContain(payload);
    receiver.send(`[70,1,{},${payload}]`);
    expect(await sender.nextText()).toBe(`[50,2,{},${payload}]`);
    sender.send(`[48,3,{},"com.example.payload"]`);
    await receiver.next();
    receiver.send(`[8,68,2,{},"com.example.error",${payload}]`);
    expect(await sender.nextText()).toBe(`[8,48,3,{},"com.example.error",${payload}]`);
    await Promise.all([sender.leave(), receiver.leave()]);
  });

  it('of 1 MiB and of 10,000 levels pass; one level is as good as another', async () => {
    const [sender, receiver] = [await join(), await join()];
    await receiver.ask([32, 1, {}, 'com.example.payload']);
    for (const value of [`"${'x'.repeat(1_000_000)}"`, `${'['.repeat(10_000)}${']'.repeat(10_000)}`]) {
      sender.send(`[16,1,{},"com.example.payload",[${value}]]`);
      expect((await receiver.nextText()).endsWith(`,{},[${value}]]`)).toBe(true);
    }
    await Promise.all([sender.leave(), receiver.leave()]);
  });

  it('keep their order: 2,000 events of two publishers, each in its own order', async () => {
    const [a, b, subscriber] = [await join(), await join(), await join()];
    await subscriber.ask([32, 1, {}, 'com.example.order']);
    for (let i = 0; i < 1000; i++) {
      a.send([16, i + 1, {}, 'com.example.order', ['a', i]]);
      b.send([16, i + 1, {}, 'com.example.order', ['b', i]]);
    }
    const next: Record<string, number> = { a: 0, b: 0 };
    for (let i = 0; i < 2000; i++) {
      const [from, number] = (await subscriber.next())[4] as [string, number];
      expect(number).toBe(next[from]);
      next[from] = number + 1;
    }
    await Promise.all([a.leave(), b.leave(), subscriber.leave()]);
  });
});
