/** Slots come round again after so many changes of the bucket. */
import { expect, it } from 'vitest';

import { SLOTS } from '../../../src/cluster/nodes-bucket.js';
import { settle, testHub, TestMember } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';

it('a node that would have the slot of another one takes the next place', async () => {
  const hub = testHub();
  const clock = new FakeClock();
  const a = await new TestMember('a', hub, clock).join();
  const bucket = await a.engine.bucket('nodes', { durable: true });
  await Promise.all(Array.from({ length: SLOTS - 1 }, () => bucket.put('x', new Uint8Array(0))));
  const b = await new TestMember('b', hub, clock).join();
  await settle();
  expect(b.membership?.slot).not.toBe(a.membership?.slot);
  expect(a.membership?.nodeOfSlot(b.membership?.slot ?? -1)).toEqual(b.membership?.self);
  expect(a.membership?.others).toHaveLength(1);
});
