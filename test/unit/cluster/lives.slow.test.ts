/** A node that joins its cluster again, and what may happen at each moment of that. */
import { describe, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { settle, testHub } from '../../support/cluster.js';
import { LifeNode, answerer, fence, keysOf, pass } from '../../support/life-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [SUBSCRIBE, REGISTER, REGISTERED, UNREGISTER] = [32, 64, 65, 66];
const FENCED = 'fenced: its heartbeats did not come back';

let hub: MemoryHub;
let clock: FakeClock;
let [a, b] = [] as unknown as [LifeNode, LifeNode];

describe('while it joins again', () => {
  /** Plays something at each turn of the way back, in a cluster of its own. */
  async function atEachTurn(
    play: (node: LifeNode, part: ScriptedSession, registration: number) => Promise<void>,
  ): Promise<void> {
    for (let turn = 0; turn < 60; turn += 3) {
      hub = testHub();
      clock = new FakeClock();
      a = await new LifeNode('a', hub, clock).join();
      b = await new LifeNode('b', hub, clock).join();
      await settle();
      const part = b.part();
      part.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
      part.tell(SUBSCRIBE, 2, {}, 'com.app.topic');
      await settle();
      const registration = Number(part.heard().find(([code]) => code === REGISTERED)?.[2]);
      await fence(b, clock);
      await pass(clock, 4000);
      b.news();
      b.engine.mend();
      // It joins at the next attempt, in so many turns of promises.
      clock.advance(500);
      for (let each = 0; each < turn; each++) await Promise.resolve();
      await play(b, part, registration);
    }
  }

  it('it may be fenced again, at any moment, and joins as often as it takes', async () => {
    await atEachTurn(async (node, part) => {
      node.engine.cut();
      await pass(clock, 6000);
      node.engine.mend();
      await pass(clock, 12_000);
      expect(node.news().at(-1)).toBe('joined again as b');
      expect(node.lives.isServing).toBe(true);
      expect(await answerer(a.client(), 'com.app.f', part)).toBe(0);
      expect(await keysOf(a, 'registrations')).toHaveLength(1);
    });
  });

  it('the values of the cluster may be lost, at any moment', async () => {
    await atEachTurn(async (node, part) => {
      hub.lose();
      await pass(clock, 12_000);
      expect([a, node].map((each) => each.news().at(-1))).toEqual(['joined again as a', 'joined again as b']);
      expect(await answerer(a.client(), 'com.app.f', part)).toBe(0);
    });
  });

  it('it may be stopped, at any moment, and leaves nothing', async () => {
    await atEachTurn(async (node, part) => {
      part.leave();
      let isOver = false;
      void node.lives.leave().then(() => (isOver = true));
      await pass(clock, 6000);
      expect(isOver).toBe(true);
      await node.engine.close();
      await pass(clock, 12_000);
      expect(node.news()).not.toContain(FENCED);
      expect((await keysOf(a, 'nodes')).filter((key) => key.startsWith('n.'))).toEqual(['n.a']);
      expect(await keysOf(a, 'registrations')).toEqual([]);
      expect(a.lives.others).toEqual([]);
      expect(clock.waiting).toBeLessThan(10);
    });
  });

  it('a part may go, or give up its registration, at any moment', async () => {
    for (const isGone of [true, false]) {
      await atEachTurn(async (node, part, id) => {
        if (isGone) part.leave();
        else part.tell(UNREGISTER, 3, id);
        await pass(clock, 6000);
        expect(node.news().at(-1)).toBe('joined again as b');
        expect(node.lives.isServing).toBe(true);
        expect(await keysOf(a, 'registrations')).toEqual([]);
        expect(await answerer(a.client(), 'com.app.f')).toBe('wamp.error.no_such_procedure');
      });
    }
  });

  it('a realm may go, and another one come, at any moment', async () => {
    await atEachTurn(async (node) => {
      node.router.removeRealm('realm1');
      node.addRealm('realm2');
      a.addRealm('realm2');
      const part = node.part('realm2');
      await pass(clock, 6000);
      expect(node.news().at(-1)).toBe('joined again as b');
      part.tell(REGISTER, 3, {}, 'com.app.g');
      await settle();
      expect(await answerer(a.client('realm2'), 'com.app.g', part)).toBe(0);
      expect(await keysOf(a, 'registrations')).toHaveLength(1);
      // It comes back as any other one.
      node.addRealm('realm1');
      const again = node.part();
      again.tell(REGISTER, 1, {}, 'com.app.h');
      await settle();
      expect(await answerer(a.client(), 'com.app.h', again)).toBe(0);
    });
  });
});
