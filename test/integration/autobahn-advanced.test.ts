/**
 * autobahn-js as it comes from npm, in Node.js, against the daemon: a script of features, in every serializer. What
 * autobahn-js 22 cannot do at all is a table in `test/support/client-features.ts`. Beyond that:
 *
 * - It forgets a call when it cancels it, unless the mode is `kill`, and takes the ERROR that follows for a broken
 *   protocol. Where it cancels, a realm needs `compat.cancel_without_error`.
 * - Only promises of when.js tell of progress, which is what one gets without `use_es6_promises`. With those of ES6 the
 *   first progressive result throws inside.
 * - What is thrown while it handles a message, in `on_internal_error` too, ends up in its copy of ws, which then reads
 *   nothing more, not even the end of the connection.
 * - In MessagePack it cannot write undefined: an endpoint that returns it never answers. In CBOR undefined arrives as it is.
 * - In JSON it has no byte strings.
 */
import autobahn from 'autobahn';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../support/built.js';
import { AUTHORIZER, featureNode, scriptProblems } from '../support/client-features.js';
import type { Feature } from '../support/client-features.js';
import { mailbox } from '../support/mailbox.js';
import type { Place } from '../support/place.js';
import { startPlace } from '../support/place.js';
import { within } from '../support/wamp-client.js';

const ACK = { acknowledge: true } as const;
const SERIALIZERS = { json: 'JSONSerializer', msgpack: 'MsgpackSerializer', cbor: 'CBORSerializer' } as const;

interface Joined {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails;
  /** The reason of the GOODBYE. */
  readonly closed: Promise<string | null>;
}

let place: Place;
let open: Joined[] = [];
/** How often a connection took a message of the router for a broken protocol. It does not say which. */
let violations = 0;
const covered = new Set<Feature>();
// It tells the console about every closed connection.
autobahn.log.warn = () => undefined;
beforeAll(async () => {
  place = await startPlace(featureNode());
});
afterAll(() => place.dispose());
afterEach(async () => {
  const [ending, unexpected] = [open, violations];
  // Emptied first: a connection that does not end is the failure of this test, not of all that follow.
  [open, violations] = [[], 0];
  await Promise.all(
    ending.map(({ connection, session, closed }) => {
      if (session.isOpen) connection.close();
      return within(closed, 'end of the connection');
    }),
  );
  expect(unexpected).toBe(0);
});

/** Opens a connection, which may have been open before. @throws when it ends before the session is open */
async function opened(connection: autobahn.Connection): Promise<Joined> {
  const joining = new Promise<Joined>((resolve, reject) => {
    const closed = new Promise<string | null>((resolveClosed) => {
      connection.onclose = (reason, details) => {
        reject(new Error(`${reason}: ${String(details.reason)}`));
        resolveClosed(details.reason);
        return true;
      };
    });
    connection.onopen = (session, details) => resolve({ connection, session, details, closed });
  });
  connection.open();
  const joined = await within(joining, 'session of autobahn-js');
  open.push(joined);
  return joined;
}

const refused = (promise: Promise<unknown>, error: string): Promise<void> =>
  expect(within(promise, 'refusal')).rejects.toMatchObject({ error });

/** An endpoint that tells when it is called, and ends when it is told to. */
function pending() {
  const invoked = mailbox<(value: unknown) => void>();
  return { invoked, endpoint: () => new Promise((resolve) => invoked.put(resolve)) };
}

describe.each(BUILT.serializers)('autobahn-js, %s', (serializer) => {
  /** A test of one feature, which the script then counts as covered. */
  function feature(name: Feature, title: string, run: () => Promise<void>): void {
    if (name === 'byte_strings' && serializer === 'json') return;
    covered.add(name);
    it(`${name}: ${title}`, run);
  }

  /** Opens a connection that does not retry. @throws when it ends before the session is open */
  function join(realm = 'realm1', { urlPath = '/ws', es6Promises = true } = {}): Promise<Joined> {
    const serializers = [new autobahn.serializer[SERIALIZERS[serializer]]()];
    const connection = new autobahn.Connection({
      realm,
      transports: [{ type: 'websocket', url: place.next(realm).url(urlPath, 'ws'), serializers }],
      max_retries: 0,
      use_es6_promises: es6Promises,
      on_user_error: () => undefined,
      on_internal_error: () => violations++,
    });
    return opened(connection);
  }

  const sessions = async (count: number, realm?: string): Promise<autobahn.Session[]> =>
    (await Promise.all(Array.from({ length: count }, () => join(realm)))).map(({ session }) => session);
  const two = async (realm?: string) => (await sessions(2, realm)) as [autobahn.Session, autobahn.Session];
  const three = async () => (await sessions(3)) as [autobahn.Session, autobahn.Session, autobahn.Session];

  describe('autobahn-js and the Basic Profile', () => {
    feature('session', 'joins and is told who it is', async () => {
      const { session, details } = await join();
      expect(details).toMatchObject({
        realm: 'realm1',
        authrole: 'anonymous',
        authmethod: 'anonymous',
        authprovider: 'static',
      });
      expect(Number.isSafeInteger(session.id)).toBe(true);
    });

    feature('pubsub', 'subscribes, publishes, unsubscribes', async () => {
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

    feature('rpc', 'registers, calls, unregisters; results are values, lists and dictionaries', async () => {
      const [callee, caller] = [await join(), await join()];
      const registration = await callee.session.register('com.example.add', (args, kwargs) => {
        if (args.length === 1) return args[0];
        return args.length === 0 ? null : new autobahn.Result([...args].reverse(), kwargs);
      });
      expect(await caller.session.call('com.example.add', [42])).toBe(42);
      expect(await caller.session.call('com.example.add')).toBeNull();
      expect(await caller.session.call('com.example.add', [1, 2], { k: 'v' })).toMatchObject({
        args: [2, 1],
        kwargs: { k: 'v' },
      });
      const many = await Promise.all(
        Array.from({ length: 100 }, (_, i) => caller.session.call('com.example.add', [i])),
      );
      expect(many).toEqual(Array.from({ length: 100 }, (_, i) => i));
      await callee.session.unregister(registration);
      await expect(caller.session.call('com.example.add', [1])).rejects.toMatchObject({
        error: 'wamp.error.no_such_procedure',
      });
    });

    feature('permissions', 'is told what its role may not do', async () => {
      const { session } = await join('restricted');
      const denied = { error: 'wamp.error.not_authorized' };
      await expect(session.subscribe('com.example.denied', () => undefined)).rejects.toMatchObject(denied);
      await expect(session.register('com.example.allowed', () => 1)).rejects.toMatchObject(denied);
      await expect(session.publish('com.example.allowed', [], {}, { acknowledge: true })).rejects.toMatchObject(denied);
      await expect(session.call('com.example.denied')).rejects.toMatchObject(denied);
      await expect(session.call('com.example.allowed')).rejects.toMatchObject({
        error: 'wamp.error.no_such_procedure',
      });
      await session.subscribe('com.example.allowed', () => undefined);
    });

    feature('disclosure', 'sees caller and publisher where the realm discloses them, and nowhere else', async () => {
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
          details.caller ?? null,
          details.caller_authid ?? null,
          details.caller_authrole ?? null,
        ]);
        b.session.publish('com.example.topic');
        const nobody = [undefined, undefined, undefined];
        const { publisher, publisher_authid, publisher_authrole } = await events.take();
        expect([publisher, publisher_authid, publisher_authrole]).toEqual(shown ? [id, authid, 'anonymous'] : nobody);
        expect(await b.session.call('com.example.who')).toEqual(shown ? [id, authid, 'anonymous'] : [null, null, null]);
      }
    });

    it('rpc: gets errors: those of the callee with args and kwargs, and those of the router', async () => {
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

    it('session: closes it the orderly way, and hears why it cannot join', async () => {
      const { connection, closed } = await join();
      connection.close('wamp.close.normal', 'done');
      expect(await within(closed, 'end of the connection')).toBe('wamp.close.goodbye_and_out');
      await expect(join('no.such.realm')).rejects.toThrow('wamp.error.no_such_realm');
    });

    feature('session_reuse', 'closes its session and opens another with the same object', async () => {
      // It closes the transport with the session; the connection object opens another.
      const { connection, session, closed } = await join();
      connection.close();
      await within(closed, 'end of the connection');
      const again = await opened(connection);
      expect(again.session.id).not.toBe(session.id);
      expect(await again.session.call('wamp.session.list')).toEqual([again.session.id]);
    });

    feature('acknowledge', 'hears of a publication when it asks to', async () => {
      const { session } = await join();
      expect(session.publish('com.example.topic')).toBeUndefined();
      const [first, second] = [
        await session.publish('com.example.topic', [], {}, ACK),
        await session.publish('com.example.topic', [], {}, ACK),
      ];
      expect(first.id).toBeGreaterThan(0);
      expect(second.id).not.toBe(first.id);
    });

    feature('exclude_me', 'gets its own events when it asks to', async () => {
      const { session } = await join();
      const events = mailbox<unknown>();
      await session.subscribe('com.example.topic', ([value]) => events.put(value));
      await session.publish('com.example.topic', ['not to me'], {}, ACK);
      await session.publish('com.example.topic', ['to me'], {}, { ...ACK, exclude_me: false });
      expect(await events.take()).toBe('to me');
    });

    /** Values are the same after they were published, and after they were called with and came back. */
    async function thereAndBack(values: readonly unknown[]): Promise<void> {
      const [a, b] = await two();
      const events = mailbox<unknown>();
      await a.subscribe('com.example.values', (args) => events.put(args));
      await b.publish('com.example.values', values, {}, ACK);
      expect(await events.take()).toEqual(values);
      await a.register('com.example.echo', (args) => [...args]);
      expect(await b.call('com.example.echo', values)).toEqual(values);
    }

    feature('integers', 'sends integers of 53 bits', () =>
      thereAndBack([0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 1.5]),
    );

    feature('byte_strings', 'sends byte strings', () => thereAndBack([Buffer.of(0, 255), Buffer.of(), 'text']));
  });

  describe('autobahn-js as publisher and subscriber', () => {
    feature('pattern_subscriptions', 'subscribes to prefixes and wildcards, and is told the topic', async () => {
      const [a, b] = await two();
      const events = mailbox<readonly unknown[]>();
      for (const [match, pattern] of [
        ['prefix', 'com.example.pat'],
        ['wildcard', 'com..pattern'],
      ] as const) {
        await a.subscribe(pattern, (args, _kwargs, { topic }) => events.put([match, topic, args[0]]), { match });
      }
      await b.publish('com.example.pattern', [1], {}, ACK);
      const both = [await events.take(), await events.take()].sort();
      expect(both).toEqual([
        ['prefix', 'com.example.pattern', 1],
        ['wildcard', 'com.example.pattern', 1],
      ]);
      await b.publish('com.example.other', ['nobody'], {}, ACK);
      await b.publish('com.other.pattern', [2], {}, ACK);
      expect(await events.take()).toEqual(['wildcard', 'com.other.pattern', 2]);
    });

    feature('eligibility', 'chooses the receivers by session, authid and authrole', async () => {
      const [a, b, publisher] = [await join(), await join(), await join()];
      const [toA, toB] = [mailbox<unknown>(), mailbox<unknown>()];
      await a.session.subscribe('com.example.some', ([value]) => toA.put(value));
      await b.session.subscribe('com.example.some', ([value]) => toB.put(value));
      const options = [
        { eligible: [a.session.id] },
        { exclude: [a.session.id] },
        { eligible_authid: [b.details.authid] },
        { exclude_authrole: ['anonymous'] },
        { exclude_authid: [b.details.authid] },
        { eligible_authrole: ['anonymous'] },
      ];
      for (const [i, option] of options.entries()) {
        await publisher.session.publish('com.example.some', [i], {}, { ...ACK, ...option });
      }
      expect([await toA.take(), await toA.take(), await toA.take()]).toEqual([0, 4, 5]);
      expect([await toB.take(), await toB.take(), await toB.take()]).toEqual([1, 2, 5]);
    });

    feature('get_retained', 'gets retained events', async () => {
      const [a, b] = await two('remembering');
      for (const value of [1, 2]) await a.publish('com.example.state', [value], {}, { ...ACK, retain: true });
      const events = mailbox<unknown>();
      const handler = ([value]: unknown[], _kwargs: object, { retained }: autobahn.EventDetails) =>
        events.put([value, retained]);
      await b.subscribe('com.example.state', handler, { get_retained: true });
      expect(await events.take()).toEqual([2, true]);
      await a.publish('com.example.state', [3], {}, ACK);
      expect(await events.take()).toEqual([3, false]);
    });

    feature('retain', 'leaves the last event that is to be kept, and no other', async () => {
      const [a, b] = await two('remembering');
      await a.publish('com.example.kept', ['kept'], {}, { ...ACK, retain: true });
      await a.publish('com.example.kept', ['passing'], {}, ACK);
      const [asked, unasked] = [mailbox<unknown>(), mailbox<unknown>()];
      await b.subscribe('com.example.kept', ([value]) => asked.put(value), { get_retained: true });
      await a.subscribe('com.example.kept', ([value]) => unasked.put(value));
      expect(await asked.take()).toBe('kept');
      await a.publish('com.example.kept', ['new'], {}, { ...ACK, exclude_me: false });
      expect([await asked.take(), await unasked.take()]).toEqual(['new', 'new']);
    });

    feature('event_history', 'asks for the event history', async () => {
      const [a, b] = await two('remembering');
      for (const value of [1, 2, 3]) await a.publish('com.example.log', [value], { k: value }, ACK);
      const { id } = await b.subscribe('com.example.log', () => undefined);
      const history = await b.call('wamp.subscription.get_events', [id]);
      expect(history).toMatchObject({
        args: [
          { subscription: id, args: [2], kwargs: { k: 2 } },
          { subscription: id, args: [3], kwargs: { k: 3 } },
        ],
      });
      expect(await b.call('wamp.subscription.get_events', [id], { limit: 1, reverse: true })).toMatchObject({
        args: [3],
      });
      const other = await b.subscribe('com.example.else', () => undefined);
      await refused(b.call('wamp.subscription.get_events', [other.id]), 'wamp.error.history_unavailable');
    });

    feature('subscription_revocation', 'loses a subscription to the router, and lives on', async () => {
      const [a, b] = await two();
      const subscription = await a.subscribe('com.example.topic', () => undefined);
      await b.call('wamp.subscription.remove_subscriber', [subscription.id, a.id, 'com.example.enough']);
      expect(await within(subscription.on_unsubscribe, 'revocation')).toBe('com.example.enough');
      expect(subscription.active).toBe(false);
      expect(await a.call('wamp.subscription.lookup', ['com.example.topic'])).toBeNull();
    });
  });

  describe('autobahn-js as caller and callee', () => {
    feature('pattern_registrations', 'registers prefixes and wildcards, and is told the procedure', async () => {
      const [callee, caller] = await two();
      for (const [match, uri] of [
        ['exact', 'com.one.proc'],
        ['prefix', 'com.one'],
        ['wildcard', 'com..proc'],
      ] as const) {
        await callee.register(uri, (_args, _kwargs, { procedure }) => `${match} ${procedure}`, { match });
      }
      expect(await caller.call('com.one.proc')).toBe('exact com.one.proc');
      expect(await caller.call('com.one.other')).toBe('prefix com.one.other');
      expect(await caller.call('com.two.proc')).toBe('wildcard com.two.proc');
    });

    feature('shared_registrations', 'shares a registration with each policy', async () => {
      const [one, other, caller] = await three();
      const expected = { roundrobin: [1, 2, 1, 2], first: [1, 1], last: [2, 2] };
      for (const [invoke, results] of Object.entries(expected)) {
        const uri = `com.example.${invoke}`;
        await one.register(uri, () => 1, { invoke });
        await other.register(uri, () => 2, { invoke });
        for (const result of results) expect(await caller.call(uri)).toBe(result);
        await refused(
          caller.register(uri, () => 3, { invoke: 'random' }),
          'wamp.error.procedure_exists_with_different_invocation_policy',
        );
      }
      await one.register('com.example.random', () => 1, { invoke: 'random' });
      await other.register('com.example.random', () => 2, { invoke: 'random' });
      // With 64 calls one callee is left out once in 2^63 runs.
      const asked = Array.from({ length: 64 }, () => caller.call('com.example.random'));
      expect(new Set(await Promise.all(asked))).toEqual(new Set([1, 2]));
    });

    feature('concurrency', 'calls at most as many at once as `concurrency` says', async () => {
      const [callee, caller] = await two();
      const { endpoint, invoked } = pending();
      let [running, most] = [0, 0];
      const counted = async () => {
        most = Math.max(most, ++running);
        const result = await endpoint();
        running--;
        return result;
      };
      await callee.register('com.example.busy', counted, { concurrency: 2 });
      // The others wait until one of the two is done.
      const calls = Promise.all([1, 2, 3, 4, 5].map(() => caller.call('com.example.busy')));
      // Both are under way before one of them is answered.
      const [first, second] = [await invoked.take(), await invoked.take()];
      first(1);
      second(2);
      for (const result of [3, 4, 5]) (await invoked.take())(result);
      expect(await within(calls, 'results')).toEqual([1, 2, 3, 4, 5]);
      expect(most).toBe(2);
    });

    feature('rerouting', 'goes to the next callee when one is unavailable', async () => {
      const [one, two, caller] = await three();
      const asked: number[] = [];
      const unavailable = (): never => {
        asked.push(1);
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- autobahn's way to choose the error's URI
        throw new autobahn.Error('wamp.error.unavailable');
      };
      await one.register('com.example.shared', unavailable, { invoke: 'first' });
      const second = await two.register('com.example.shared', () => 'second', { invoke: 'first' });
      expect(await caller.call('com.example.shared')).toBe('second');
      expect(asked).toEqual([1]);
      await two.unregister(second);
      await refused(caller.call('com.example.shared'), 'wamp.error.no_available_callee');
      expect(asked).toEqual([1, 1]);
    });

    feature('force_reregister', 'takes a procedure over with force_reregister', async () => {
      const [old, young, caller] = await three();
      const registration = await old.register('com.example.mine', () => 'old');
      await young.register('com.example.mine', () => 'young', { force_reregister: true });
      await within(registration.on_unregister, 'revocation');
      expect(registration.active).toBe(false);
      expect(await caller.call('com.example.mine')).toBe('young');
      expect(await old.call('com.example.mine')).toBe('young');
    });

    feature('registration_revocation', 'loses a registration to the router, and lives on', async () => {
      const [callee, caller] = await two();
      const registration = await callee.register('com.example.proc', () => 1);
      await caller.call('wamp.registration.remove_callee', [registration.id, callee.id, 'com.example.enough']);
      expect(await within(registration.on_unregister, 'revocation')).toBe('com.example.enough');
      await refused(caller.call('com.example.proc'), 'wamp.error.no_such_procedure');
      await callee.register('com.example.proc', () => 2);
      expect(await caller.call('com.example.proc')).toBe(2);
    });

    feature('progressive_results', 'gets progressive results', async () => {
      const { session: callee } = await join();
      // Only promises of when.js can tell of progress.
      const caller = await join('realm1', { es6Promises: false });
      await callee.register('com.example.count', ([n], _kwargs, { progress }) => {
        for (let i = 0; i < (n as number); i++) progress?.([i]);
        return progress === null ? 'all at once' : 'done';
      });
      const progress: unknown[] = [];
      const call = caller.session.call('com.example.count', [3], {}, { receive_progress: true });
      expect(
        await within(
          call.progress((value) => progress.push(value)),
          'result',
        ),
      ).toBe('done');
      expect(progress).toEqual([0, 1, 2]);
    });

    feature('progressive_results_of_callee', 'sends progressive results only to a caller that wants them', async () => {
      const [callee, caller] = await two();
      await callee.register('com.example.count', (_args, _kwargs, { progress }) => {
        progress?.([0]);
        return progress === null ? 'all at once' : 'done';
      });
      expect(await caller.call('com.example.count')).toBe('all at once');
    });

    feature('call_timeout', 'has calls time out', async () => {
      const [callee, caller] = await two();
      await callee.register('com.example.never', pending().endpoint);
      await refused(caller.call('com.example.never', [], {}, { timeout: 50 }), 'wamp.error.timeout');
    });

    for (const [mode, error] of [
      ['skip', 'Cancelled'],
      ['killnowait', 'Cancelled'],
      ['kill', 'wamp.error.canceled'],
    ] as const) {
      feature(`cancel_${mode}`, 'cancels a call, where the realm spares it the ERROR', async () => {
        const [callee, caller] = await two('cancelling');
        const { endpoint, invoked } = pending();
        await callee.register('com.example.never', endpoint);
        const call = caller.call('com.example.never');
        const finish = await invoked.take();
        call.cancel({ mode });
        await refused(call, error);
        // It did not wait for the router, which hears of it here, and not before what the callee says on another connection.
        await caller.call('com.example.nobody').catch(() => undefined);
        // What the callee says later is for nobody, and both sessions go on.
        finish('too late');
        await callee.register('com.example.alive', () => 'alive');
        expect(await caller.call('com.example.alive')).toBe('alive');
      });
    }

    /** Cancels a call in a realm without the switch. @returns the caller, when it knows that the call has ended */
    async function cancelled(mode: 'skip' | 'kill' | 'killnowait', error: string): Promise<Joined> {
      const [callee, caller] = [await join(), await join()];
      const { endpoint, invoked } = pending();
      await callee.session.register('com.example.never', endpoint);
      const call = caller.session.call('com.example.never');
      await invoked.take();
      call.cancel({ mode });
      await refused(call, error);
      await callee.session.register('com.example.alive', () => 'alive');
      return caller;
    }

    it('cancel_kill: cancels in a realm without the switch, and lives on', async () => {
      const { session } = await cancelled('kill', 'wamp.error.canceled');
      expect(await session.call('com.example.alive')).toBe('alive');
    });

    it.each(['skip', 'killnowait'] as const)(
      'cancel_%s: closes its connection over the ERROR, in a realm without the switch',
      async (mode) => {
        const { closed, session } = await cancelled(mode, 'Cancelled');
        // No GOODBYE: it closes the transport.
        expect(await within(closed, 'end of the connection')).toBeNull();
        expect(session.isOpen).toBe(false);
        expect(violations).toBe(1);
        violations = 0;
      },
    );
  });

  describe('autobahn-js and the realm', () => {
    feature('disclose_me', 'is shown to the other side where the realm discloses', async () => {
      const [a, b] = [await join('disclosed'), await join('disclosed')];
      const seen = mailbox<unknown>();
      await a.session.subscribe('com.example.topic', (_args, _kwargs, details) =>
        seen.put([details.publisher, details.publisher_authid, details.publisher_authrole]),
      );
      await a.session.register('com.example.who', (_args, _kwargs, { caller }) => caller);
      await b.session.publish('com.example.topic', [], {}, { ...ACK, disclose_me: true });
      expect(await seen.take()).toEqual([b.session.id, b.details.authid, 'anonymous']);
      expect(await b.session.call('com.example.who', [], {}, { disclose_me: true })).toBe(b.session.id);
      // Where the role does not disclose, asking for it is refused.
      const { session } = await join();
      const refusal = 'wamp.error.option_disallowed.disclose_me';
      await session.register('com.example.who', () => 1);
      await refused(session.publish('com.example.topic', [], {}, { ...ACK, disclose_me: true }), refusal);
      await refused(session.call('com.example.who', [], {}, { disclose_me: true }), refusal);
    });

    feature('session_meta', 'sees sessions come and go', async () => {
      const watcher = await join();
      const [joined, left] = [mailbox<unknown>(), mailbox<unknown>()];
      await watcher.session.subscribe('wamp.session.on_join', ([details]) => joined.put(details));
      await watcher.session.subscribe('wamp.session.on_leave', (args) => left.put(args));
      const other = await join();
      const { id } = other.session;
      const { authid } = other.details;
      expect(await joined.take()).toMatchObject({ session: id, authid, authrole: 'anonymous' });
      expect(await watcher.session.call('wamp.session.count')).toBe(2);
      expect(new Set((await watcher.session.call('wamp.session.list')) as number[])).toEqual(
        new Set([watcher.session.id, id]),
      );
      expect(await watcher.session.call('wamp.session.get', [id])).toMatchObject({ session: id, authid });
      other.connection.close();
      expect(await left.take()).toEqual([id, authid, 'anonymous']);
      await refused(watcher.session.call('wamp.session.get', [id]), 'wamp.error.no_such_session');
    });

    feature('session_kill', 'ends sessions by id, authid and authrole, and all of them', async () => {
      const { session } = await join();
      const rows: readonly [name: string, victim: (b: Joined) => unknown[], result: (b: Joined) => unknown][] = [
        ['kill', (b) => [b.session.id], () => null],
        ['kill_by_authid', (b) => [b.details.authid], (b) => [b.session.id]],
        ['kill_by_authrole', () => ['anonymous'], () => 1],
        ['kill_all', () => [], () => 1],
      ];
      for (const [name, victim, result] of rows) {
        const b = await join();
        const [args, expected] = [victim(b), result(b)];
        expect(await session.call(`wamp.session.${name}`, args, { reason: 'com.example.enough' })).toEqual(expected);
        expect(await within(b.closed, 'GOODBYE')).toBe('com.example.enough');
      }
      await refused(session.call('wamp.session.kill', [session.id]), 'wamp.error.no_such_session');
    });

    feature('subscription_meta', 'sees subscriptions come and go', async () => {
      const [a, b] = await two();
      const events = mailbox<unknown>();
      for (const what of ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete']) {
        await a.subscribe(`wamp.subscription.${what}`, ([session]) => events.put([what, session]));
      }
      const subscription = await b.subscribe('com.example.meta', () => undefined);
      const { id } = subscription;
      expect([await events.take(), await events.take()]).toEqual([
        ['on_create', b.id],
        ['on_subscribe', b.id],
      ]);
      expect(await a.call('wamp.subscription.lookup', ['com.example.meta'])).toBe(id);
      expect(await a.call('wamp.subscription.match', ['com.example.meta'])).toEqual([id]);
      expect(await a.call('wamp.subscription.get', [id])).toMatchObject({
        id,
        uri: 'com.example.meta',
        match: 'exact',
      });
      expect(await a.call('wamp.subscription.list_subscribers', [id])).toEqual([b.id]);
      expect(await a.call('wamp.subscription.count_subscribers', [id])).toBe(1);
      expect(await a.call('wamp.subscription.list')).toMatchObject({ exact: expect.arrayContaining([id]) as unknown });
      await b.unsubscribe(subscription);
      expect([await events.take(), await events.take()]).toEqual([
        ['on_unsubscribe', b.id],
        ['on_delete', b.id],
      ]);
    });

    feature('registration_meta', 'sees registrations come and go', async () => {
      const [a, b] = await two();
      const events = mailbox<unknown>();
      for (const what of ['on_create', 'on_register', 'on_unregister', 'on_delete']) {
        await a.subscribe(`wamp.registration.${what}`, ([session]) => events.put([what, session]));
      }
      const registration = await b.register('com.example.meta', () => 1);
      const { id } = registration;
      expect([await events.take(), await events.take()]).toEqual([
        ['on_create', b.id],
        ['on_register', b.id],
      ]);
      expect(await a.call('wamp.registration.lookup', ['com.example.meta'])).toBe(id);
      expect(await a.call('wamp.registration.match', ['com.example.meta'])).toBe(id);
      expect(await a.call('wamp.registration.get', [id])).toMatchObject({ id, uri: 'com.example.meta' });
      expect(await a.call('wamp.registration.list_callees', [id])).toEqual([b.id]);
      expect(await a.call('wamp.registration.count_callees', [id])).toBe(1);
      expect(await a.call('wamp.registration.list')).toMatchObject({ exact: [id] });
      await b.unregister(registration);
      expect([await events.take(), await events.take()]).toEqual([
        ['on_unregister', b.id],
        ['on_delete', b.id],
      ]);
    });

    feature('testaments', 'leaves a testament', async () => {
      const [a, b] = [await join(), await join()];
      const events = mailbox<unknown>();
      await a.session.subscribe('com.example.will', (args, kwargs) => events.put([args, kwargs]));
      await b.session.call('wamp.session.add_testament', ['com.example.will', ['flushed'], {}]);
      expect(await b.session.call('wamp.session.flush_testaments')).toBe(1);
      await b.session.call('wamp.session.add_testament', ['com.example.will', ['gone'], { k: 1 }]);
      b.connection.close();
      expect(await events.take()).toEqual([['gone'], { k: 1 }]);
    });

    feature('authorizer', 'decides for others as the authorizer of a role', async () => {
      const { session: authorizer } = await join('authorized');
      const { session: guest } = await join('authorized', { urlPath: '/guest' });
      const asked: unknown[] = [];
      await authorizer.register(AUTHORIZER, ([details, uri, action]) => {
        asked.push([(details as { session: number }).session, uri, action]);
        return uri === 'com.example.allowed' && { allow: true, disclose: true };
      });
      const seen = mailbox<unknown>();
      await authorizer.subscribe('com.example.allowed', (_args, _kwargs, { publisher }) => seen.put(publisher));
      await guest.publish('com.example.allowed', [], {}, ACK);
      expect(await seen.take()).toBe(guest.id);
      await guest.register('com.example.allowed', () => 1);
      const denied = 'wamp.error.not_authorized';
      await refused(guest.publish('com.example.denied', [], {}, ACK), denied);
      await refused(guest.call('com.example.denied'), denied);
      await refused(
        guest.subscribe('com.example.denied', () => undefined),
        denied,
      );
      expect(asked).toEqual([
        [guest.id, 'com.example.allowed', 'publish'],
        [guest.id, 'com.example.allowed', 'register'],
        [guest.id, 'com.example.denied', 'publish'],
        [guest.id, 'com.example.denied', 'call'],
        [guest.id, 'com.example.denied', 'subscribe'],
      ]);
    });
  });
});

it('leaves nothing out', () => expect(scriptProblems('autobahn-js', [...covered])).toEqual([]));
