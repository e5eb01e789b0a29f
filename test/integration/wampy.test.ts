/** wampy as it comes from npm, in Node.js, against the daemon: a script of features, in every serializer. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Wampy } from 'wampy';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { WebSocket } from 'ws';
import { BUILT } from '../support/built.js';
import { builtFeatures } from '../support/client-features.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
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

let daemon: Daemon;
let open: Wampy[] = [];
beforeAll(async () => {
  const permissions = [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }];
  const disclosed = { name: 'disclosed', roles: [{ name: 'anonymous', permissions }] };
  const store = { type: 'memory', 'event-history': [{ uri: 'com.example.log' }] };
  const remembering = { ...openRealm('remembering'), store };
  daemon = await startDaemon({ config: nodeConfig({ realms: [openRealm('realm1'), disclosed, remembering] }) });
});
afterAll(() => daemon.dispose());
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
  async function join(realm = 'realm1'): Promise<Joined> {
    const client = new Wampy(daemon.url('/ws', 'ws'), {
      realm,
      serializer: new SERIALIZERS[serializer](),
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

  const script: Readonly<Record<string, () => Promise<void>>> = {
    session: async () => {
      const { client, id } = await join();
      expect(Number.isSafeInteger(id)).toBe(true);
      await within(client.disconnect(), 'end of the session');
      expect(client.getSessionId()).toBeFalsy();
      await expect(join('no.such.realm')).rejects.toThrow();
    },
    pubsub: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      const { subscriptionKey } = await a.client.subscribe('com.example.topic', (event) => events.put(event));
      const payload = { argsList: [1, 'zwei', null, 1.5], argsDict: { k: [true] } };
      const { publicationId } = await b.client.publish('com.example.topic', payload);
      const event = await events.take();
      expect(event).toMatchObject(payload);
      expect(publicationId).toBeGreaterThan(0);
      await a.client.publish('com.example.topic', ['not to me']);
      // wampy cannot say `exclude_me: false`: it leaves out what is false.
      await b.client.publish('com.example.topic', ['again']);
      expect((await events.take()).argsList).toEqual(['again']);
      await a.client.unsubscribe(subscriptionKey);
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
    pattern_subscriptions: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.pat', (event) => events.put(event), { match: 'prefix' });
      await a.client.subscribe('com..pattern', (event) => events.put(event), { match: 'wildcard' });
      await b.client.publish('com.example.pattern', ['x']);
      const topics = [(await events.take()).details['topic'], (await events.take()).details['topic']];
      expect(topics).toEqual(['com.example.pattern', 'com.example.pattern']);
    },
    retention: async () => {
      // wampy checks `retain` and then forgets to send it; it can only ask for what others left.
      const publisher = await WampClient.join(daemon.url('/ws', 'ws'));
      await publisher.ask([16, 1, { retain: true, acknowledge: true }, 'com.example.state', [1]]);
      await publisher.ask([16, 2, { retain: true, acknowledge: true }, 'com.example.state', [2]]);
      await publisher.leave();
      const { client } = await join();
      const events = mailbox<Event>();
      await client.subscribe('com.example.state', (event) => events.put(event), { get_retained: true });
      expect(await events.take()).toMatchObject({ argsList: [2], details: { retained: true } });
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
    },
    progressive_results: async () => {
      // wampy as a callee does not announce progressive results, nor as a caller progressive invocations.
      const callee = await WampClient.connect(daemon.url('/ws', 'ws'), { serializer });
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
    timeout: async () => {
      const [callee, caller] = [await join(), await join()];
      await callee.client.register('com.example.never', () => new Promise(() => undefined));
      await refused(caller.client.call('com.example.never', [], { timeout: 50 }), 'wamp.error.timeout');
    },
    cancel: async () => {
      const [callee, caller] = [await join(), await join()];
      const invoked = mailbox<boolean>();
      await callee.client.register('com.example.never', () => {
        invoked.put(true);
        return new Promise(() => undefined);
      });
      for (const mode of ['skip', 'kill', 'killnowait'] as const) {
        const call = caller.client.call('com.example.never');
        const { reqId } = caller.client.getOpStatus();
        await invoked.take();
        caller.client.cancel(reqId, { mode });
        await refused(call, 'wamp.error.canceled');
      }
    },
    session_meta: async () => {
      const [a, b] = [await join(), await join()];
      const ids = (await value(a.client.call('wamp.session.list'))) as number[];
      expect(ids).toEqual(expect.arrayContaining([a.id, b.id]));
      expect(await value(a.client.call('wamp.session.count'))).toBe(ids.length);
      expect(await value(a.client.call('wamp.session.get', [b.id]))).toMatchObject({ authid: b.authid });
      const left = mailbox<unknown>();
      await a.client.subscribe('wamp.session.on_leave', ({ argsList }) => left.put(numbers(argsList)));
      await a.client.call('wamp.session.kill', { argsList: [b.id], argsDict: { reason: 'com.example.enough' } });
      expect(await left.take()).toEqual([b.id, b.authid, 'anonymous']);
    },
    registration_meta: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      await a.client.subscribe('wamp.registration.on_create', ({ argsList }) => events.put(numbers(argsList?.[1])));
      const { registrationId } = await b.client.register('com.example.meta', () => null);
      expect(await events.take()).toMatchObject({ id: registrationId, uri: 'com.example.meta' });
      expect(await value(a.client.call('wamp.registration.lookup', ['com.example.meta']))).toBe(registrationId);
      expect(await value(a.client.call('wamp.registration.list_callees', [registrationId]))).toEqual([b.id]);
      expect(await value(a.client.call('wamp.registration.count_callees', [registrationId]))).toBe(1);
    },
    subscription_meta: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      await a.client.subscribe('wamp.subscription.on_create', ({ argsList }) => events.put(numbers(argsList?.[1])));
      const { subscriptionId } = await b.client.subscribe('com.example.meta', () => undefined);
      expect(await events.take()).toMatchObject({ id: subscriptionId, uri: 'com.example.meta' });
      expect(await value(a.client.call('wamp.subscription.lookup', ['com.example.meta']))).toBe(subscriptionId);
      expect(await value(a.client.call('wamp.subscription.list_subscribers', [subscriptionId]))).toEqual([b.id]);
    },
    testaments: async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<Event>();
      await a.client.subscribe('com.example.will', (event) => events.put(event));
      await b.client.call('wamp.session.add_testament', ['com.example.will', ['gone'], { k: 1 }]);
      await b.client.disconnect();
      expect(await events.take()).toMatchObject({ argsList: ['gone'], argsDict: { k: 1 } });
    },
  };

  it.each(builtFeatures(Object.keys(script)))('%s', (feature) => script[feature]!());

  it('event_history', async () => {
    const [a, b] = [await join('remembering'), await join('remembering')];
    await a.client.publish('com.example.log', [serializer]);
    const { subscriptionId } = await b.client.subscribe('com.example.log', () => undefined);
    const query = { argsList: [subscriptionId], argsDict: { limit: 1, reverse: true } };
    expect(await value(b.client.call('wamp.subscription.get_events', query))).toMatchObject({ args: [serializer] });
  });

  it('rerouting', async () => {
    const [one, two, caller] = [await join(), await join(), await join()];
    const unavailable = () => {
      throw Object.assign(new Error('busy'), { error: 'wamp.error.unavailable' });
    };
    await one.client.register('com.example.shared', unavailable, { invoke: 'first' });
    await two.client.register('com.example.shared', () => ({ argsList: ['second'] }), { invoke: 'first' });
    expect(await value(caller.client.call('com.example.shared'))).toBe('second');
    await two.client.unregister('com.example.shared');
    await refused(caller.client.call('com.example.shared'), 'wamp.error.no_available_callee');
  });
});
