/** Meta events of a realm on several nodes, whatever happens in whatever order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [SUBSCRIBE, EVENT, REGISTER, REGISTERED] = [32, 36, 64, 65];

/** @returns the last parts of the topics of the meta events that a watcher heard. */
function topics(watcher: ScriptedSession): string[] {
  const events = watcher.heard().filter(([type]) => type === EVENT);
  return events.map(([, , , details]) => String((details as { topic?: unknown }).topic).replace(/^.*\.on_/, ''));
}

type Steps = { readonly kind: string; readonly node: number; readonly pick: number }[];

/** @param steps such as `subscribe c`, or with a number behind. */
function steps(...all: readonly string[]): Steps {
  return all.map((step) => {
    const [kind = '', place = 'a', pick = '0'] = step.split(' ');
    return { kind, node: 'abc'.indexOf(place), pick: Number(pick) };
  });
}

/** What was wrong once: two nodes that end while a third one begins. */
const FOUND: [Steps, number][] = [
  [
    steps(
      ...['subscribe c', 'subscribe a', 'turn a 589', 'leave', 'turn', 'subscribe a', 'subscribe a', 'subscribe a'],
      ...['subscribe a', 'subscribe b', 'leave'],
    ),
    16,
  ],
  [
    steps(
      ...['subscribe a', 'subscribe c', 'settle', 'leave', 'turn a 344', 'subscribe a', 'subscribe a', 'subscribe b'],
      ...['subscribe a', 'subscribe a', 'leave'],
    ),
    1_125_973_860,
  ],
  [
    steps(
      ...['subscribe a', 'subscribe c', 'settle', 'turn', 'turn', 'register a', 'turn a 73', 'leave a 217', 'leave'],
      ...['subscribe b', 'subscribe a', 'subscribe a'],
    ),
    299_864_968,
  ],
  [
    steps(
      ...[
        'subscribe b',
        'subscribe a',
        'turn a 566',
        'leave',
        'turn a 115',
        'leave',
        'turn',
        'subscribe a',
        'subscribe a',
      ],
      ...['subscribe a', 'subscribe a', 'subscribe a', 'subscribe a', 'subscribe a', 'subscribe a', 'subscribe a'],
    ),
    97_984_456,
  ],
];

it('in whatever order messages arrive, each beginning and each end is told once', async () => {
  const step = fc.record({
    kind: fc.constantFrom<string>('subscribe', 'subscribe', 'register', 'leave', 'leave', 'turn', 'turn', 'settle'),
    node: fc.nat({ max: 2 }),
    pick: fc.nat({ max: 1000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), fc.nat(), async (all, seed) => {
      let state = seed;
      const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below;
      const rows = new MemoryHub({
        pace: (proceed) => {
          const wait = (left: number): void => {
            if (left > 0) setImmediate(wait, left - 1);
            else proceed(1 + random(3));
          };
          setImmediate(wait, random(3));
        },
      });
      const turns = async (count: number): Promise<void> => {
        for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
      };
      const nodes: ClusterNode[] = [];
      for (const name of ['a', 'b', 'c']) nodes.push(await new ClusterNode(name, rows, new FakeClock()).join());
      await turns(60);
      const watcher = nodes[0]?.session();
      if (watcher === undefined) throw new Error('there is no node');
      for (const [id, kind] of ['subscription', 'registration'].entries())
        watcher.tell(SUBSCRIBE, id + 1, { match: 'prefix' }, `wamp.${kind}.`);
      await turns(60);
      const here: { readonly session: ScriptedSession; readonly kind: string; isBusy: boolean }[] = [];
      const told: string[] = [];
      const count = (topic: string): number => told.filter((each) => each === topic).length;
      for (const { kind, node: index, pick } of all) {
        const node = nodes[index];
        if (node === undefined) continue;
        if (kind === 'turn') await turns(1 + (pick % 8));
        else if (kind === 'settle') {
          await turns(150);
          told.push(...topics(watcher));
          // What has begun and not ended is what there is.
          expect(count('create') - count('delete')).toBe(new Set(here.map((each) => each.kind)).size);
        } else if (kind === 'leave') {
          // No callee while it waits: who asked first may be the one to tell that it begins.
          for (const each of here) each.isBusy &&= !each.session.heard().some(([type]) => type === REGISTERED);
          const free = here.filter(({ isBusy }) => !isBusy);
          const chosen = free[pick % Math.max(1, free.length)];
          if (chosen === undefined) continue;
          here.splice(here.indexOf(chosen), 1);
          chosen.session.leave();
        } else {
          const session = node.session();
          if (kind === 'subscribe') session.tell(SUBSCRIBE, 1, {}, 'com.app.x');
          else session.tell(REGISTER, 1, { invoke: 'random' }, 'com.app.f');
          here.push({ session, kind, isBusy: kind === 'register' });
        }
      }
      await turns(300);
      for (const { session } of here) session.leave();
      await turns(300);
      told.push(...topics(watcher));
      expect([count('create'), count('subscribe'), count('register')]).toEqual([
        count('delete'),
        count('unsubscribe'),
        count('unregister'),
      ]);
      for (const node of nodes) expect(node.member.openStandings).toBe(0);
    }),
    { numRuns: 40, examples: FOUND },
  );
});
