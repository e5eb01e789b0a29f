/** Session ids that no two nodes give: a permutation, and the slots of the nodes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { clusterKey } from '../../../src/cluster/ids/key.js';
import { Permutation } from '../../../src/cluster/ids/permutation.js';
import { SessionIds } from '../../../src/cluster/ids/session-ids.js';
import { SLOTS } from '../../../src/cluster/nodes-bucket.js';
import { createRandomId } from '../../../src/system/random.js';
import { MAX_ID } from '../../../src/wamp/id.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('the permutation', () => {
  const permutation = new Permutation(KEY);

  it('has one number for each, and the way back', () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      ...[0, 1, 2 ** 26, 2 ** 27 - 1, 2 ** 27, 2 ** 32, 2 ** 37, 2 ** 52, 2 ** 53 - 1].map(fc.constant),
    );
    fc.assert(
      fc.property(number, (value) => {
        const there = permutation.forth(value);
        expect(Number.isSafeInteger(there) && there >= 0).toBe(true);
        expect(permutation.back(there)).toBe(value);
        expect(permutation.forth(permutation.back(value))).toBe(value);
      }),
      { numRuns: 500 },
    );
  });

  it('is another one with another key, and needs a whole one', () => {
    const other = new Permutation(new Uint8Array(32));
    expect([0, 1, 2].filter((value) => other.forth(value) === permutation.forth(value))).toEqual([]);
    expect(() => new Permutation(new Uint8Array(16))).toThrow(RangeError);
  });

  it('looks drawn at random, also for numbers in a row: chi-squared of each byte, and how many bits one step changes', () => {
    const count = 4096;
    const row = Array.from({ length: count }, (_, index) => permutation.forth(index));
    for (const shift of [1, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32, 2 ** 40, 2 ** 45]) {
      const seen = new Array<number>(256).fill(0);
      for (const value of row) {
        const byte = Math.floor(value / shift) % 256;
        seen[byte] = (seen[byte] ?? 0) + 1;
      }
      const expected = count / 256;
      const chi = seen.reduce((sum, each) => sum + (each - expected) ** 2 / expected, 0);
      // 255 degrees of freedom: 1 : 10,000 of really random rows are outside. The key is fixed, so the figures are, too.
      expect(chi).toBeGreaterThan(178);
      expect(chi).toBeLessThan(347);
    }
    const bitsOf = (value: bigint): number => value.toString(2).replaceAll('0', '').length;
    const changed = row.slice(1).map((value, index) => bitsOf(BigInt(value) ^ BigInt(row[index] ?? 0)));
    const mean = changed.reduce((sum, each) => sum + each, 0) / changed.length;
    expect(Math.abs(mean - 26.5)).toBeLessThan(0.3);
  });
});

describe('session ids', () => {
  it('are ids, differ between nodes, and tell the slot', () => {
    const nodes = [0, 1, 4711, SLOTS - 1].map((slot) => ({ slot, ids: new SessionIds(KEY, slot, createRandomId()) }));
    const all = nodes.flatMap(({ slot, ids }) => Array.from({ length: 1000 }, () => ({ slot, id: ids.next() })));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { slot, id } of all) {
      expect(id).toBeGreaterThan(0);
      expect(id).toBeLessThanOrEqual(MAX_ID);
      expect(nodes[0]?.ids.slotOf(id)).toBe(slot);
    }
    for (const none of [0, -1, 1.5, NaN, MAX_ID + 2]) expect(nodes[0]?.ids.slotOf(none)).toBeUndefined();
  });

  it('are never 0: 2^53 stands in its place, and belongs to the same slot', () => {
    const permutation = new Permutation(KEY);
    const before = permutation.back(0);
    const slot = Math.floor(before / 2 ** 37);
    const ids = new SessionIds(KEY, slot, () => before % 2 ** 37);
    expect(ids.next()).toBe(MAX_ID);
    expect(ids.slotOf(MAX_ID)).toBe(slot);
  });
});

describe('in a cluster', () => {
  it('all nodes have one key, whoever made it, and know the node of a session', async () => {
    const hub = testHub();
    const clock = new FakeClock();
    const [a, b] = await Promise.all(['a', 'b'].map((name) => new ClusterNode(name, hub, clock).join()));
    await settle();
    if (a === undefined || b === undefined) throw new Error('a node is missing');
    for (let round = 0; round < 100; round++) {
      const [ofA, ofB] = [a.member.newSessionId(), b.member.newSessionId()];
      expect([a.member.nodeOfSession(ofB), b.member.nodeOfSession(ofB)]).toEqual([b.member.self, undefined]);
      expect([a.member.nodeOfSession(ofA), b.member.nodeOfSession(ofA)]).toEqual([undefined, a.member.self]);
    }
    await b.member.leave();
    await settle();
    expect(a.member.nodeOfSession(b.session().id)).toBeUndefined();
  });

  it('a key that is none is refused, and so is one that was deleted', async () => {
    const bucket = await testHub().connect().bucket('nodes', { durable: true });
    await bucket.put('ids', new TextEncoder().encode('{"key":"c2hvcnQ="}'));
    await expect(clusterKey(bucket, KEY)).rejects.toThrow('the key of the session ids in the cluster is none');
    await bucket.delete('ids');
    await expect(clusterKey(bucket, KEY)).rejects.toThrow('the key of the session ids was deleted in the cluster');
    await bucket.erase('ids');
    expect(await clusterKey(bucket, KEY)).toEqual(KEY);
    expect(await clusterKey(bucket, new Uint8Array(32))).toEqual(Buffer.from(KEY));
  });
});
