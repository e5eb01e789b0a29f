/** What waits at a front for a client that does not read is known at the router, for those who ask. */
import { afterEach, expect, it } from 'vitest';
import { FrontSite } from '../support/front-site.js';

let site: FrontSite;
afterEach(() => site.stop());

it('is told of those who have not read everything, and of nobody else', async () => {
  site = await FrontSite.open();
  const front = await site.front();
  const { link } = front;
  const reader = await front.connect();
  const slow = await front.connect();
  for (const client of [reader, slow]) {
    await client.hello();
    await client.ask([32, 1, {}, 'com.example.topic']);
  }
  const waiting = (): number[] => [...site.host.waiting()].sort((a, b) => a - b);
  expect([link.waiting(10), waiting()]).toEqual([[], [0, 0]]);
  const { _socket: socket } = slow.socket as unknown as { readonly _socket: { pause(): void; resume(): void } };
  socket.pause();
  const publisher = await front.connect();
  await publisher.hello();
  for (let id = 1; link.waiting(10).length === 0; id += 1)
    await publisher.ask([16, id, { acknowledge: true }, 'com.example.topic', ['x'.repeat(200_000)]]);
  front.front?.waits(link.waiting(10));
  expect(waiting().map((bytes) => bytes > 0)).toEqual([false, false, true]);
  socket.resume();
  while (link.waiting(10).length > 0) await new Promise((resolve) => setImmediate(resolve));
  front.front?.waits(link.waiting(10));
  expect(waiting()).toEqual([0, 0, 0]);
});
