import { describe, expect, it, vi } from 'vitest';
import { CallError, Result } from '../../../src/client/api.js';
import type { EventDetails, InvocationDetails } from '../../../src/client/api.js';
import { MAX_INVOCATIONS } from '../../../src/client/registrations.js';
import { componentWorld } from '../../support/component.js';

/** Everything that is under way has arrived when this resolves. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the session of a component', () => {
  it('says who it is', async () => {
    const { session } = await componentWorld().join();
    expect(session).toMatchObject({ id: 101, realm: 'realm1', isOpen: true });
    expect(session.details).toMatchObject({ authid: 'tester', authrole: 'anonymous', authmethod: 'component' });
  });

  it('is refused where realm or role are not there', async () => {
    const { make, join } = componentWorld();
    await expect(join('nobody')).rejects.toMatchObject({ error: 'wamp.error.no_such_role' });
    await expect(make().session.join('no where', { authmethods: ['component'] })).rejects.toMatchObject({
      error: 'wamp.error.invalid_uri',
    });
  });

  it('leaves: requests under way and later ones are rejected, endpoints are told, onleave is called once', async () => {
    const { join, router } = componentWorld();
    const [{ session }, { session: caller }] = [await join(), await join()];
    let signal: AbortSignal | undefined;
    const registration = await session.register('com.app.never', (_args, _kwargs, details) => {
      ({ signal } = details);
      return new Promise(() => undefined);
    });
    const subscription = await session.subscribe('com.app.topic', () => undefined);
    await caller.register('com.app.other', () => new Promise(() => undefined));
    const [own, foreign] = [session.call('com.app.other'), caller.call('com.app.never')];
    await settled();
    const onleave = vi.fn();
    session.onleave = onleave;
    session.leave('com.app.tired', 'good night');
    session.leave();
    expect(session.isOpen).toBe(false);
    await expect(session.over).resolves.toBe('wamp.close.goodbye_and_out');
    expect(onleave.mock.calls).toEqual([['wamp.close.goodbye_and_out', {}]]);
    await expect(own).rejects.toMatchObject({ error: 'wamp.close.goodbye_and_out' });
    await expect(foreign).rejects.toMatchObject({ error: 'wamp.error.canceled' });
    expect(signal?.aborted).toBe(true);
    expect([registration.active, subscription.active]).toEqual([false, false]);
    await expect(session.call('com.app.other')).rejects.toThrow('the session is not open');
    await expect(registration.unregister()).rejects.toThrow('not active');
    expect(() => session.publish('com.app.topic')).toThrow('the session is not open');
    caller.leave();
    await caller.over;
    expect(router.size.realm1).toMatchObject({ sessions: 0, registrations: 0, subscriptions: 0, parties: 0 });
  });

  it('is killed by its realm: it answers, and onleave may throw', async () => {
    const { join, lines, router } = componentWorld();
    const [{ session }, { session: killer }] = [await join(), await join()];
    session.onleave = (reason, details) => {
      throw new Error(`${reason}: ${String(details.message)}`);
    };
    await killer.call('wamp.session.kill', [session.id], { reason: 'com.app.out', message: 'enough' });
    await expect(session.over).resolves.toBe('com.app.out');
    await settled();
    expect(router.size.realm1).toMatchObject({ sessions: 1 });
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'onleave of a component failed' }));
  });

  it('ends with the node, and says so', async () => {
    const { session, transport } = await componentWorld().join();
    const reasons: string[] = [];
    session.onleave = (reason) => reasons.push(reason);
    transport.shutdown();
    await session.over;
    expect(reasons).toEqual(['wamp.close.system_shutdown']);
  });

  it('is not ended by a message that no client could send: the request is rejected, and takes no id', async () => {
    const { join } = componentWorld({ options: { ...STRICT_IDS } });
    const { session } = await join();
    await expect(session.subscribe(1 as never, () => undefined)).rejects.toThrow('SUBSCRIBE.Topic must be a string');
    await expect(session.subscribe('a', () => undefined, { match: 'bogus' as never })).rejects.toThrow('match must be');
    await expect(session.subscribe('a', 'handler' as never)).rejects.toThrow('the handler must be a function');
    await expect(session.register('a', undefined as never)).rejects.toThrow('the endpoint must be a function');
    await expect(session.call('a', [], {}, { progress: true })).rejects.toThrow('"progress" is not supported');
    await expect(session.call('a', [() => 1])).rejects.toThrow('args[0] is a function');
    expect(() => session.publish('a', [], {}, { ppt_scheme: 'x_a' })).toThrow('"ppt_scheme" is not supported');
    await expect(session.call('no uri#')).rejects.toMatchObject({ error: 'wamp.error.invalid_uri' });
    expect(await session.call('wamp.session.count')).toBe(1);
  });
});

const STRICT_IDS = {
  uri_check: 'loose',
  event_dispatching_chunk_size: 100,
  enable_meta_api: true,
  bridge_meta_api: false,
  max_retained_events: 10,
  max_retained_bytes: 1000,
  strict_request_ids: true,
} as const;

describe('publish and subscribe', () => {
  it('hands over args, kwargs and details, in order', async () => {
    const { join } = componentWorld();
    const [{ session }, { session: other }] = [await join(), await join()];
    const heard: unknown[] = [];
    const handler = (args: unknown[], kwargs: object, { topic, publication }: EventDetails) =>
      heard.push([args, kwargs, topic, typeof publication]);
    await session.subscribe('com.app.', handler, { match: 'prefix' });
    expect(other.publish('com.app.a', [1], { b: 2 })).toBeUndefined();
    const { id } = await other.publish('com.app.b', undefined, undefined, { acknowledge: true });
    expect(id).toBeGreaterThan(0);
    await settled();
    expect(heard).toEqual([
      [[1], { b: 2 }, 'com.app.a', 'number'],
      [[], {}, 'com.app.b', 'number'],
    ]);
  });

  it('never calls a handler while the publisher is still busy', async () => {
    const { join } = componentWorld();
    const { session } = await join();
    const order: string[] = [];
    await session.subscribe('com.app.topic', () => order.push('event'));
    session.publish('com.app.topic', [], {}, { exclude_me: false });
    order.push('published');
    await settled();
    expect(order).toEqual(['published', 'event']);
  });

  it('gives each of two handlers of one topic values of its own, and goes on with one', async () => {
    const { join } = componentWorld();
    const [{ session }, { session: other }] = [await join(), await join()];
    const heard: string[] = [];
    const handler = (name: string) => (args: unknown[]) =>
      heard.push(`${name} ${String((args[0] as string[]).shift())}`);
    const first = await session.subscribe('com.app.topic', handler('first'));
    const second = session.subscribe('com.app.topic', handler('second'));
    // Given up while the same subscription is being made for another handler.
    const third = await session.subscribe('com.app.topic', handler('third'));
    const giving = third.unsubscribe();
    expect((await second).id).toBe(first.id);
    await Promise.all([first.unsubscribe(), giving]);
    other.publish('com.app.topic', [['event']]);
    await settled();
    expect(heard).toEqual(['second event']);
    await session.unsubscribe(await second);
    await expect(session.unsubscribe(await second)).rejects.toThrow('not active');
    expect(await session.call('wamp.subscription.lookup', ['com.app.topic'])).toBe(null);
  });

  it('logs what handlers throw, at once or later, and goes on', async () => {
    const { join, lines } = componentWorld();
    const [{ session }, { session: other }] = [await join(), await join()];
    await session.subscribe('com.app.topic', () => {
      throw new Error('at once');
    });
    await session.subscribe('com.app.topic', () => Promise.reject(new Error('later')));
    other.publish('com.app.topic');
    await settled();
    const failures = lines.filter(({ msg }) => msg === 'event handler of a component failed');
    expect(failures.map(({ err }) => (err as Error).message)).toEqual(['at once', 'later']);
    expect(session.isOpen).toBe(true);
  });

  it('says when the router takes a subscription away', async () => {
    const { join, lines } = componentWorld();
    const [{ session }, { session: other }] = [await join(), await join()];
    const subscription = await session.subscribe('com.app.topic', () => undefined);
    await other.call('wamp.subscription.remove_subscriber', [subscription.id, session.id]);
    await settled();
    expect(subscription.active).toBe(false);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'subscription of a component was revoked' }));
  });
});

describe('calls', () => {
  async function pair(realm?: Parameters<typeof componentWorld>[0]) {
    const world = componentWorld(realm);
    return { ...world, callee: (await world.join()).session, caller: (await world.join()).session };
  }

  it('bring results in the form of autobahn', async () => {
    const { callee, caller } = await pair();
    await callee.register('com.app.echo', (args, kwargs) => new Result(args, kwargs));
    expect(await caller.call('com.app.echo')).toBeNull();
    expect(await caller.call('com.app.echo', [[1]])).toEqual([1]);
    expect(await caller.call('com.app.echo', [1, 2], { a: 3 })).toEqual(new Result([1, 2], { a: 3 }));
    await callee.register('com.app.later', async ([a, b]) => Promise.resolve(Number(a) + Number(b)));
    expect(await caller.call('com.app.later', [2, 3])).toBe(5);
  });

  it('bring what the endpoint throws, if it is meant for the caller', async () => {
    const { callee, caller, lines } = await pair();
    const errors: Record<string, () => unknown> = {
      mine: () => new CallError('com.app.error', ['text'], { code: 1 }),
      // As autobahn-js has it.
      theirs: () => ({ error: 'com.app.error', args: ['text'], kwargs: { code: 1 } }),
      secret: () => new Error('password is hunter2'),
      invalid: () => new CallError('no uri#', ['text']),
      unsendable: () => new CallError('com.app.error', [() => 1]),
    };
    await callee.register('com.app.fail', ([name]) => {
      throw errors[String(name)]?.() as Error;
    });
    const failure = (name: string) => caller.call('com.app.fail', [name]).catch((error: unknown) => error);
    const expected = { error: 'com.app.error', args: ['text'], kwargs: { code: 1 } };
    expect(await failure('mine')).toBeInstanceOf(CallError);
    expect(await failure('mine')).toMatchObject(expected);
    expect(await failure('theirs')).toMatchObject(expected);
    const hidden = { error: 'wamp.error.runtime_error', args: ['the procedure failed'] };
    for (const name of ['secret', 'invalid', 'unsendable']) expect(await failure(name)).toMatchObject(hidden);
    expect(JSON.stringify(lines.filter(({ msg }) => msg === 'endpoint of a component failed'))).toContain('hunter2');
  });

  it('keep to the URIs of the realm: an error that it does not know does not end the session', async () => {
    const { callee, caller } = await pair({ options: { ...STRICT_IDS, uri_check: 'strict' } });
    await callee.register('com.app.fail', () => {
      throw new CallError('com.App.Error');
    });
    await expect(caller.call('com.app.fail')).rejects.toMatchObject({ error: 'wamp.error.runtime_error' });
    expect(callee.isOpen).toBe(true);
  });

  it('bring progressive results to on_progress, and offer progress only to callers who ask', async () => {
    const { callee, caller } = await pair();
    await callee.register('com.app.count', async (_args, _kwargs, { progress }: InvocationDetails) => {
      if (progress === null) return 'no progress';
      progress([1]);
      await Promise.resolve();
      progress([2, 'b'], { c: 3 });
      return 'done';
    });
    const parts: unknown[] = [];
    expect(await caller.call('com.app.count', [], {}, { on_progress: (part) => parts.push(part) })).toBe('done');
    expect(parts).toEqual([1, new Result([2, 'b'], { c: 3 })]);
    expect(await caller.call('com.app.count')).toBe('no progress');
  });

  it('survive an on_progress that throws, and progress after the end', async () => {
    const { callee, caller, lines } = await pair();
    let late: InvocationDetails['progress'] = null;
    await callee.register('com.app.count', (_args, _kwargs, { progress }) => {
      late = progress;
      progress?.([1]);
      return 'done';
    });
    const call = caller.call(
      'com.app.count',
      [],
      {},
      {
        on_progress: () => {
          throw new Error('no room');
        },
      },
    );
    expect(await call).toBe('done');
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'progress handler of a component failed' }));
    expect(() => late?.([2])).toThrow('the call is over');
  });

  it('can be canceled: at once, or when the endpoint has stopped', async () => {
    const { callee, caller } = await pair();
    const stopped: unknown[] = [];
    await callee.register('com.app.slow', (_args, _kwargs, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          stopped.push((signal.reason as CallError).error);
          reject(signal.reason as Error);
        });
      });
    });
    for (const mode of ['kill', 'killnowait'] as const) {
      const call = caller.call('com.app.slow');
      await settled();
      call.cancel({ mode });
      call.cancel({ mode });
      await expect(call).rejects.toMatchObject({ error: 'wamp.error.canceled' });
    }
    await settled();
    expect(stopped).toEqual(['wamp.error.canceled', 'wamp.error.canceled']);
    const call = caller.call('com.app.slow');
    call.cancel({ mode: 'skip' });
    await expect(call).rejects.toMatchObject({ error: 'wamp.error.canceled' });
  });

  it('can be canceled where the router keeps quiet about it', async () => {
    const { callee, caller } = await pair({ compat: { cancel_without_error: true } });
    await callee.register('com.app.slow', () => new Promise(() => undefined));
    const call = caller.call('com.app.slow');
    await settled();
    call.cancel();
    await expect(call).rejects.toMatchObject({ error: 'wamp.error.canceled' });
  });

  it('abort the endpoint when the caller is gone', async () => {
    const { callee, caller } = await pair();
    let signal: AbortSignal | undefined;
    await callee.register('com.app.slow', (_args, _kwargs, details) => {
      ({ signal } = details);
      return new Promise(() => undefined);
    });
    void caller.call('com.app.slow');
    await settled();
    caller.leave();
    await settled();
    expect(signal?.aborted).toBe(true);
  });

  it('are refused when too many are open: what never ends must not pile up', async () => {
    const { callee, caller, join } = await pair();
    await callee.register('com.app.never', () => new Promise(() => undefined));
    // One caller alone may not have so many.
    for (const { session } of [{ session: caller }, await join()]) {
      for (let i = 0; i < MAX_INVOCATIONS / 2; i++) void session.call('com.app.never');
    }
    await settled();
    await expect(caller.call('com.app.never')).rejects.toMatchObject({
      error: 'crossbar.error.max_concurrency_reached',
    });
  });

  it('go nowhere after unregister; one that was under way is told so', async () => {
    const { callee, caller } = await pair();
    const registration = await callee.register('com.app.gone', () => 'here');
    const call = caller.call('com.app.gone');
    const unregistered = registration.unregister();
    await expect(call).rejects.toMatchObject({ error: 'wamp.error.no_available_callee' });
    await unregistered;
    expect(registration.active).toBe(false);
    await expect(caller.call('com.app.gone')).rejects.toMatchObject({ error: 'wamp.error.no_such_procedure' });
  });

  it('go to others when the router takes a registration away', async () => {
    const { callee, caller, lines } = await pair();
    const registration = await callee.register('com.app.mine', () => 'old');
    await caller.register('com.app.mine', () => 'new', { force_reregister: true });
    await settled();
    expect(registration.active).toBe(false);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'registration of a component was revoked' }));
    expect(await callee.call('com.app.mine')).toBe('new');
  });
});

describe('a component whose role has an authorizer', () => {
  it('waits for it, and keeps the order', async () => {
    const roles = [
      { name: 'anonymous', 'allow-by-default': true },
      { name: 'asked', authorizer: 'com.app.authorize' },
    ];
    const { join } = componentWorld({ roles });
    const [{ session: authorizer }, { session }] = [await join(), await join('asked')];
    await authorizer.register('com.app.authorize', ([, uri]) => uri !== 'com.app.denied');
    const heard: unknown[] = [];
    await authorizer.subscribe('com.app.', ([number]) => heard.push(number), { match: 'prefix' });
    for (let number = 0; number < 200; number++) session.publish('com.app.topic', [number]);
    await expect(session.call('com.app.denied')).rejects.toMatchObject({ error: 'wamp.error.not_authorized' });
    await settled();
    expect(heard).toEqual(Array.from({ length: 200 }, (_, number) => number));
  });
});
