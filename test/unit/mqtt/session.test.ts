import { describe, expect, it } from 'vitest';
import type { RoleConfig } from '../../../src/router/schema.js';
import type { PayloadMapping } from '../../../src/mqtt/payload/mapping.js';
import { passthroughMapping } from '../../../src/mqtt/payload/passthrough.js';
import { UNSUBSCRIBED } from '../../../src/wamp/message.js';
import { testAuth } from '../../support/auth.js';
import { MqttWorld, settled, willOf } from '../../support/mqtt-world.js';
import { ALLOW_ALL } from '../../support/realm.js';
import { testUplink } from '../../support/uplink.js';
import type { TestClient, WorldOptions } from '../../support/mqtt-world.js';

const TICKETS = {
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } },
  anonymous: { type: 'static', role: 'anonymous' },
};

async function methods() {
  const auth = await testAuth(TICKETS);
  return new Map(['ticket', 'anonymous'].map((name) => [name, auth.method(name)]));
}

describe('CONNECT', () => {
  it('opens a session, and what was sent behind it is taken in order', async () => {
    const world = new MqttWorld();
    const client = world.arrive('me').subscribe(['a', 1]).publish('a', 'hello');
    expect(client.isPaused).toBe(true);
    await settled();
    expect(client.got).toEqual(['connack 0', 'suback 1: 1', 'a hello']);
    expect([client.isOpened, client.isPaused, world.sessions]).toEqual([true, false, 1]);
    client.say({ cmd: 'pingreq' });
    expect(client.got).toEqual(['pingresp']);
  });

  it.each([
    ['secret', ['connack 0'], 1],
    ['wrong', ['connack 4'], 0],
  ])('with the password %s gets %j', async (password, answer, sessions) => {
    const world = new MqttWorld({ methods: await methods() });
    const client = await world.connect('me', { username: 'joe', password: Buffer.from(password) });
    await settled();
    expect(client.got).toEqual(answer);
    expect(world.sessions).toBe(sessions);
    expect(client.closed === undefined).toBe(sessions === 1);
  });

  it('leaves neither password nor will with a client that is in: it may be kept for days', async () => {
    const world = new MqttWorld({ methods: await methods() });
    const secret = { username: 'joe', password: Buffer.from('secret'), will: willOf('w', 'x'.repeat(60_000)) };
    const client = await world.connect('me', { ...secret, clean: false });
    await settled();
    expect([client.got, client.session?.connect]).toEqual([['connack 0'], { clean: false, clientId: 'me' }]);
  });

  it.each([
    ['a user name where nobody has one', 'me', { username: 'joe', password: Buffer.from('x') }, 'connack 5'],
    ['no client id, and wants to be kept', '', { clean: false }, 'connack 2'],
    ['too long a client id', 'x'.repeat(1025), {}, 'connack 2'],
    ['a password that is no text', 'me', { username: 'joe', password: Buffer.of(0xff) }, 'connack 4'],
  ])('with %s is refused', async (_, clientId, options, answer) => {
    const world = new MqttWorld();
    const client = await world.connect(clientId, options);
    expect(client.got).toEqual([answer]);
    expect(client.closed).toBeDefined();
    expect(world.sessions).toBe(0);
  });

  it('that takes too long is told to come back', async () => {
    const world = new MqttWorld({ methods: await methods() });
    const client = world.arrive('me', { username: 'joe', password: Buffer.from('secret') });
    client.session?.overdue(100);
    await settled();
    expect(client.got).toEqual(['connack 3']);
    expect(world.sessions).toBe(0);
  });

  it('leaves nothing behind when the connection breaks before the answer', async () => {
    const world = new MqttWorld({ methods: await methods() });
    const clients = ['one', 'two'].map((name) =>
      world.arrive(name, { username: 'joe', password: Buffer.from('secret') }),
    );
    expect(world.clients.opening).toBe(2);
    clients[0]?.break();
    await settled();
    expect([world.clients.opening, world.sessions, clients[0]?.got]).toEqual([0, 1, []]);
    (await world.connect('three', { username: 'joe', password: Buffer.from('wrong') })).break();
    await settled();
    expect(world.clients.opening).toBe(0);
  });

  it('a second one ends the connection', async () => {
    const world = new MqttWorld();
    const client = await world.connect('me');
    client.say({ cmd: 'connect', protocolVersion: 4, clientId: 'me', clean: true, keepalive: 0 });
    await settled();
    expect(client.closed).toBe('a second CONNECT');
    expect(world.sessions).toBe(0);
  });
});

describe('messages', () => {
  it('go to the subscribers with the lower QoS of the two, and are answered', async () => {
    const world = new MqttWorld();
    const [one, two] = [await world.connect('one'), await world.connect('two')];
    one.subscribe(['a/+', 1]);
    two.publish('a/b', '0').publish('a/b', '1', 1).publish('a/b', '2', 2);
    expect(one.got).toEqual(['connack 0', 'suback 1: 1', 'a/b 0', 'a/b 1 q1 #1', 'a/b 2 q1 #2']);
    expect(two.got).toEqual(['connack 0', 'puback 1', 'pubrec 2']);
    // Again, because the answer was lost; then over.
    two.publish('a/b', '2', 2, { messageId: 2 }).acknowledge('pubrel', 2).publish('a/b', '3', 2, { messageId: 2 });
    expect(two.got).toEqual(['pubrec 2', 'pubcomp 2', 'pubrec 2']);
    one.acknowledge('puback', 1).acknowledge('puback', 2);
    expect(one.got).toEqual(['a/b 3 q1 #3']);
  });

  it('of QoS 0 are one buffer for all, and their payload is made once', async () => {
    let made = 0;
    const encode: PayloadMapping['encode'] = (event) => {
      made += 1;
      return passthroughMapping.encode(event);
    };
    const world = new MqttWorld({
      mappingOf: () => ({ decode: (message) => passthroughMapping.decode(message), encode }),
    });
    const clients = await Promise.all(['one', 'two', 'three'].map((name) => world.connect(name)));
    for (const client of clients) client.subscribe(['a/#', 2]);
    clients[0]?.publish('a/b', 'x');
    const frames = clients.map((client) => client.frames.at(-1));
    expect(frames[1]).toBe(frames[0]);
    expect(frames[2]).toBe(frames[0]);
    clients[0]?.publish('a/b', 'x', 2);
    expect(made).toBe(2);
  });

  it('are retained, and no more after an empty one', async () => {
    const world = new MqttWorld();
    const [one, two] = [await world.connect('one'), await world.connect('two')];
    two.publish('a/b', 'kept', 1, { retain: true });
    one.subscribe(['a/#', 1]);
    expect(one.got).toEqual(['connack 0', 'a/b kept q1 #1 retained', 'suback 1: 1']);
    two.publish('a/b', '', 0, { retain: true });
    expect(one.got).toEqual(['a/b ']);
    one.subscribe(['a/#', 1]);
    expect(one.got).toEqual(['suback 2: 1']);
  });

  describe('that are to be retained', () => {
    async function toldBy(act: (client: TestClient) => unknown, options: WorldOptions): Promise<readonly object[]> {
      const lines: string[] = [];
      const world = new MqttWorld({ log: (line) => lines.push(line), ...options });
      act(await world.connect('me', { will: willOf('w', 'gone', 0, true) }));
      await settled();
      const told = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      const ofMessages = told.filter(({ msg }) => String(msg).startsWith('message of a client of MQTT'));
      return ofMessages.map(({ level, msg, topic, reason }) => ({ level, msg, topic, reason }));
    }

    const notRetained = {
      ...{ level: 'info', msg: 'message of a client of MQTT delivered, but not retained' },
      reason: 'events of a realm on several nodes are not retained',
    };
    it.each<[string, (client: TestClient) => unknown, readonly string[]]>([
      ['with QoS 0', (client) => client.publish('a', 'x', 0, { retain: true }), ['a']],
      ['with QoS 2', (client) => client.publish('a/b', 'x', 2, { retain: true }), ['a.b']],
      ['as a will', (client) => client.break(), ['w']],
      ['and are not', (client) => client.publish('a', 'x', 1), []],
      ['with nothing in them, which delete', (client) => client.publish('a', '', 1, { retain: true }), []],
    ])('are told where nothing is retained: %s', async (_how, act, topics) => {
      const { uplink, published } = testUplink();
      expect(await toldBy(act, { uplink })).toEqual(topics.map((topic) => ({ ...notRetained, topic })));
      expect(published.filter(({ topic }) => !topic.startsWith('wamp.'))).toHaveLength(1);
      expect(await toldBy(act, {})).toEqual([]);
    });

    it('are not told as delivered where they are refused', async () => {
      const { uplink } = testUplink();
      const refuse = { uri: 'a', match: 'exact', allow: { publish: false } } as const;
      const roles = [{ ...ALLOW_ALL, permissions: [...(ALLOW_ALL.permissions ?? []), refuse] }] as RoleConfig[];
      const publish = (client: TestClient) => client.publish('a', 'x', 1, { retain: true });
      expect(await toldBy(publish, { uplink, roles })).toMatchObject([{ msg: 'message of a client of MQTT dropped' }]);
    });
  });

  it('that are refused are answered, and counted', async () => {
    const permission = (uri: string, publish: boolean) => ({
      ...{ uri, match: 'exact' as const, allow: { publish, subscribe: true, call: false, register: false } },
    });
    const role = { name: 'anonymous', permissions: [permission('good', true), permission('bad', false)] } as RoleConfig;
    const world = new MqttWorld({ roles: [role] });
    const client = await world.connect('me');
    client
      .subscribe(['good', 0], ['bad', 1], ['other', 1])
      .publish('bad', 'x', 1)
      .publish('bad', 'x')
      .publish('good', 'x', 1);
    expect(client.got).toEqual(['connack 0', 'suback 1: 0,1,128', 'puback 2', 'good x', 'puback 3']);
    expect(world.counts.refusedMessages).toBe(2);
  });

  it('come also where none may wait', async () => {
    const world = new MqttWorld({ limits: { maxQueued: 0 } });
    const client = await world.connect('a');
    client.subscribe(['a', 1]);
    client.publish('a', 'x').publish('a', 'y', 1);
    expect(client.got.filter((packet) => packet.startsWith('a '))).toEqual(['a x', 'a y q1 #1']);
  });

  it('come no more after UNSUBSCRIBE', async () => {
    const world = new MqttWorld();
    const client = await world.connect('me');
    client.subscribe(['a', 0], ['a/#', 0]).unsubscribe('a/#', 'nothing');
    await settled();
    client.publish('a/b', 'x').publish('a', 'y');
    expect(client.got).toEqual(['connack 0', 'suback 1: 0,0', 'unsuback 2', 'a y']);
  });

  it('come no more when the router has taken the subscription away', async () => {
    const lines: string[] = [];
    const world = new MqttWorld({ log: (line) => lines.push(line) });
    const client = await world.connect('me');
    client.subscribe(['a', 0]);
    const { session } = client;
    session?.send({ type: UNSUBSCRIBED, requestId: 0, details: { subscription: 1 } });
    expect(session?.subscriptions.filters).toEqual([]);
    expect(lines.filter((line) => line.includes('client of MQTT is subscribed no more'))).toHaveLength(1);
  });

  it('without a mapping are dropped', async () => {
    const world = new MqttWorld({ mappingOf: () => undefined });
    const client = await world.connect('me');
    client.subscribe(['a', 1]).publish('a', 'x', 1);
    expect(client.got).toEqual(['connack 0', 'suback 1: 1', 'puback 2']);
    expect(world.counts.refusedMessages).toBe(1);
  });
});

describe('a will', () => {
  it.each([
    ['the connection breaks', 1, 1],
    ['the client says DISCONNECT', 0, 1],
    ['the session is killed', 1, 2],
    ['the node stops', 1, 0],
    ['another connection has its id', 1, 2],
  ])('when %s is published %i times', async (what, times, left) => {
    const world = new MqttWorld();
    const [watcher, client] = [
      await world.connect('watcher'),
      await world.connect('me', { will: willOf('w', 'gone', 1) }),
    ];
    watcher.subscribe(['w', 1]);
    expect(watcher.got).toHaveLength(2);
    if (what.startsWith('the connection')) client.break();
    if (what.endsWith('DISCONNECT')) client.leave();
    if (what.endsWith('killed')) world.kill(client);
    if (what.endsWith('stops')) world.clients.stop();
    if (what.endsWith('its id')) await world.connect('me');
    await settled();
    expect(watcher.got).toEqual(times === 1 ? ['w gone q1 #1'] : []);
    if (!what.startsWith('the connection')) expect(client.closed).toBeDefined();
    expect(world.sessions).toBe(left);
  });
});
