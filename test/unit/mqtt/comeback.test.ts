/** What must hold at any moment of reconnection, and what must hold when answers take time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PayloadMapping, Publication } from '../../../src/mqtt/payload/mapping.js';
import { PayloadError } from '../../../src/mqtt/payload/mapping.js';
import { passthroughMapping } from '../../../src/mqtt/payload/passthrough.js';
import type { Qos } from '../../../src/wamp/message.js';
import { MqttWorld, settled, willOf } from '../../support/mqtt-world.js';
import type { TestClient } from '../../support/mqtt-world.js';

/** A client of MQTT with a memory, as section 4.3 wants it: it answers, and tells what it has got. */
class Device {
  readonly got: string[] = [];
  /** QoS 2: ids that it has, and PUBREL has not come for. */
  readonly #held = new Set<number>();
  #link: TestClient | undefined;

  use(link: TestClient | undefined): void {
    this.#link = link;
  }

  /** Takes what has come, and answers as many packets as it has the time for. */
  work(answers: number): void {
    let left = answers;
    for (const text of this.#link?.got ?? []) {
      const [, payload, qos, id] = /^\S+ (\S+) q(\d) #(\d+)/.exec(text) ?? [];
      const pubrel = /^pubrel (\d+)$/.exec(text)?.[1];
      if (payload !== undefined) this.#take(payload, qos === '2', Number(id));
      if (pubrel !== undefined) this.#held.delete(Number(pubrel));
      // An answer that it has no time for is one that was lost: the connection will break before long.
      if (left-- <= 0) continue;
      if (pubrel !== undefined) this.#link?.acknowledge('pubcomp', Number(pubrel));
      if (payload !== undefined) this.#link?.acknowledge(qos === '2' ? 'pubrec' : 'puback', Number(id));
    }
  }

  #take(payload: string, isOnce: boolean, id: number): void {
    if (isOnce && this.#held.has(id)) return;
    if (isOnce) this.#held.add(id);
    this.got.push(payload);
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('publish' as const), qos: fc.constantFrom<Qos>(1, 2), n: fc.constant(0) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('work' as const), qos: fc.constant<Qos>(0), n: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom('break' as const, 'arrive' as const, 'turn' as const),
      qos: fc.constant<Qos>(0),
      n: fc.constant(0),
    }),
  },
);

describe('a client that comes and goes', () => {
  it('gets each message of QoS 2 once and each of QoS 1 at least once, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new MqttWorld();
        const device = new Device();
        const publisher = await world.connect('publisher');
        let link = await world.connect('device', { clean: false });
        link.subscribe(['t/#', 2], ['t/+', 2]).unsubscribe('t/+');
        device.use(link);
        await settled();
        const sent: { readonly text: string; readonly qos: Qos }[] = [];
        const arrive = (): void => {
          link = world.arrive('device', { clean: false });
          device.use(link);
        };
        for (const { what, qos, n } of steps) {
          if (what === 'publish') {
            const text = `${qos}-${sent.length}`;
            sent.push({ text, qos });
            publisher.publish('t/x', text, qos, { messageId: sent.length });
          }
          if (what === 'work') device.work(n);
          if (what === 'break') link.break();
          if (what === 'arrive') arrive();
          if (what === 'turn') await settled();
        }
        arrive();
        for (let turn = 0; turn < sent.length + 2; turn++) {
          await settled();
          device.work(Infinity);
        }
        const first = [...new Set(device.got)];
        expect(first).toEqual(sent.map(({ text }) => text));
        const once = device.got.filter((text) => text.startsWith('2-'));
        expect(once).toEqual([...new Set(once)]);
        expect(world.sessions).toBe(2);
        expect(world.clients.size).toEqual({ clients: 2, kept: 0, bytes: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

/** A mapping that answers when the test says so. */
class SlowMapping implements PayloadMapping {
  readonly #waiting: ((error?: Error) => void)[] = [];

  decode(message: Parameters<PayloadMapping['decode']>[0]): Promise<Publication> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((error) => {
        if (error !== undefined) reject(error);
        else resolve(passthroughMapping.decode(message));
      });
    });
  }

  encode(event: Parameters<PayloadMapping['encode']>[0]): Buffer | Promise<Buffer> {
    return passthroughMapping.encode(event);
  }

  async answer(index: number, error?: Error): Promise<void> {
    this.#waiting[index]?.(error);
    await settled();
  }
}

describe('messages whose payload takes time', () => {
  it('keep their order, and their answers', async () => {
    const mapping = new SlowMapping();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const client = await world.connect('me');
    client.subscribe(['a', 0]).publish('a', '1', 1).publish('a', '2', 1).publish('a', '3', 2);
    await mapping.answer(1);
    expect(client.got).toEqual(['connack 0', 'suback 1: 0']);
    await mapping.answer(0);
    expect(client.got).toEqual(['a 1', 'puback 2', 'a 2', 'puback 3']);
    await mapping.answer(2, new PayloadError('none'));
    expect(client.got).toEqual(['pubrec 4']);
    expect(world.counts.refusedMessages).toBe(1);
  });

  it('are published though the connection has gone, and so is the will behind them', async () => {
    const mapping = new SlowMapping();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const watcher = await world.connect('watcher');
    watcher.subscribe(['#', 0]);
    const client = await world.connect('me', { will: willOf('w', 'gone') });
    client.publish('a', '1', 1).break();
    await mapping.answer(1);
    expect(world.sessions).toBe(2);
    await mapping.answer(0);
    expect(watcher.got).toEqual(['connack 0', 'suback 1: 0', 'a 1', 'w gone']);
    expect(world.sessions).toBe(1);
  });

  it('are not read any more when too many wait', async () => {
    const mapping = new SlowMapping();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const client = await world.connect('me');
    for (let index = 0; index <= 100; index++) client.publish('a', 'x', 1);
    expect(client.isPaused).toBe(true);
    for (let index = 0; index <= 60; index++) await mapping.answer(index);
    expect(client.isPaused).toBe(false);
  });

  it('with a fault of the code end the session', async () => {
    const mapping = new SlowMapping();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const client = await world.connect('me');
    client.publish('a', 'x', 1);
    await mapping.answer(0, new TypeError('a bug'));
    expect(client.closed).toBe('internal error');
    expect([world.sessions, world.clients.size.clients]).toEqual([0, 0]);
  });
});

describe('a role that is asked for each request', () => {
  const ROLES = [
    { name: 'anonymous', authorizer: 'com.authorize' },
    { name: 'backend', 'allow-by-default': true },
  ] as const;

  /** Answers the questions that wait. */
  function decider(world: MqttWorld) {
    const session = world.insider('backend');
    session.tell(64, 1, {}, 'com.authorize').heard();
    return async (allow = true): Promise<void> => {
      for (const [type, id] of session.heard()) if (type === 68) session.tell(70, id, {}, [allow]);
      await settled();
    };
  }

  it('is heard before SUBACK and PUBACK, which keep the order of the packets', async () => {
    const world = new MqttWorld({ roles: ROLES });
    const answer = decider(world);
    const client = await world.connect('me', { clean: false });
    client.subscribe(['a/#', 1], ['b', 1]).publish('a', 'x', 1);
    expect(client.got).toEqual(['connack 0']);
    for (let index = 0; index < 4; index++) await answer();
    expect(client.got).toEqual(['suback 1: 1,1', 'a x q1 #1', 'puback 2']);
  });

  it('is asked again when a client comes back: what it may not hear any more is dropped', async () => {
    const world = new MqttWorld({ roles: ROLES });
    const answer = decider(world);
    const client = await world.connect('me', { clean: false });
    client.subscribe(['a', 1], ['b', 1]);
    for (let index = 0; index < 2; index++) await answer();
    client.break();
    const back = await world.connect('me', { clean: false });
    back.say({ cmd: 'pingreq' });
    expect([back.got, back.isPaused]).toEqual([['connack 0 present'], true]);
    world.insider('backend').tell(16, 1, { acknowledge: true }, 'b', ['early']);
    for (let index = 0; index < 3; index++) await answer(index !== 1);
    expect(back.isPaused).toBe(false);
    expect(back.session?.subscriptions.filters).toHaveLength(1);
    expect(back.got).toContain('pingresp');
  });
});
