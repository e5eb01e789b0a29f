/**
 * A model of sessions on several nodes that register, call, answer, leave, and lose their links: a call is delivered to one callee at a
 * time, none has more than it wants, every call has exactly one final answer, and nothing is left when all have gone.
 */
import fc from 'fast-check';
import { expect } from 'vitest';

import type { Engine } from '../../src/engine/engine.js';
import type { ClusterNode } from './cluster-node.js';
import type { ScriptedSession } from './realm.js';

const [ERROR, CALL, CANCEL, RESULT, REGISTER, REGISTERED, UNREGISTER] = [8, 48, 49, 50, 64, 65, 66];
const [INVOCATION, INTERRUPT, YIELD] = [68, 69, 70];
/** What is registered, and how; of the last one each callee wants one call at a time. */
const PROCEDURES = [
  { uri: 'com.app.single', options: {} },
  { uri: 'com.app.shared', options: { invoke: 'roundrobin' } },
  { uri: 'com.app.limited', options: { invoke: 'roundrobin', concurrency: 1 } },
  { uri: 'com.app.single.limited', options: { concurrency: 1 } },
] as const;

/** One thing that happens. */
export const step = fc.record({
  kind: fc.constantFrom(
    ...(['register', 'register', 'unregister', 'call', 'call', 'call', 'answer', 'answer', 'refuse'] as const),
    ...(['cancel', 'leave', 'blink', 'turn', 'turn', 'time'] as const),
  ),
  node: fc.nat({ max: 2 }),
  pick: fc.nat({ max: 1000 }),
});

export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A session, what it has been asked, and what it was answered. */
class Player {
  readonly session: ScriptedSession;
  readonly node: ClusterNode<Engine>;
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

  constructor(node: ClusterNode<Engine>) {
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

/** What carries the nodes, and how time passes there. */
export interface ModelWorld {
  readonly nodes: readonly ClusterNode<Engine>[];
  /** A little later. */
  turns(count: number): Promise<void>;
  time(ms: number): Promise<void>;
  /** The link of a node is lost for a moment. */
  blink(node: ClusterNode<Engine>, during: () => Promise<void>): Promise<void>;
  /** Resolves when it is so, or long after it should have been. */
  until(isSo: () => boolean): Promise<void>;
}

/** Plays the steps, and checks what has to be so at any time and in the end. */
export async function playModel(world: ModelWorld, steps: readonly Step[]): Promise<void> {
  const { nodes } = world;
  const turns = (count: number): Promise<void> => world.turns(count);
  const time = (ms: number): Promise<void> => world.time(ms);
  Player.delivered = new Map();
  const players: Player[] = [];
  const here = (): Player[] => players.filter(({ isHere }) => isHere);
  const one = (pick: number): Player | undefined => here()[pick % Math.max(1, here().length)];
  const listen = (): void => players.forEach((player) => player.listen());
  const leave = (player: Player): void => {
    player.isHere = false;
    player.node.realm.leave(player.session);
  };
  const play = async ({ kind, node: index, pick }: Step): Promise<void> => {
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
      await world.blink(node, async () => {
        await turns(pick % 4);
        // What is answered meanwhile is lost, too.
        for (const each of here()) if (each.node === node) act(each, 'answer', pick);
      });
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

  await world.until(() => {
    listen();
    for (const player of here()) for (const id of player.invocations.splice(0)) player.answer(id);
    return here().every(({ calls }) => [...calls.values()].every((answers) => answers > 0));
  });
  await turns(60);
  listen();
  for (const player of here()) expect([...player.calls.values()].filter((answers) => answers !== 1)).toEqual([]);
  for (const player of players) expect([...player.calls.values()].filter((answers) => answers > 1)).toEqual([]);
  expect(nodes.flatMap(({ fenced }) => fenced)).toEqual([]);
  for (const player of here()) leave(player);
  await world.until(() =>
    nodes.every(({ realm, member }) => {
      const { registrations, pendingRegistrations, parties, calls } = realm.size;
      const { callees, callers } = member.linkOf('realm1').calls.size;
      return registrations + pendingRegistrations + parties + calls + callees + callers === 0;
    }),
  );
  for (const { realm, member } of nodes) {
    expect(realm.size).toMatchObject({ registrations: 0, pendingRegistrations: 0, parties: 0, calls: 0 });
    expect(member.linkOf('realm1').calls.size).toEqual({ callees: 0, callers: 0 });
  }
}
