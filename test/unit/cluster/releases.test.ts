/** A registration that a client knows to be over stands in nobody's way, however long the engine takes to forget it. */
import { expect, it } from 'vitest';

import { Releases } from '../../../src/cluster/directory/releases.js';
import { EngineError } from '../../../src/engine/engine.js';
import type { Bucket } from '../../../src/engine/engine.js';
import type { MemoryEngine } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';
import { pino } from 'pino';

const [UNREGISTER, UNREGISTERED, REGISTER, REGISTERED] = [66, 67, 64, 65];

/** Each deletion waits for what the test decides: whether it is done, or fails. */
class SlowDeletions {
  readonly waiting: ((isDone: boolean) => void)[] = [];

  async decide(): Promise<void> {
    const isDone = await new Promise<boolean>((resolve) => this.waiting.push(resolve));
    if (!isDone) throw new EngineError('unavailable', 'no answer');
  }

  /** @returns an engine in whose buckets deletions wait. */
  on(engine: MemoryEngine): MemoryEngine {
    const bucketOf = engine.bucket.bind(engine);
    engine.bucket = async (name, options): Promise<Bucket> => {
      const bucket = await bucketOf(name, options);
      const erase = bucket.delete.bind(bucket);
      bucket.delete = async (key) => {
        await this.decide();
        return erase(key);
      };
      return bucket;
    };
    return engine;
  }
}

it.each([
  ['takes long', true],
  ['fails at first', false],
])('an end that a client was told of holds on all nodes, also when the deletion %s', async (_how, isDone) => {
  const [hub, clock, deletions] = [testHub(), new FakeClock(), new SlowDeletions()];
  const a = await new ClusterNode('a', hub, clock).join();
  const b = await new ClusterNode('b', { connect: () => deletions.on(hub.connect()) }, clock).join();
  await settle();
  const [first, second] = [b.session(), a.session()];
  first.tell(REGISTER, 1, {}, 'com.app.f');
  await settle();
  const id = first.heard()[0]?.[2];
  first.tell(UNREGISTER, 2, id);
  await settle();
  expect(first.heard()).toEqual([[UNREGISTERED, 2]]);
  second.tell(REGISTER, 1, {}, 'com.app.f');
  for (let elapsed = 0; elapsed < 10_000; elapsed += 250) {
    clock.advance(250);
    await settle();
  }
  expect(second.heard()).toEqual([]);
  deletions.waiting.shift()?.(isDone);
  await settle();
  if (!isDone) {
    clock.advance(250);
    await settle();
    deletions.waiting.shift()?.(true);
  }
  for (let turn = 0; turn < 12; turn++) {
    clock.advance(250);
    await settle();
  }
  expect(second.heard().map(([type]) => type)).toEqual([REGISTERED]);
});

it('what was deleted is known behind the last deletion, in whatever order they are done', async () => {
  const done: ((revision: number) => void)[] = [];
  const releases = new Releases({
    bucket: { delete: () => new Promise((resolve) => done.push(resolve)), erase: () => Promise.resolve() },
    scheduler: new FakeClock(),
    log: pino({ level: 'silent' }),
  });
  releases.deleteLater('r.1.a.1.1');
  releases.deleteLater('r.1.a.1.2');
  const revision = releases.revision();
  done[1]?.(11);
  await settle();
  done[0]?.(10);
  expect(await revision).toBe(11);
});
