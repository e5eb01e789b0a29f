/**
 * The Advanced Profile as autobahn-js from npm sees it, in Node.js against the daemon. It has no progressive invocations
 * and no payload passthru, and as a callee it neither hears of a CANCEL nor sends `wamp.error.unavailable` on its own.
 */
import autobahn from 'autobahn';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../support/node-config.js';
import { within } from '../support/wamp-client.js';

const AUTHORIZER = 'com.example.authorize';
const ACK = { acknowledge: true } as const;

interface Joined {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails;
  /** The reason of the GOODBYE. */
  readonly closed: Promise<string | null>;
}

let daemon: Daemon;
let open: Joined[] = [];
// It tells the console about every closed connection.
autobahn.log.warn = () => undefined;
beforeAll(async () => {
  const disclosing = [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }];
  const realms = [
    openRealm('realm1'),
    { name: 'disclosed', roles: [{ name: 'anonymous', permissions: disclosing }] },
    // autobahn-js forgets a call when it cancels it.
    { ...openRealm('cancelling'), compat: { cancel_without_error: true } },
    {
      ...openRealm('remembering'),
      store: { type: 'memory', limit: 2, 'event-history': [{ uri: 'com.example.log' }] },
    },
    {
      name: 'authorized',
      roles: [
        { name: 'anonymous', permissions: ALLOW_ALL },
        { name: 'guest', authorizer: AUTHORIZER },
      ],
    },
  ];
  const guest = { type: 'websocket', auth: { anonymous: { type: 'static', role: 'guest' } } };
  daemon = await startDaemon({ config: nodeConfig({ realms, paths: { guest } }) });
});
afterAll(() => daemon.dispose());
afterEach(async () => {
  await Promise.all(
    open.map(({ connection, session, closed }) => {
      if (session.isOpen) connection.close();
      return within(closed, 'end of the connection');
    }),
  );
  open = [];
});

/** Opens a connection that does not retry. @throws when it ends before the session is open */
async function join(realm = 'realm1', { urlPath = '/ws', es6Promises = true } = {}): Promise<Joined> {
  const connection = new autobahn.Connection({
    realm,
    transports: [{ type: 'websocket', url: daemon.url(urlPath, 'ws') }],
    max_retries: 0,
    use_es6_promises: es6Promises,
    on_user_error: () => undefined,
    on_internal_error: (error) => {
      throw error;
    },
  });
  const opened = new Promise<Joined>((resolve, reject) => {
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
  const joined = await within(opened, 'session of autobahn-js');
  open.push(joined);
  return joined;
}

async function sessions(count: number, realm?: string): Promise<autobahn.Session[]> {
  return (await Promise.all(Array.from({ length: count }, () => join(realm)))).map(({ session }) => session);
}

const refused = (promise: Promise<unknown>, error: string): Promise<void> =>
  expect(within(promise, 'refusal')).rejects.toMatchObject({ error });

/** An endpoint that tells when it is called, and ends when it is told to. */
function pending() {
  const invoked = mailbox<(value: unknown) => void>();
  return { invoked, endpoint: () => new Promise((resolve) => invoked.put(resolve)) };
}

describe('autobahn-js as publisher and subscriber', () => {
  it('subscribes to prefixes and wildcards, and is told the topic', async () => {
    const [a, b] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
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

  it('chooses the receivers by session, authid and authrole', async () => {
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

  it('gets retained events', async () => {
    const [a, b] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
    for (const value of [1, 2]) await a.publish('com.example.state', [value], {}, { ...ACK, retain: true });
    const events = mailbox<unknown>();
    const handler = ([value]: unknown[], _kwargs: object, { retained }: autobahn.EventDetails) =>
      events.put([value, retained]);
    await b.subscribe('com.example.state', handler, { get_retained: true });
    expect(await events.take()).toEqual([2, true]);
    await a.publish('com.example.state', [3], {}, ACK);
    expect(await events.take()).toEqual([3, false]);
  });

  it('asks for the event history', async () => {
    const [a, b] = (await sessions(2, 'remembering')) as [autobahn.Session, autobahn.Session];
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

  it('loses a subscription to the router, and lives on', async () => {
    const [a, b] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
    const subscription = await a.subscribe('com.example.topic', () => undefined);
    await b.call('wamp.subscription.remove_subscriber', [subscription.id, a.id, 'com.example.enough']);
    expect(await within(subscription.on_unsubscribe, 'revocation')).toBe('com.example.enough');
    expect(subscription.active).toBe(false);
    expect(await a.call('wamp.subscription.lookup', ['com.example.topic'])).toBeNull();
  });
});

describe('autobahn-js as caller and callee', () => {
  it('registers prefixes and wildcards, and is told the procedure', async () => {
    const [callee, caller] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
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

  it.each([
    ['roundrobin', [1, 2, 1, 2]],
    ['first', [1, 1]],
    ['last', [2, 2]],
  ] as const)('shares a registration: %s', async (invoke, expected) => {
    const [one, two, caller] = (await sessions(3)) as [autobahn.Session, autobahn.Session, autobahn.Session];
    await one.register('com.example.shared', () => 1, { invoke });
    await two.register('com.example.shared', () => 2, { invoke });
    const results: unknown[] = [];
    while (results.length < expected.length) results.push(await caller.call('com.example.shared'));
    expect(results).toEqual(expected);
    const other = invoke === 'last' ? 'first' : 'last';
    await refused(
      caller.register('com.example.shared', () => 3, { invoke: other }),
      'wamp.error.procedure_exists_with_different_invocation_policy',
    );
  });

  it('calls at most as many at once as `concurrency` says', async () => {
    const [callee, caller] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
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
    for (const result of [1, 2, 3, 4, 5]) (await invoked.take())(result);
    expect(await within(calls, 'results')).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('goes to the next callee when one is unavailable', async () => {
    const [one, two, caller] = (await sessions(3)) as [autobahn.Session, autobahn.Session, autobahn.Session];
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

  it('takes a procedure over with force_reregister', async () => {
    const [old, young, caller] = (await sessions(3)) as [autobahn.Session, autobahn.Session, autobahn.Session];
    const registration = await old.register('com.example.mine', () => 'old');
    await young.register('com.example.mine', () => 'young', { force_reregister: true });
    await within(registration.on_unregister, 'revocation');
    expect(registration.active).toBe(false);
    expect(await caller.call('com.example.mine')).toBe('young');
    expect(await old.call('com.example.mine')).toBe('young');
  });

  it('loses a registration to the router, and lives on', async () => {
    const [callee, caller] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
    const registration = await callee.register('com.example.proc', () => 1);
    await caller.call('wamp.registration.remove_callee', [registration.id, callee.id, 'com.example.enough']);
    expect(await within(registration.on_unregister, 'revocation')).toBe('com.example.enough');
    await refused(caller.call('com.example.proc'), 'wamp.error.no_such_procedure');
    await callee.register('com.example.proc', () => 2);
    expect(await caller.call('com.example.proc')).toBe(2);
  });

  it('gets progressive results', async () => {
    const [callee] = (await sessions(1)) as [autobahn.Session];
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
    expect(await caller.session.call('com.example.count', [3])).toBe('all at once');
  });

  it('has calls time out', async () => {
    const [callee, caller] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
    await callee.register('com.example.never', pending().endpoint);
    await refused(caller.call('com.example.never', [], {}, { timeout: 50 }), 'wamp.error.timeout');
  });

  it.each([
    ['skip', 'Cancelled'],
    ['killnowait', 'Cancelled'],
    ['kill', 'wamp.error.canceled'],
  ] as const)('cancels a call: %s', async (mode, error) => {
    const [callee, caller] = (await sessions(2, 'cancelling')) as [autobahn.Session, autobahn.Session];
    const { endpoint, invoked } = pending();
    await callee.register('com.example.never', endpoint);
    const call = caller.call('com.example.never');
    const finish = await invoked.take();
    call.cancel({ mode });
    await refused(call, error);
    // What the callee says later is for nobody, and both sessions go on.
    finish('too late');
    await callee.register('com.example.alive', () => 'alive');
    expect(await caller.call('com.example.alive')).toBe('alive');
  });
});

describe('autobahn-js and the realm', () => {
  it('is shown to the other side where the realm discloses', async () => {
    const [a, b] = [await join('disclosed'), await join('disclosed')];
    const seen = mailbox<unknown>();
    await a.session.subscribe('com.example.topic', (_args, _kwargs, details) =>
      seen.put([details.publisher, details.publisher_authid, details.publisher_authrole]),
    );
    await a.session.register('com.example.who', (_args, _kwargs, { caller }) => caller);
    await b.session.publish('com.example.topic', [], {}, { ...ACK, disclose_me: true });
    expect(await seen.take()).toEqual([b.session.id, b.details.authid, 'anonymous']);
    expect(await b.session.call('com.example.who', [], {}, { disclose_me: true })).toBe(b.session.id);
  });

  it('sees sessions come and go, and ends one', async () => {
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
    await watcher.session.call('wamp.session.kill', [id], { reason: 'com.example.enough' });
    expect(await within(other.closed, 'GOODBYE')).toBe('com.example.enough');
    expect(await left.take()).toEqual([id, authid, 'anonymous']);
    await refused(watcher.session.call('wamp.session.get', [id]), 'wamp.error.no_such_session');
  });

  it('sees subscriptions come and go', async () => {
    const [a, b] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
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
    expect(await a.call('wamp.subscription.get', [id])).toMatchObject({ id, uri: 'com.example.meta', match: 'exact' });
    expect(await a.call('wamp.subscription.list_subscribers', [id])).toEqual([b.id]);
    expect(await a.call('wamp.subscription.count_subscribers', [id])).toBe(1);
    expect(await a.call('wamp.subscription.list')).toMatchObject({ exact: expect.arrayContaining([id]) as unknown });
    await b.unsubscribe(subscription);
    expect([await events.take(), await events.take()]).toEqual([
      ['on_unsubscribe', b.id],
      ['on_delete', b.id],
    ]);
  });

  it('sees registrations come and go', async () => {
    const [a, b] = (await sessions(2)) as [autobahn.Session, autobahn.Session];
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

  it('leaves a testament', async () => {
    const [a, b] = [await join(), await join()];
    const events = mailbox<unknown>();
    await a.session.subscribe('com.example.will', (args, kwargs) => events.put([args, kwargs]));
    await b.session.call('wamp.session.add_testament', ['com.example.will', ['flushed'], {}]);
    expect(await b.session.call('wamp.session.flush_testaments')).toBe(1);
    await b.session.call('wamp.session.add_testament', ['com.example.will', ['gone'], { k: 1 }]);
    b.connection.close();
    expect(await events.take()).toEqual([['gone'], { k: 1 }]);
  });

  it('decides for others as the authorizer of a role', async () => {
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
