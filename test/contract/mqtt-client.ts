/**
 * What the interoperability suite of Eclipse Paho asks of a server (`client_test.py` of eclipse/paho.mqtt.testing, MQTT 3.1.1), asked again
 * with a library that others have written, and in MQTT 3.1, too: of the daemon. Call it in a `describe` that is named after the library.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endTheirClients } from '../support/mqtt-clients.js';
import type { ConnectTheirs, MqttClientOptions, TheirClient } from '../support/mqtt-clients.js';
import { MqttNode } from '../support/mqtt-node.js';
import { ALLOW_ALL } from '../support/node-config.js';

const refused = { uri: 'test.nosubscribe', match: 'exact', allow: { publish: true } };
const realm = { name: 'realm1', roles: [{ name: 'anonymous', permissions: [...ALLOW_ALL, refused] }] };

const VERSIONS = [
  { version: 4, spoken: 'MQTT 3.1.1' },
  { version: 3, spoken: 'MQTT 3.1' },
] as const;

const QOS = [0, 1, 2] as const;

/** @param connectTheirs how the library connects */
export function mqttClientContract(connectTheirs: ConnectTheirs): void {
  let node: MqttNode;
  beforeAll(async () => {
    node = await MqttNode.start({ realms: [realm] });
  });
  afterAll(() => node.daemon.dispose());
  afterEach(endTheirClients);

  /** Topics and client ids of one test, which no other one has. */
  let own = '';
  let tests = 0;
  beforeEach(() => {
    own = `t${++tests}`;
  });

  describe.each(VERSIONS)('in $spoken', ({ version }) => {
    const connect = (id: string, options: Partial<MqttClientOptions> = {}): Promise<TheirClient> =>
      connectTheirs({ port: node.port(), version, clientId: `${own}${id}`, ...options });

    it('sends and gets messages of each QoS, of its own, too', async () => {
      const before = await connect('a');
      await before.leave();
      const client = await connect('a');
      expect(client.isPresent).toBe(false);
      expect(await client.subscribe([`${own}/a`, 2])).toEqual([2]);
      for (const qos of QOS) await client.publish(`${own}/a`, `with ${qos}`, { qos });
      expect(await client.take(3)).toEqual(QOS.map((qos) => `${own}/a with ${qos} q${qos}`));
      expect(await client.subscribe([`${own}/b`, 0], [`${own}/c`, 1])).toEqual([0, 1]);
      for (const topic of ['b', 'c']) await client.publish(`${own}/${topic}`, 'x', { qos: 2 });
      expect(await client.take(2)).toEqual([`${own}/b x q0`, `${own}/c x q1`]);
    });

    it('is told what was retained, by its QoS, until that is cleared', async () => {
      const sender = await connect('a');
      for (const qos of QOS) await sender.publish(`${own}/${qos}`, `with ${qos}`, { qos, retain: true });
      const first = await connect('b');
      await first.subscribe([`${own}/+`, 2]);
      const kept = await first.take(3);
      expect([...kept].sort()).toEqual(QOS.map((qos) => `${own}/${qos} with ${qos} q${qos} retained`));
      // To whom is subscribed already it is a message like others.
      await sender.publish(`${own}/0`, 'again', { retain: true });
      expect(await first.take(1)).toEqual([`${own}/0 again q0`]);
      for (const qos of QOS) await sender.publish(`${own}/${qos}`, '', { qos, retain: true });
      const second = await connect('c');
      await second.subscribe([`${own}/+`, 2]);
      await sender.publish(`${own}/end`, 'x', { qos: 1 });
      expect(await second.take(1)).toEqual([`${own}/end x q1`]);
    });

    it('finds what came while it was away, but for QoS 0', async () => {
      const before = await connect('a', { clean: false });
      expect(before.isPresent).toBe(false);
      await before.subscribe([`${own}/+`, 2]);
      await before.leave();
      const sender = await connect('b');
      for (const qos of QOS) await sender.publish(`${own}/${qos}`, 'x', { qos });
      const after = await connect('a', { clean: false });
      // It stands in the octet of CONNACK that MQTT 3.1 keeps for later, and that libraries of 3.1 pass over.
      expect(after.isPresent).toBe(true);
      expect(await after.take(2)).toEqual([`${own}/1 x q1`, `${own}/2 x q2`]);
      await sender.publish(`${own}/0`, 'y');
      expect(await after.take(1)).toEqual([`${own}/0 y q0`]);
      await after.leave();
      const clean = await connect('a', { clean: true });
      expect(clean.isPresent).toBe(false);
      await clean.leave();
      expect((await connect('a', { clean: false })).isPresent).toBe(false);
    });

    it('leaves a will when it is cut off, with its QoS, and none when it says DISCONNECT', async () => {
      const heir = await connect('heir', { clean: false });
      await heir.subscribe([`${own}/will/#`, 2]);
      for (const qos of QOS) {
        const will = { topic: `${own}/will/${qos}`, qos, retain: qos === 2 };
        const polite = await connect('polite', { will: { ...will, payload: 'polite' } });
        await polite.leave();
        const cut = await connect('cut', { will: { ...will, payload: 'cut' } });
        await cut.cut();
        expect(await heir.take(1)).toEqual([`${own}/will/${qos} cut q${qos}`]);
      }
      const later = await connect('later');
      await later.subscribe([`${own}/will/2`, 2]);
      expect(await later.take(1)).toEqual([`${own}/will/2 cut q2 retained`]);
    });

    it('with filters that overlap gets a message with the highest QoS, at least once', async () => {
      const client = await connect('a');
      expect(await client.subscribe([`${own}/#`, 2], [`${own}/+`, 1])).toEqual([2, 1]);
      await client.publish(`${own}/c`, 'x', { qos: 2 });
      await client.publish(`${own}/c/d`, 'end', { qos: 2 });
      const end = `${own}/c/d end q2`;
      const got = new Set<string>();
      while (!got.has(end)) for (const message of await client.take(1)) got.add(message);
      const [high, low] = [`${own}/c x q2`, `${own}/c x q1`];
      expect([...got].filter((message) => message !== low)).toEqual([high, end]);
    });

    it('is cut when it is silent for longer than its keep-alive, unless that is 0, and its will is published', async () => {
      const heir = await connect('heir');
      await heir.subscribe([`${own}/will`, 1]);
      const will = { topic: `${own}/will`, payload: 'silent', qos: 1, retain: false } as const;
      const [silent, alive] = [
        await connect('silent', { keepalive: 1, silent: true, will }),
        await connect('alive', { keepalive: 0, silent: true, will: { ...will, payload: 'alive' } }),
      ];
      await silent.closed;
      expect(await heir.take(1)).toEqual([`${own}/will silent q1`]);
      await alive.subscribe([`${own}/on`, 0]);
      await alive.publish(`${own}/on`, 'still here');
      expect(await alive.take(1)).toEqual([`${own}/on still here q0`]);
    });

    it('is sent again what it has not acknowledged, when it is back', async () => {
      const mute = await connect('a', { clean: false, mute: true });
      await mute.subscribe([`${own}/#`, 2]);
      const sender = await connect('b');
      for (const qos of QOS) await sender.publish(`${own}/${qos}`, 'x', { qos });
      await mute.cut();
      const back = await connect('a', { clean: false });
      expect(await back.take(2)).toEqual([`${own}/1 x q1 again`, `${own}/2 x q2 again`]);
      // What it has acknowledged is over.
      await back.leave();
      const once = await connect('a', { clean: false });
      await sender.publish(`${own}/end`, 'x', { qos: 1 });
      expect(await once.take(1)).toEqual([`${own}/end x q1`]);
    });

    it('need not be given a client id, and two have none in common', async () => {
      // MQTT 3.1 has no empty one: the libraries make them.
      const options = { port: node.port(), version, ...(version === 4 && { clientId: '' }) };
      const [one, other] = [await connectTheirs(options), await connectTheirs(options)];
      await one.subscribe([`${own}/a`, 0]);
      await other.publish(`${own}/a`, 'x');
      expect(await one.take(1)).toEqual([`${own}/a x q0`]);
    });

    it('is told which of its subscriptions is refused', async () => {
      const client = await connect('a');
      expect(await client.subscribe(['test/nosubscribe', 2])).toEqual([0x80]);
      expect(await client.subscribe([`${own}/a`, 1], ['test/#', 2], [`${own}/b`, 0])).toEqual([1, 0x80, 0]);
      await client.publish('test/nosubscribe', 'x', { qos: 1 });
      await client.publish(`${own}/a`, 'x', { qos: 1 });
      expect(await client.take(1)).toEqual([`${own}/a x q1`]);
    });

    it('gets nothing more after UNSUBSCRIBE, and keeps its other filters', async () => {
      const [client, sender] = [await connect('a'), await connect('b')];
      for (const topic of ['a', 'b', 'c']) await client.subscribe([`${own}/${topic}`, 2]);
      await client.unsubscribe(`${own}/a`);
      await client.unsubscribe(`${own}/never`);
      for (const topic of ['a', 'b', 'c']) await sender.publish(`${own}/${topic}`, 'x', { qos: 1 });
      expect(await client.take(2)).toEqual([`${own}/b x q1`, `${own}/c x q1`]);
    });

    it('does not get topics that begin with $ for a filter that begins with a wildcard', async () => {
      const client = await connect('a');
      expect(await client.subscribe([`+/${own}`, 2])).toEqual([2]);
      await client.publish(`$SYS/${own}`, 'x', { qos: 1 });
      await client.publish(`a/${own}`, 'x', { qos: 1 });
      expect(await client.take(1)).toEqual([`a/${own} x q1`]);
      await client.subscribe([`$SYS/${own}`, 1]);
      await client.publish(`$SYS/${own}`, 'y', { qos: 1 });
      expect(await client.take(1)).toEqual([`$SYS/${own} y q1`]);
    });

    it('gives way to another one with its client id', async () => {
      const heir = await connect('heir');
      await heir.subscribe([`${own}/will`, 1]);
      const will = { topic: `${own}/will`, payload: 'x', qos: 1, retain: false } as const;
      const before = await connect('a', { will });
      await connect('a');
      await before.closed;
      expect(await heir.take(1)).toEqual([`${own}/will x q1`]);
    });
  });
}
