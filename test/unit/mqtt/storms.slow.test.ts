/** Clients that come and go by the thousand: what is left is what the limits say, and in the end nothing. */
import { expect, it } from 'vitest';
import { MqttWorld, settled, willOf } from '../../support/mqtt-world.js';
import type { TestClient } from '../../support/mqtt-world.js';

const KEPT = { clean: false } as const;
const MIB = 1024 * 1024;

it.each([true, false])(
  'a thousand connections with one client id leave one client, and each leaves its will (clean: %s)',
  async (clean) => {
    const world = new MqttWorld();
    const heir = world.insider();
    heir.tell(32, 1, {}, 'will');
    for (let n = 0; n < 1000; n += 1) {
      const client = world.arrive('me', { clean, will: willOf('will', String(n), 1) });
      // Some come while the one before them is still being let in.
      if (n % 3 === 0) await settled();
      client.subscribe(['a', 1]).publish('b', 'x', 2);
    }
    for (let turn = 0; turn < 5; turn += 1) await settled();
    expect(heir.heard().filter(([type]) => type === 36)).toHaveLength(999);
    expect(world.clients.size).toMatchObject({ clients: 1, kept: 0 });
    expect([world.sessions, world.clients.opening, world.counts.takenOver]).toEqual([2, 0, 999]);
  },
);

it('a thousand clients that are away with full queues take what they may, and nothing when their time is over', async () => {
  const limits = { maxKept: 10_000, maxKeptBytes: 64 * MIB, maxQueued: 1000, maxQueuedBytes: MIB };
  const lines: string[] = [];
  const world = new MqttWorld({ limits, log: (line) => void lines.push(line) });
  const names = Array.from({ length: 1000 }, (_, n) => `c${n}`);
  for (const name of names) (await world.connect(name, KEPT)).subscribe(['all', 1]).leave();
  const sender = await world.connect('sender');
  // Full by number for some time, then by bytes.
  for (let n = 0; n < 500; n += 1) sender.publish('all', 'x'.repeat(100), 1);
  for (let n = 0; n < 10; n += 1) sender.publish('all', 'x'.repeat(100_000), 1);
  await settled();
  const { kept, bytes } = world.clients.size;
  expect(bytes).toBeLessThanOrEqual(64 * MIB);
  expect(bytes).toBeGreaterThan(48 * MIB);
  expect([kept, world.sessions]).toEqual([1000 - world.counts.keptDropped, kept + 1]);
  expect(lines.some((line) => line.includes('client of MQTT forgotten while it was away, to make room'))).toBe(true);
  // The ones that went last are those that are left.
  const last: TestClient = await world.connect('c999', KEPT);
  expect(last.got[0]).toBe('connack 0 present');
  last.leave();
  world.clock.advance(60_000);
  for (let turn = 0; turn < 5; turn += 1) await settled();
  expect(world.clients.size).toEqual({ clients: 1, kept: 0, bytes: 0 });
  expect([world.sessions, world.clock.waiting]).toEqual([1, 0]);
});

it('filters count with what is kept: clients that have nothing else make room, too', async () => {
  const world = new MqttWorld({ limits: { maxKept: 10_000, maxKeptBytes: 10 * MIB, maxSubscriptions: 1000 } });
  for (let n = 0; n < 20; n += 1) {
    const client = await world.connect(`c${n}`, KEPT);
    client.subscribe(...Array.from({ length: 100 }, (_, i) => [`${'x'.repeat(900)}/${i}`, 1] as const)).leave();
  }
  await settled();
  expect(world.clients.size.kept).toBeGreaterThan(2);
  expect(world.counts.keptDropped).toBeGreaterThan(10);
});
