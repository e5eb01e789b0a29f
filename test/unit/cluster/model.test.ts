/**
 * Whatever sessions on several nodes do, in whatever order news arrive, and whatever is lost between the nodes: every call has exactly
 * one final answer, of a `single` registration there is one owner, and nothing is left when all have gone.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [ERROR, CALL, CANCEL, RESULT, REGISTER, REGISTERED, UNREGISTER] = [8, 48, 49, 50, 64, 65, 66];
const [INVOCATION, YIELD] = [68, 70];
const PROCEDURES = ['com.app.single', 'com.app.shared'] as const;

const step = fc.record({
  kind: fc.constantFrom(
    ...(['register', 'register', 'unregister', 'call', 'call', 'call', 'answer', 'answer', 'refuse'] as const),
    ...(['cancel', 'leave', 'blink', 'turn', 'turn', 'time'] as const),
  ),
  node: fc.nat({ max: 2 }),
  pick: fc.nat({ max: 1000 }),
});

/** A session, what it has been asked, and what it was answered. */
class Player {
  readonly session: ScriptedSession;
  readonly node: ClusterNode;
  isHere = true;
  #lastId = 0;
  /** Final answers by request. */
  readonly calls = new Map<number, number>();
  readonly registrations: number[] = [];
  readonly invocations: number[] = [];

  constructor(node: ClusterNode) {
    this.node = node;
    this.session = node.session('callee.call_canceling');
  }

  tell(code: number, ...rest: unknown[]): number {
    const id = ++this.#lastId;
    if (code === CALL) this.calls.set(id, 0);
    this.session.tell(code, id, ...rest);
    return id;
  }

  listen(): void {
    for (const [code, first, second, , uri] of this.session.heard()) {
      if (code === INVOCATION) this.invocations.push(Number(first));
      else if (code === REGISTERED) this.registrations.push(Number(second));
      else if (code === RESULT) this.#answered(Number(first));
      else if (code === ERROR && first === CALL) this.#answered(Number(second), String(uri));
    }
  }

  /** A CANCEL of mode `skip` or `killnowait` is answered at once, too. */
  #answered(id: number, _uri?: string): void {
    this.calls.set(id, (this.calls.get(id) ?? 0) + 1);
  }
}

it('every call has one answer, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), fc.nat(), async (steps, seed) => {
      let state = seed;
      const random = (below: number): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below;
      // Each row goes on when it happens to.
      const hub = new MemoryHub({
        pace: (proceed) => {
          const wait = (left: number): void => {
            if (left > 0) setImmediate(wait, left - 1);
            else proceed(1 + random(3));
          };
          setImmediate(wait, random(3));
        },
      });
      const clock = new FakeClock();
      const turns = async (count: number): Promise<void> => {
        for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
      };
      const time = async (ms: number): Promise<void> => {
        for (let left = ms; left > 0; left -= 250) {
          clock.advance(250);
          await turns(60);
        }
      };
      const nodes: ClusterNode[] = [];
      for (const name of ['a', 'b', 'c']) nodes.push(await new ClusterNode(name, hub, clock).join());
      await turns(60);

      const players: Player[] = [];
      const here = (): Player[] => players.filter(({ isHere }) => isHere);
      const one = (pick: number): Player | undefined => here()[pick % Math.max(1, here().length)];
      const listen = (): void => players.forEach((player) => player.listen());
      const leave = (player: Player): void => {
        player.isHere = false;
        player.node.realm.leave(player.session);
      };
      const play = async ({ kind, node: index, pick }: (typeof steps)[number]): Promise<void> => {
        listen();
        const node = nodes[index];
        const procedure = PROCEDURES[pick % 2] ?? '';
        const player = one(pick);
        if (node === undefined) return;
        if (kind === 'register' || kind === 'call') {
          const chosen = pick % 3 === 0 || player === undefined ? new Player(node) : player;
          if (chosen !== player) players.push(chosen);
          const invoke = procedure.endsWith('shared') ? { invoke: 'roundrobin' } : {};
          if (kind === 'register') chosen.tell(REGISTER, invoke, procedure);
          else chosen.tell(CALL, {}, procedure);
        } else if (kind === 'turn') await turns(1 + (pick % 8));
        else if (kind === 'time') await time(250);
        else if (kind === 'blink') {
          node.engine.cut();
          await turns(pick % 4);
          node.engine.mend();
        } else if (player !== undefined) act(player, kind, pick);
      };
      const act = (player: Player, kind: string, pick: number): void => {
        if (kind === 'leave') return leave(player);
        if (kind === 'unregister') {
          const id = player.registrations.pop();
          if (id !== undefined) player.tell(UNREGISTER, id);
          return;
        }
        if (kind === 'cancel') {
          const open = [...player.calls].filter(([, answers]) => answers === 0).map(([id]) => id);
          if (open.length > 0) player.session.tell(CANCEL, open[pick % open.length], { mode: 'killnowait' });
          return;
        }
        const id = player.invocations.shift();
        if (id === undefined) return;
        if (kind === 'answer') player.session.tell(YIELD, id, {}, []);
        else player.session.tell(ERROR, INVOCATION, id, {}, 'wamp.error.unavailable');
      };
      for (const each of steps) await play(each);

      await time(5000);
      for (let round = 0; round < 20; round++) {
        listen();
        for (const player of here())
          for (const id of player.invocations.splice(0)) player.session.tell(YIELD, id, {}, []);
        await turns(60);
      }
      listen();
      for (const player of here()) expect([...player.calls.values()].filter((answers) => answers !== 1)).toEqual([]);
      for (const player of players) expect([...player.calls.values()].filter((answers) => answers > 1)).toEqual([]);
      expect(nodes.flatMap(({ fenced }) => fenced)).toEqual([]);
      for (const player of here()) leave(player);
      await time(2000);
      for (const { realm, member } of nodes) {
        expect(realm.size).toMatchObject({ registrations: 0, pendingRegistrations: 0, parties: 0, calls: 0 });
        expect(member.linkOf('realm1').calls.size).toEqual({ callees: 0, callers: 0 });
      }
    }),
    { numRuns: 25 },
  );
});
