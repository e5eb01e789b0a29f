/**
 * A call is delivered to one callee at a time, and none has more than it wants. Whatever sessions on several nodes do, in whatever order news arrive, and whatever is lost between the nodes: every call has exactly
 * one final answer, of a `single` registration there is one owner, and nothing is left when all have gone.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [ERROR, CALL, CANCEL, RESULT, REGISTER, REGISTERED, UNREGISTER] = [8, 48, 49, 50, 64, 65, 66];
const [INVOCATION, INTERRUPT, YIELD] = [68, 69, 70];
/** What is registered, and how; of the last one each callee wants one call at a time. */
const PROCEDURES = [
  { uri: 'com.app.single', options: {} },
  { uri: 'com.app.shared', options: { invoke: 'roundrobin' } },
  { uri: 'com.app.limited', options: { invoke: 'roundrobin', concurrency: 1 } },
  { uri: 'com.app.single.limited', options: { concurrency: 1 } },
] as const;

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
  /** Those that have no answer, and may have one. */
  readonly invocations: number[] = [];
  // invocation -> the call and the procedure
  readonly #asked = new Map<number, readonly [call: string, uri: string]>();
  /** The calls that are with a callee, or were, all that say so. */
  static delivered = new Map<string, string>();

  constructor(node: ClusterNode) {
    this.node = node;
    this.session = node.session('callee.call_canceling');
  }

  tell(code: number, ...rest: unknown[]): number {
    const id = ++this.#lastId;
    this.session.tell(code, id, ...rest);
    return id;
  }

  call(uri: string): void {
    const id = this.#lastId + 1;
    this.calls.set(id, 0);
    this.tell(CALL, {}, uri, [`${this.session.id} ${id}`, uri]);
  }

  answer(id: number): void {
    this.#asked.delete(id);
    this.session.tell(YIELD, id, {}, []);
  }

  /** Another callee may have it. */
  refuse(id: number): void {
    Player.delivered.delete(this.#asked.get(id)?.[0] ?? '');
    this.#asked.delete(id);
    this.session.tell(ERROR, INVOCATION, id, {}, 'wamp.error.unavailable');
  }

  #invoked(id: number, [call, uri]: readonly [string, string]): void {
    expect(Player.delivered.get(call), `call ${call} was delivered before`).toBeUndefined();
    Player.delivered.set(call, uri);
    const others = [...this.#asked.values()].filter(([, other]) => other === uri && uri.endsWith('limited'));
    expect(others, 'calls that are with the callee already').toEqual([]);
    this.#asked.set(id, [call, uri]);
    this.invocations.push(id);
  }

  #interrupted(id: number): void {
    this.#asked.delete(id);
    const at = this.invocations.indexOf(id);
    if (at >= 0) this.invocations.splice(at, 1);
  }

  listen(): void {
    for (const [code, first, second, , uri] of this.session.heard()) {
      if (code === INVOCATION) this.#invoked(Number(first), uri as readonly [string, string]);
      else if (code === INTERRUPT) this.#interrupted(Number(first));
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
      Player.delivered = new Map();
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
        const procedure = PROCEDURES[pick % PROCEDURES.length];
        const player = one(pick);
        if (node === undefined || procedure === undefined) return;
        if (kind === 'register' || kind === 'call') {
          const chosen = pick % 3 === 0 || player === undefined ? new Player(node) : player;
          if (chosen !== player) players.push(chosen);
          if (kind === 'register') chosen.tell(REGISTER, procedure.options, procedure.uri);
          else chosen.call(procedure.uri);
        } else if (kind === 'turn') await turns(1 + (pick % 8));
        else if (kind === 'time') await time(250);
        else if (kind === 'blink') {
          node.engine.cut();
          await turns(pick % 4);
          // What is answered meanwhile is lost, too.
          for (const each of here()) if (each.node === node) act(each, 'answer', pick);
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
        if (kind === 'answer') player.answer(id);
        else player.refuse(id);
      };
      for (const each of steps) await play(each);

      await time(5000);
      for (let round = 0; round < 20; round++) {
        listen();
        for (const player of here()) for (const id of player.invocations.splice(0)) player.answer(id);
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
