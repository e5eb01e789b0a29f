/** A front that is slow to read what its router has for it: the router reads no more from any front until it has caught up. */
import { afterEach, expect, it } from 'vitest';
import { turns } from '../../src/transport/fair-scheduler.js';
import { TOPIC, until } from '../contract/transport-tools.js';
import { FrontSite } from '../support/front-site.js';

let site: FrontSite | undefined;
afterEach(async () => {
  turns.release();
  await site?.stop();
  site = undefined;
});

const TEXT = 'x'.repeat(100_000);
const EVENTS = 200;
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** @returns a front that reads nothing, though its router has five times as much for it as may wait, and a client of each front. */
async function slowFront(here: FrontSite) {
  const [slow, other] = [await here.front(), await here.front()];
  const [subscriber, publisher] = [await slow.connect(), await other.connect()];
  for (const client of [subscriber, publisher]) await client.hello();
  expect((await subscriber.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
  slow.socket.pause();
  for (let number = 0; number < EVENTS; number += 1) publisher.send([16, number + 1, {}, TOPIC, [number, TEXT]]);
  await until(() => slow.front?.isSlow === true);
  return { slow, subscriber, publisher };
}

it('is not given up because of what clients of another one publish, and gets all of it in order', async () => {
  site = await FrontSite.open({ maxUnsentBytes: MAX_UNSENT_BYTES });
  const { slow, subscriber, publisher } = await slowFront(site);
  expect(site.ends).toEqual([]);
  slow.socket.resume();
  for (let number = 0; number < EVENTS; number += 1) expect((await subscriber.next())[4]).toEqual([number, TEXT]);
  expect(slow.front?.isSlow).toBe(false);
  expect((await publisher.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
  expect(site.ends).toEqual([]);
});

it('that is cut off while it is slow keeps nobody waiting', async () => {
  site = await FrontSite.open({ maxUnsentBytes: MAX_UNSENT_BYTES });
  const { slow, publisher } = await slowFront(site);
  slow.front?.end('says nothing');
  expect((await publisher.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
});
