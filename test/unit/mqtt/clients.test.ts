import { describe, expect, it } from 'vitest';
import type { AuthMethod } from '../../../src/auth/method.js';
import { testAuth } from '../../support/auth.js';
import { MqttWorld, settled, willOf } from '../../support/mqtt-world.js';

const KEPT = { clean: false } as const;

async function logins() {
  const principals = { joe: { ticket: 'x', role: 'anonymous' }, ann: { ticket: 'x', role: 'anonymous' } };
  const auth = await testAuth({
    ticket: { type: 'static', principals },
    anonymous: { type: 'static', role: 'anonymous' },
  });
  return new Map(['ticket', 'anonymous'].map((name) => [name, auth.method(name)]));
}

const as = (username: string) => ({ username, password: Buffer.from('x') });

describe('a client that is kept', () => {
  it('gets what came while it was away, and then each event once', async () => {
    const world = new MqttWorld();
    const other = await world.connect('other');
    const before = await world.connect('me', KEPT);
    before.subscribe(['a/#', 2], ['a/+/#', 1]);
    other.publish('a/b', '1', 1).publish('a/b', '2', 2);
    expect(before.got).toEqual(['connack 0', 'suback 1: 2,1', 'a/b 1 q1 #1', 'a/b 2 q2 #2']);
    before.break();
    other.publish('a/b', '3', 2).publish('a/b', 'lost', 0).publish('other', 'x', 1);
    expect([world.sessions, world.clients.size.kept]).toEqual([2, 1]);

    const after = await world.connect('me', KEPT);
    expect(after.got).toEqual(['connack 0 present', 'a/b 1 q1 #1 again', 'a/b 2 q2 #2 again']);
    other.publish('a/b', '4', 0).publish('a', '5', 1);
    after.acknowledge('puback', 1).acknowledge('pubrec', 2).acknowledge('pubcomp', 2);
    expect(after.got).toEqual(['a/b 4', 'a/b 3 q2 #3', 'pubrel 2', 'a 5 q1 #4']);
    expect([world.sessions, world.clients.size.kept]).toEqual([2, 0]);
  });

  it('is not sent retained events again when it comes back', async () => {
    const world = new MqttWorld();
    const before = await world.connect('me', KEPT);
    before.publish('a', 'kept', 1, { retain: true }).subscribe(['a', 1]).acknowledge('puback', 1).leave();
    const after = await world.connect('me', KEPT);
    expect(after.got).toEqual(['connack 0 present']);
  });

  it('is forgotten in time', async () => {
    const world = new MqttWorld();
    (await world.connect('me', KEPT)).leave();
    world.clock.advance(59_999);
    expect(world.clients.size).toEqual({ clients: 1, kept: 1, bytes: 0 });
    world.clock.advance(1);
    await settled();
    expect(world.clients.size).toEqual({ clients: 0, kept: 0, bytes: 0 });
    expect([world.sessions, world.counts.keptExpired, world.clock.waiting]).toEqual([0, 1, 0]);
    expect((await world.connect('me', KEPT)).got).toEqual(['connack 0']);
  });

  it('makes room for others when it was away for longest', async () => {
    const world = new MqttWorld();
    for (const name of ['one', 'two', 'three', 'four']) (await world.connect(name, KEPT)).leave();
    await settled();
    expect([world.clients.size.kept, world.sessions, world.counts.keptDropped]).toEqual([3, 3, 1]);
    expect((await world.connect('one', KEPT)).got).toEqual(['connack 0']);
    expect((await world.connect('two', KEPT)).got).toEqual(['connack 0 present']);
  });

  it('makes room for others when too much waits for them all', async () => {
    const world = new MqttWorld({ limits: { maxKeptBytes: 15_500 } });
    const other = await world.connect('other');
    for (const name of ['one', 'two']) {
      const client = await world.connect(name, KEPT);
      client.subscribe([name, 1]).leave();
    }
    other.publish('one', 'x'.repeat(700), 1).publish('two', 'x'.repeat(700), 1);
    expect(world.clients.size).toMatchObject({ kept: 2 });
    other.publish('two', 'x'.repeat(700), 1);
    await settled();
    expect(world.clients.size).toMatchObject({ clients: 2, kept: 1 });
    expect([world.sessions, world.counts.keptDropped]).toEqual([2, 1]);
    expect((await world.connect('two', KEPT)).got).toHaveLength(3);
  });

  it('is forgotten when it asks for that, or its session is killed', async () => {
    const world = new MqttWorld();
    (await world.connect('me', KEPT)).leave();
    expect((await world.connect('me')).got).toEqual(['connack 0']);
    expect((await world.connect('me', KEPT)).got).toEqual(['connack 0']);
    const killed = await world.connect('you', KEPT);
    killed.leave();
    world.kill(killed);
    await settled();
    expect((await world.connect('you', KEPT)).got).toEqual(['connack 0']);
  });

  it('does not publish a message of QoS 2 again that it sends again', async () => {
    const world = new MqttWorld();
    const [other, before] = [await world.connect('other'), await world.connect('me', KEPT)];
    other.subscribe(['a', 0]);
    before.publish('a', '1', 2).break();
    const after = await world.connect('me', KEPT);
    after.publish('a', '1', 2, { dup: true });
    expect(after.got).toEqual(['connack 0 present', 'pubrec 1']);
    expect(other.got).toEqual(['connack 0', 'suback 1: 0', 'a 1']);
  });

  it('that says DISCONNECT or breaks at once is away all the same', async () => {
    const world = new MqttWorld();
    const watcher = await world.connect('watcher');
    watcher.subscribe(['w', 0]);
    world.arrive('one', { ...KEPT, will: willOf('w', 'one') }).leave();
    world.arrive('two', { ...KEPT, will: willOf('w', 'two') }).break();
    await settled();
    expect(world.clients.size).toMatchObject({ clients: 3, kept: 2 });
    expect(watcher.got).toEqual(['connack 0', 'suback 1: 0', 'w two']);
    world.arrive('one', { ...KEPT, will: willOf('w', 'one') }).break();
    world.arrive('one', { ...KEPT, will: willOf('w', 'one') });
    await settled();
    expect(world.clients.size).toMatchObject({ clients: 3, kept: 1 });
    expect(watcher.got).toEqual(['w one']);
  });
});

describe('a client id', () => {
  it('is of the newer connection, and what was kept goes on', async () => {
    const world = new MqttWorld();
    const [other, before] = [await world.connect('other'), await world.connect('me', KEPT)];
    before.subscribe(['a', 1]);
    other.publish('a', '1', 1);
    const after = await world.connect('me', KEPT);
    expect(before.closed).toBe('another connection has the same client id');
    expect(after.got).toEqual(['connack 0 present', 'a 1 q1 #1 again']);
    other.publish('a', '2', 1);
    expect(after.got).toEqual(['a 2 q1 #2']);
    // What is told of the old connection changes nothing.
    before.break();
    expect([world.counts.takenOver, world.clients.size.clients, world.sessions]).toEqual([1, 2, 2]);
  });

  it('is of its principal: others have it, too, and see nothing of what is kept', async () => {
    const world = new MqttWorld({ methods: await logins() });
    const other = await world.connect('other');
    const connect = async (who?: string) => {
      const client = await world.connect('me', { ...KEPT, ...(who !== undefined && as(who)) });
      await settled();
      return client;
    };
    const joe = await connect('joe');
    joe.subscribe(['a', 1]);
    const [stranger, ann] = [await connect(), await connect('ann')];
    other.publish('a', 'for joe', 1);
    expect([joe.closed, stranger.got, ann.got]).toEqual([undefined, ['connack 0'], ['connack 0']]);
    joe.leave();
    const again = await connect('joe');
    expect(again.got).toEqual(['connack 0 present', 'a for joe q1 #1 again']);
    // Strangers cannot be told apart.
    await connect();
    expect(stranger.closed).toBeDefined();
    expect(ann.closed).toBeUndefined();
  });

  it('may be left out by clients that are not kept', async () => {
    const world = new MqttWorld();
    const clients = [await world.connect(''), await world.connect('')];
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
    for (const client of clients) client.break();
    await settled();
    expect([world.sessions, world.clients.size.clients]).toEqual([0, 0]);
  });

  it('is free when the node has stopped', async () => {
    const world = new MqttWorld();
    (await world.connect('me', KEPT)).leave();
    world.clients.stop();
    await settled();
    expect(world.sessions).toBe(0);
    expect((await world.connect('me', KEPT)).got).toEqual(['connack 0']);
  });

  it('whose principal has another role finds nothing of what was kept', async () => {
    let role = 'one';
    const roles = ['one', 'two'].map((name) => ({ name, 'allow-by-default': true }));
    const method: AuthMethod = {
      start: ({ realm }) => ({
        type: 'accept',
        principal: { realm, authid: 'joe', authrole: role, authmethod: 'anonymous-free', authprovider: 'test' },
      }),
    };
    const world = new MqttWorld({ roles, methods: new Map([['ticket', method]]) });
    const before = await world.connect('me', { ...KEPT, ...as('joe') });
    before.subscribe(['a', 1]).publish('a', 'x', 1).leave();
    role = 'two';
    const after = await world.connect('me', { ...KEPT, ...as('joe') });
    expect(after.got).toEqual(['connack 0']);
    expect([world.sessions, world.clients.size.clients]).toEqual([1, 1]);
  });
});

describe('a session that ends while the client comes back', () => {
  const ROLES = [
    { name: 'anonymous', authorizer: 'com.authorize' },
    { name: 'backend', 'allow-by-default': true },
  ];

  /** A client that is kept with one filter, and has come back: the authorizer is being asked about it. */
  async function returning() {
    const world = new MqttWorld({ roles: ROLES });
    const decider = world.insider('backend');
    decider.tell(64, 1, {}, 'com.authorize').heard();
    const answer = async (): Promise<void> => {
      for (const [type, id] of decider.heard()) if (type === 68) decider.tell(70, id, {}, [true]);
      await settled();
    };
    const before = await world.connect('me', KEPT);
    before.subscribe(['a', 1]);
    await answer();
    before.break();
    return { world, answer, before, after: await world.connect('me', KEPT) };
  }

  it('may be the old one: then the new one goes on', async () => {
    const { world, answer, before, after } = await returning();
    world.kill(before, 'backend');
    await settled();
    after.say({ cmd: 'pingreq' });
    await answer();
    world.insider('backend').tell(16, 1, {}, 'a', ['x']);
    expect(after.got).toEqual(['connack 0 present', 'pingresp', 'a x']);
    expect(world.clients.size).toMatchObject({ clients: 1, kept: 0 });
  });

  it('may be the new one: then the client is away again', async () => {
    const { world, answer, after } = await returning();
    world.kill(after, 'backend');
    await settled();
    expect(after.closed).toBeDefined();
    expect(world.clients.size).toMatchObject({ clients: 1, kept: 1 });
    const again = await world.connect('me', KEPT);
    await answer();
    world.insider('backend').tell(16, 1, {}, 'a', ['x']);
    expect(again.got).toEqual(['connack 0 present', 'a x']);
  });

  it('may be the new one, because a third has come', async () => {
    const { world, answer, after } = await returning();
    const third = await world.connect('me', KEPT);
    expect(after.closed).toBeDefined();
    await answer();
    await answer();
    world.insider('backend').tell(16, 1, {}, 'a', ['x']);
    expect(third.got).toEqual(['connack 0 present', 'a x']);
    expect(world.clients.size).toMatchObject({ clients: 1, kept: 0 });
  });
});
