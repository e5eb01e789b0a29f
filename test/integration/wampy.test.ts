/**
 * wampy as it comes from npm, in Node.js, against the daemon: a script of features, in every serializer. What wampy 8 cannot
 * do at all is a table in `test/support/client-features.ts`. Beyond that:
 *
 * - Every PUBLISH asks for an acknowledgement.
 * - It announces no revocation, so the router does not tell it of one. It would pass over an UNSUBSCRIBED or UNREGISTERED
 *   with request id 0, for want of a request with that number. Having lost a registration, it refuses to register the
 *   same procedure again, until `unregister` or a new connection.
 * - `progressiveCall` ends its session: the router takes a feature that was not announced for a broken protocol.
 * - `unsubscribe` of a subscription that has options throws inside, after the router has done it; it never settles.
 * - `getSessionId` and ids in payloads are BigInt in MessagePack. In JSON it has no byte strings.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Wampy } from 'wampy';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { WebSocket } from 'ws';
import { BUILT } from '../support/built.js';
import { AUTHORIZER, featureNode, scriptProblems } from '../support/client-features.js';
import type { Feature } from '../support/client-features.js';
import { mailbox } from '../support/mailbox.js';
import type { Place } from '../support/place.js';
import { startPlace } from '../support/place.js';
import { WampClient, within } from '../support/wamp-client.js';

type Details = Readonly<Record<string, unknown>>;
interface Event {
  readonly details: Details;
  readonly argsList?: unknown[];
  readonly argsDict?: Record<string, unknown>;
}

const SERIALIZERS = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

/** The same with numbers for what msgpackr reads as BigInt: integers of 64 bits, which ids are. */
function numbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(numbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, numbers(inner)]));
}

/** The same, with one class for what the serializers of wampy read byte strings as. */
function plain(values: readonly unknown[] = []): unknown {
  return values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : numbers(value)));
}

let place: Place;
let open: Wampy[] = [];
beforeAll(async () => {
  place = await startPlace(featureNode());
});
afterAll(() => place.dispose());
afterEach(async () => {
  await Promise.all(open.map((client) => client.disconnect()));
  open = [];
});

interface Joined {
  readonly client: Wampy;
  readonly id: number;
  readonly authid: string;
}

describe.each(BUILT.wampy)('wampy, %s', (serializer) => {
  async function join(realm = 'realm1', urlPath = '/ws'): Promise<Joined> {
    const client = new Wampy(place.next(realm).url(urlPath, 'ws'), {
      realm,
      serializer: new SERIALIZERS[serializer](),
      // Of payloads in passthru mode, whatever the messages around them are in.
      payloadSerializers: { json: new JsonSerializer() },
      autoReconnect: false,
      uriValidation: 'loose',
      ws: WebSocket as unknown as NonNullable<ConstructorParameters<typeof Wampy>[1]>['ws'] & object,
    });
    const welcome = (await within(client.connect(), 'session of wampy')) as Details;
    open.push(client);
    return { client, id: Number(client.getSessionId()), authid: String(welcome['authid']) };
  }
  const value = async (call: Promise<Event>): Promise<unknown> => numbers((await within(call, 'result')).argsList?.[0]);
  const refused = (call: Promise<unknown>, errorUri: string): Promise<void> =>
    expect(call).rejects.toMatchObject({ errorUri });

  /** Values are the same after they were published, and after they were called with and came back. */
  async function thereAndBack(values: readonly unknown[]): Promise<void> {
    const [a, b] = [await join(), await join()];
    const events = mailbox<Event>();
    await a.client.subscribe('com.example.values', (event) => events.put(event));
    await b.client.publish('com.example.values', [...values]);
    expect(plain((await events.take()).argsList)).toEqual(values);
    await a.client.register('com.example.echo', ({ argsList = [] }) => ({ argsList }));
    expect(plain((await b.client.call('com.example.echo', [...values])).argsList)).toEqual(values);
  }

  async function cancels(mode: 'skip' | 'kill' | 'killnowait'): Promise<void> {
    const [callee, caller] = [await join(), await join()];
    const invoked = mailbox<(value: null) => void>();
    await callee.client.register('com.example.never', () => new Promise<null>((resolve) => invoked.put(resolve)));
    const call = caller.client.call('com.example.never');
    const { reqId } = caller.client.getOpStatus();
    const finish = await invoked.take();
    caller.client.cancel(reqId, { mode });
    await refused(call, 'wamp.error.canceled');
    // What the callee says later is for nobody, and both sessions go on.
    finish(null);
    await callee.client.register('com.example.alive', () => ({ argsList: ['alive'] }));
    expect(await value(caller.client.call('com.example.alive'))).toBe('alive');
  }

  const script: Readonly<Partial<Record<Feature, () => Promise<void>>>> = {
    session: async () => {
      const { client, id } = await join();
      expect(Number.isSafeInteger(id)).toBe(true);
      await within(client.disconnect(), 'end of the session');
      expect(client.getSessionId()).toBeFalsy();
      await expect(join('no.such.realm')).rejects.toThrow();
    },
    session_reuse: async () => {
      // wampy closes its connection with the session; the object opens another.
      const { client, id } = await join();
      const events = mailbox<unknown>();
      await within(client.disconnect(), 'end of the session');
      await within(client.connect(), 'second session');
      const again = Number(client.getSessionId());
      expect(again).not.toBe(id);
      await client.subscribe('com.example.topic', ({ argsList }) => events.put(argsList));
      await (await join()).client.publish('com.example.topic', ['again']);
      expect(await events.take()).toEqual(['again']);
    },
    permissions: async () => {
      const { client } = await join('restricted');
      const denied = 'wamp.error.not_authorized';
      await refused(
        client.subscribe('com.example.denied', () => undefined),
        denied,
      );
      await refused(
        client.register('com.example.allowed', () => null),
        denied,
      );
      await refused(client.publish('com.example.allowed', []), denied);
      await refused(client.call('com.example.denied'), denied);
      await refused(client.call('com.example.allowed'), 'wamp.error.no_such_procedure');
      await client.subscribe('com.example.allowed', () => undefined);
    },
    authorizer: async () => {
      const { client: authorizer } = await join('authorized');
      const guest = await join('authorized', '/guest');
      const asked: unknown[] = [];
      await authorizer.register(AUTHORIZER, ({ argsList = [] }) => {
        const [details, uri, action] = argsList;
        asked.push([numbers((details as Details)['session']), uri, action]);
        return { argsList: [uri === 'com.example.allowed' && { allow: true, disclose: true }] };
      });
      const seen = mailbox<Event>();
      await authorizer.subscribe('com.example.allowed', (event) => seen.put(event));
      await guest.client.publish('com.example.allowed', []);
      expect(Number((await seen.take()).details['publisher'])).toBe(guest.id);
      await guest.client.register('com.example.allowed', () => null);
      const denied = 'wamp.error.not_authorized';
      await refused(guest.client.publish('com.example.denied', []), denied);
      await refused(guest.client.call('com.example.denied'), denied);
      await refused(
        guest.client.subscribe('com.example.denied', () => undefined),
        denied,
      );
      expect(asked).toEqual([
        [guest.id, 'com.example.allowed', 'publish'],
        [guest.id, 'com.example.allowed', 'register'],
        [guest.id, 'com.example.denied', 'publish'],
        [guest.id, 'com.example.denied', 'call'],
        [guest.id, 'com.example.denied', 'subscribe'],
      ]);
    },
    byte_strings: () => thereAndBack([Buffer.of(0, 255), Buffer.of(), 'text']),
    integers: () => thereAndBack([0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 1.5]),
    pubsub: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      const { subscriptionKey } = await a.client.subscribe('com.example.topic', (event) => events.put(event));
      const payload = { argsList: [1, 'zwei', null, 1.5], argsDict: { k: [true] } };
      await b.client.publish('com.example.topic', payload);
      expect(await events.take()).toMatchObject(payload);
      await a.client.publish('com.example.topic', ['not to me']);
      await b.client.publish('com.example.topic', ['again']);
      expect((await events.take()).argsList).toEqual(['again']);
      await a.client.unsubscribe(subscriptionKey);
      await b.client.publish('com.example.topic', ['to nobody']);
      await a.client.subscribe('com.example.topic', (event) => events.put(event));
      await b.client.publish('com.example.topic', ['to somebody']);
      expect((await events.take()).argsList).toEqual(['to somebody']);
    },
    acknowledge: async () => {
      const { client } = await join();
      const first = await client.publish('com.example.topic', []);
      const second = await client.publish('com.example.topic', []);
      expect(first.publicationId).toBeGreaterThan(0);
      expect(first.publicationId).not.toBe(second.publicationId);
    },
    rpc: async () => {
      const [callee, caller] = [await join(), await join()];
      await callee.client.register('com.example.rpc', ({ argsList = [], argsDict }) => {
        if (argsDict?.['fail'] === true) {
          const details = { error: 'com.example.error', argsList: ['why'], argsDict: { limit: 5 } };
          throw Object.assign(new Error('refused'), details);
        }
        return { argsList: [...argsList].reverse(), ...(argsDict && { argsDict }) };
      });
      expect(await caller.client.call('com.example.rpc', { argsList: [1, 2], argsDict: { k: 'v' } })).toMatchObject({
        argsList: [2, 1],
        argsDict: { k: 'v' },
      });
      await expect(caller.client.call('com.example.rpc', { fail: true })).rejects.toMatchObject({
        errorUri: 'com.example.error',
        argsList: ['why'],
        argsDict: { limit: 5 },
      });
      const again = caller.client.register('com.example.rpc', () => null);
      await refused(again, 'wamp.error.procedure_already_exists');
      await callee.client.unregister('com.example.rpc');
      await refused(caller.client.call('com.example.rpc'), 'wamp.error.no_such_procedure');
    },
    eligibility: async () => {
      const [a, b, publisher] = [await join(), await join(), await join()];
      const [toA, toB] = [mailbox<unknown>(), mailbox<unknown>()];
      await a.client.subscribe('com.example.some', ({ argsList }) => toA.put(argsList?.[0]));
      await b.client.subscribe('com.example.some', ({ argsList }) => toB.put(argsList?.[0]));
      const { client } = publisher;
      await client.publish('com.example.some', [1], { eligible: [a.id] });
      await client.publish('com.example.some', [2], { exclude: [a.id] });
      await client.publish('com.example.some', [3], { eligible_authid: [b.authid] });
      await client.publish('com.example.some', [4], { exclude_authrole: ['anonymous'] });
      await client.publish('com.example.some', [5], { exclude_authid: [b.authid] });
      expect([await toA.take(), await toA.take()]).toEqual([1, 5]);
      expect([await toB.take(), await toB.take()]).toEqual([2, 3]);
    },
    disclosure: async () => {
      const [a, b] = [await join('disclosed'), await join('disclosed')];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.topic', (event) => events.put(event));
      await a.client.register('com.example.who', ({ details }) => ({ argsList: [details['caller']] }));
      await b.client.publish('com.example.topic', []);
      expect(numbers((await events.take()).details)).toMatchObject({ publisher: b.id, publisher_authid: b.authid });
      expect(await value(b.client.call('com.example.who'))).toBe(b.id);
    },
    disclose_me: async () => {
      const [a, b] = [await join('disclosed'), await join('disclosed')];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.topic', (event) => events.put(event));
      await b.client.publish('com.example.topic', [], { disclose_me: true });
      expect(Number((await events.take()).details['publisher'])).toBe(b.id);
      // Where the role does not disclose, asking for it is refused.
      const { client } = await join();
      const refusal = 'wamp.error.option_disallowed.disclose_me';
      await client.register('com.example.who', () => null);
      await refused(client.publish('com.example.topic', [], { disclose_me: true }), refusal);
      await refused(client.call('com.example.who', [], { disclose_me: true }), refusal);
    },
    pattern_subscriptions: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.pat', (event) => events.put(event), { match: 'prefix' });
      await a.client.subscribe('com..pattern', (event) => events.put(event), { match: 'wildcard' });
      await b.client.publish('com.example.pattern', ['x']);
      const topics = [(await events.take()).details['topic'], (await events.take()).details['topic']];
      expect(topics).toEqual(['com.example.pattern', 'com.example.pattern']);
    },
    get_retained: async () => {
      const publisher = await WampClient.join(place.next('remembering').url('/ws', 'ws'), 'remembering');
      await publisher.ask([16, 1, { retain: true, acknowledge: true }, 'com.example.state', [1]]);
      await publisher.ask([16, 2, { retain: true, acknowledge: true }, 'com.example.state', [2]]);
      await publisher.leave();
      const { client } = await join('remembering');
      const events = mailbox<Event>();
      await client.subscribe('com.example.state', (event) => events.put(event), { get_retained: true });
      expect(await events.take()).toMatchObject({ argsList: [2], details: { retained: true } });
    },
    event_history: async () => {
      const [a, b] = [await join('remembering'), await join('remembering')];
      await a.client.publish('com.example.log', [serializer]);
      const { subscriptionId } = await b.client.subscribe('com.example.log', () => undefined);
      const query = { argsList: [subscriptionId], argsDict: { limit: 1, reverse: true } };
      expect(await value(b.client.call('wamp.subscription.get_events', query))).toMatchObject({ args: [serializer] });
    },
    subscription_revocation: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      const { subscriptionId } = await a.client.subscribe('com.example.gone', () => events.put('gone'));
      await a.client.subscribe('com.example.kept', () => events.put('kept'));
      await b.client.call('wamp.subscription.remove_subscriber', [subscriptionId, a.id, 'com.example.enough']);
      expect(await value(b.client.call('wamp.subscription.lookup', ['com.example.gone']))).toBeNull();
      await b.client.publish('com.example.gone', []);
      await b.client.publish('com.example.kept', []);
      expect(await events.take()).toBe('kept');
    },
    pattern_registrations: async () => {
      const [callee, caller] = [await join(), await join()];
      const rows = [
        ['exact', 'com.one.proc'],
        ['prefix', 'com.one'],
        ['wildcard', 'com..proc'],
      ] as const;
      for (const [match, uri] of rows) {
        const told = ({ details }: Event) => ({ argsList: [`${match} ${String(details['procedure'])}`] });
        await callee.client.register(uri, told, { match });
      }
      expect(await value(caller.client.call('com.one.proc'))).toMatch(/^exact/);
      expect(await value(caller.client.call('com.one.other'))).toBe('prefix com.one.other');
      expect(await value(caller.client.call('com.two.proc'))).toBe('wildcard com.two.proc');
    },
    shared_registrations: async () => {
      const [one, two, caller] = [await join(), await join(), await join()];
      const expected = { roundrobin: [1, 2, 1, 2], first: [1, 1], last: [2, 2] } as const;
      for (const [invoke, results] of Object.entries(expected)) {
        const uri = `com.example.${invoke}`;
        const options = { invoke: invoke as keyof typeof expected };
        await one.client.register(uri, () => ({ argsList: [1] }), options);
        await two.client.register(uri, () => ({ argsList: [2] }), options);
        for (const result of results) expect(await value(caller.client.call(uri))).toBe(result);
      }
      await one.client.register('com.example.random', () => ({ argsList: [1] }), { invoke: 'random' });
      await two.client.register('com.example.random', () => ({ argsList: [2] }), { invoke: 'random' });
      // With 64 calls one callee is left out once in 2^63 runs.
      const asked = Array.from({ length: 64 }, () => value(caller.client.call('com.example.random')));
      expect(new Set(await Promise.all(asked))).toEqual(new Set([1, 2]));
    },
    progressive_results: async () => {
      const callee = await WampClient.connect(place.next().url('/ws', 'ws'), { serializer });
      await callee.hello('realm1', { roles: { callee: { features: { progressive_call_results: true } } } });
      await callee.ask([64, 1, {}, 'com.example.count']);
      const { client } = await join();
      const progress: unknown[] = [];
      const progress_callback = ({ argsList }: Event): void => void progress.push(argsList?.[0]);
      const done = value(client.call('com.example.count', [3], { progress_callback }));
      const [, invocation, , details] = await callee.next();
      expect(details).toMatchObject({ receive_progress: true });
      for (let i = 0; i < 3; i++) callee.send([70, invocation, { progress: true }, [i]]);
      callee.send([70, invocation, {}, ['done']]);
      expect(await done).toBe('done');
      expect(progress).toEqual([0, 1, 2]);
      await callee.leave();
    },
    progressive_results_of_callee: async () => {
      const [callee, caller] = [await join(), await join()];
      type Invocation = Event & { result_handler: (result: object) => void };
      const count = ({ details, result_handler: send }: Invocation) => {
        for (let i = 0; i < 3; i++) send({ argsList: [i, details['receive_progress']], options: { progress: true } });
        return { argsList: ['done'] };
      };
      await callee.client.register('com.example.count', count);
      const progress: unknown[] = [];
      const progress_callback = ({ argsList }: Event): void => void progress.push(argsList);
      expect(await value(caller.client.call('com.example.count', [3], { progress_callback }))).toBe('done');
      expect(progress).toEqual([0, 1, 2].map((i) => [i, true]));
    },
    call_timeout: async () => {
      const [callee, caller] = [await join(), await join()];
      await callee.client.register('com.example.never', () => new Promise(() => undefined));
      await refused(caller.client.call('com.example.never', [], { timeout: 50 }), 'wamp.error.timeout');
    },
    cancel_skip: () => cancels('skip'),
    cancel_kill: () => cancels('kill'),
    cancel_killnowait: () => cancels('killnowait'),
    registration_revocation: async () => {
      const [callee, caller] = [await join(), await join()];
      const { registrationId } = await callee.client.register('com.example.proc', () => null);
      await caller.client.call('wamp.registration.remove_callee', [registrationId, callee.id, 'com.example.enough']);
      await refused(caller.client.call('com.example.proc'), 'wamp.error.no_such_procedure');
      // The callee goes on, though it does not know: see the top of this file.
      await expect(callee.client.register('com.example.proc', () => null)).rejects.toThrow('already registered');
      await callee.client.register('com.example.other', () => ({ argsList: ['alive'] }));
      expect(await value(caller.client.call('com.example.other'))).toBe('alive');
    },
    rerouting: async () => {
      const [one, two, caller] = [await join(), await join(), await join()];
      const unavailable = () => {
        throw Object.assign(new Error('busy'), { error: 'wamp.error.unavailable' });
      };
      await one.client.register('com.example.shared', unavailable, { invoke: 'first' });
      await two.client.register('com.example.shared', () => ({ argsList: ['second'] }), { invoke: 'first' });
      expect(await value(caller.client.call('com.example.shared'))).toBe('second');
      await two.client.unregister('com.example.shared');
      await refused(caller.client.call('com.example.shared'), 'wamp.error.no_available_callee');
    },
    session_meta: async () => {
      const a = await join();
      const joined = mailbox<unknown>();
      await a.client.subscribe('wamp.session.on_join', ({ argsList }) => joined.put(numbers(argsList?.[0])));
      const b = await join();
      expect(await joined.take()).toMatchObject({ session: b.id, authid: b.authid });
      const ids = (await value(a.client.call('wamp.session.list'))) as number[];
      expect(ids).toEqual(expect.arrayContaining([a.id, b.id]));
      expect(await value(a.client.call('wamp.session.count'))).toBe(ids.length);
      expect(await value(a.client.call('wamp.session.get', [b.id]))).toMatchObject({ authid: b.authid });
      const left = mailbox<unknown>();
      await a.client.subscribe('wamp.session.on_leave', ({ argsList }) => left.put(numbers(argsList)));
      await b.client.disconnect();
      expect(await left.take()).toEqual([b.id, b.authid, 'anonymous']);
      await refused(a.client.call('wamp.session.get', [b.id]), 'wamp.error.no_such_session');
    },
    session_kill: async () => {
      const a = await join();
      const argsDict = { reason: 'com.example.enough' };
      const rows: readonly [name: string, victim: (b: Joined) => unknown[], result: (b: Joined) => unknown][] = [
        ['kill', ({ id }) => [id], () => undefined],
        ['kill_by_authid', ({ authid }) => [authid], ({ id }) => [id]],
        ['kill_by_authrole', () => ['anonymous'], () => 1],
        ['kill_all', () => [], () => 1],
      ];
      for (const [name, victim, result] of rows) {
        const b = await join();
        const ended = new Promise<void>((resolve) => b.client.setOptions({ onClose: () => resolve() }));
        const call = a.client.call(`wamp.session.${name}`, { argsList: victim(b), argsDict });
        expect(await value(call)).toEqual(result(b));
        await within(ended, 'end of the connection');
      }
      await refused(a.client.call('wamp.session.kill', [a.id]), 'wamp.error.no_such_session');
    },
    registration_meta: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      for (const what of ['on_create', 'on_register', 'on_unregister', 'on_delete']) {
        const told = ({ argsList }: Event) => events.put([what, Number(argsList?.[0])]);
        await a.client.subscribe(`wamp.registration.${what}`, told);
      }
      const { registrationId } = await b.client.register('com.example.meta', () => null);
      expect([await events.take(), await events.take()]).toEqual([
        ['on_create', b.id],
        ['on_register', b.id],
      ]);
      const ask = (name: string, arg: unknown) => value(a.client.call(`wamp.registration.${name}`, [arg]));
      const registration = Number(String(registrationId));
      const shown = { id: registration, uri: 'com.example.meta' };
      expect(await ask('get', registration)).toMatchObject(shown);
      expect(await ask('lookup', 'com.example.meta')).toBe(registration);
      expect(await ask('match', 'com.example.meta')).toBe(registration);
      expect(await ask('list_callees', registration)).toEqual([b.id]);
      expect(await ask('count_callees', registration)).toBe(1);
      expect(await value(a.client.call('wamp.registration.list'))).toMatchObject({ exact: [registration] });
      await b.client.unregister('com.example.meta');
      expect([await events.take(), await events.take()]).toEqual([
        ['on_unregister', b.id],
        ['on_delete', b.id],
      ]);
    },
    subscription_meta: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      for (const what of ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete']) {
        const told = ({ argsList }: Event) => events.put([what, Number(argsList?.[0])]);
        await a.client.subscribe(`wamp.subscription.${what}`, told);
      }
      const { subscriptionId, subscriptionKey } = await b.client.subscribe('com.example.meta', () => undefined);
      expect([await events.take(), await events.take()]).toEqual([
        ['on_create', b.id],
        ['on_subscribe', b.id],
      ]);
      const ask = (name: string, arg: unknown) => value(a.client.call(`wamp.subscription.${name}`, [arg]));
      const subscription = Number(String(subscriptionId));
      const shown = { id: subscription, uri: 'com.example.meta' };
      expect(await ask('get', subscription)).toMatchObject(shown);
      expect(await ask('lookup', 'com.example.meta')).toBe(subscription);
      expect(await ask('match', 'com.example.meta')).toEqual([subscription]);
      expect(await ask('list_subscribers', subscription)).toEqual([b.id]);
      expect(await ask('count_subscribers', subscription)).toBe(1);
      const { exact } = (await value(a.client.call('wamp.subscription.list'))) as { exact: number[] };
      expect(exact).toContain(subscription);
      await b.client.unsubscribe(subscriptionKey);
      expect([await events.take(), await events.take()]).toEqual([
        ['on_unsubscribe', b.id],
        ['on_delete', b.id],
      ]);
    },
    testaments: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.will', (event) => events.put(event));
      await b.client.call('wamp.session.add_testament', ['com.example.will', ['flushed'], {}]);
      expect(await value(b.client.call('wamp.session.flush_testaments'))).toBe(1);
      await b.client.call('wamp.session.add_testament', ['com.example.will', ['gone'], { k: 1 }]);
      await b.client.disconnect();
      expect(await events.take()).toMatchObject({ argsList: ['gone'], argsDict: { k: 1 } });
    },
    payload_passthru: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.secret', (event) => events.put(event));
      const options = { ppt_scheme: 'x_example', ppt_serializer: 'json', ppt_cipher: 'xsalsa20', ppt_keyid: 'key 1' };
      const payload = { argsList: [1, 'zwei'], argsDict: { k: [true] } };
      // A witness that does not unpack: between the two there is one argument, a text.
      const witness = await WampClient.connect(place.next().url('/ws', 'ws'), { serializer });
      await witness.hello('realm1', { roles: { subscriber: { features: { payload_passthru_mode: true } } } });
      await witness.ask([32, 1, {}, 'com.example.secret']);
      await b.client.publish('com.example.secret', payload, options);
      expect(await events.take()).toMatchObject({ ...payload, details: options });
      const [, , , details, args] = await witness.next();
      expect(details).toMatchObject(options);
      expect(args).toEqual(['{"args":[1,"zwei"],"kwargs":{"k":[true]}}']);
      await witness.leave();

      await a.client.register('com.example.secret', ({ argsList, argsDict, details: asked }) => {
        const result = { ...(argsList && { argsList }), ...(argsDict && { argsDict }) };
        return { ...result, options: { ...options, ppt_keyid: `not ${String(asked['ppt_keyid'])}` } };
      });
      const result = await b.client.call('com.example.secret', payload, options);
      expect(result).toMatchObject({ ...payload, details: { ...options, ppt_keyid: 'not key 1' } });
    },
  };

  // In JSON wampy has no byte strings.
  const features = Object.entries(script).filter(([name]) => serializer !== 'json' || name !== 'byte_strings');
  it.each(features)('%s', (_feature, run) => run());

  it('leaves nothing out', () => expect(scriptProblems('wampy', Object.keys(script))).toEqual([]));
});
