/** What nodes say to each other: kinds, questions, counts, and who waits for whom. */
import { pino } from 'pino';
import { expect, it } from 'vitest';

import { Barrier, BARRIER } from '../../../src/cluster/barrier.js';
import { encodeFrame } from '../../../src/cluster/frame.js';
import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { Standings } from '../../../src/cluster/meta/standings.js';
import { Peers } from '../../../src/cluster/peers.js';
import { Subjects } from '../../../src/cluster/subjects.js';
import { payloadOf } from '../../../src/wamp/payload.js';
import { settle, testHub } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';

const subjects = new Subjects('test');

function peersOf(hub: MemoryHub, clock: FakeClock, name: string) {
  const engine = hub.connect();
  const self = { name, epoch: 1 };
  const gone = new Set<string>();
  const peers = new Peers({
    engine,
    self,
    subjectOf: (node) => subjects.node(node.name, node.epoch),
    scheduler: clock,
    log: pino({ level: 'silent' }),
    isGone: (node) => gone.has(node.name),
    markMs: 1000,
    marks: 6,
    answerMs: 2000,
  });
  const lost: string[] = [];
  const undelivered: string[] = [];
  peers.lost = (node) => void lost.push(node.name);
  peers.undelivered = (node, token) => void undelivered.push(`${node.name} ${token}`);
  return { engine, self, peers, gone, lost, undelivered };
}

function world() {
  const hub = testHub();
  const clock = new FakeClock();
  return { hub, clock, a: peersOf(hub, clock, 'a'), b: peersOf(hub, clock, 'b.ä') };
}

/** Bytes come as a Buffer. */
const plain = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : value);

it('carries heads and payloads by kind, and drops what it does not know', async () => {
  const { a, b } = world();
  await settle();
  const came: unknown[] = [];
  b.peers.on('greeting', (from, { head, payload }, answer) =>
    came.push([from, head['x'], payload.args.map(plain), payload.kwargs, answer]),
  );
  a.peers.send(b.self, 'greeting', { x: 'ä' }, payloadOf([1, 'zwei', new Uint8Array([1, 2])], { k: null }));
  a.peers.send(b.self, 'unknown', {});
  a.engine.publish(subjects.node('b.ä', 1), new Uint8Array([1, 2, 3]));
  a.engine.publish(subjects.node('b.ä', 1), encodeFrame({ no: 'sender' }));
  a.peers.send(b.self, 'greeting', { x: 2 });
  await settle();
  expect(came).toEqual([
    [a.self, 'ä', [1, 'zwei', [1, 2]], { k: null }, undefined],
    [a.self, 2, [], undefined, undefined],
  ]);
  expect(b.lost).toEqual([]);
});

it('answers a question, and rejects one to a node that is not there, has gone, or says nothing', async () => {
  const { clock, a, b } = world();
  await settle();
  b.peers.on('double', (_from, { head: { n } }, answer) => answer?.({ n }, payloadOf([2 * Number(n)])));
  b.peers.on('silence', () => undefined);
  const { head, payload } = await a.peers.ask(b.self, 'double', { n: 2 });
  expect([head['n'], payload.args]).toEqual([2, [4]]);
  await expect(a.peers.ask({ name: 'nobody', epoch: 1 }, 'double', {})).rejects.toMatchObject({ fault: 'unavailable' });
  const gone = expect(a.peers.ask(b.self, 'silence', {})).rejects.toMatchObject({ fault: 'unavailable' });
  await settle();
  a.peers.forget(b.self);
  await gone;
  const late = expect(a.peers.ask(b.self, 'silence', {})).rejects.toThrow('node "b.ä" does not answer');
  await settle();
  clock.advance(2000);
  await late;
  const ended = expect(a.peers.ask(b.self, 'silence', {})).rejects.toThrow('this node leaves the cluster');
  a.peers.end();
  await ended;
  a.engine.cut();
  await expect(a.peers.ask(b.self, 'double', {})).rejects.toMatchObject({ fault: 'unavailable' });
});

it('hands in an answer before what comes behind it, in the same chunk, too', async () => {
  const { a, b } = world();
  await settle();
  const came: string[] = [];
  a.peers.on('news', () => void came.push('news'));
  b.peers.on('question', (_from, _frame, answer) => {
    answer?.({});
    b.peers.send(a.self, 'news', {});
  });
  await a.peers.ask(b.self, 'question', {}, () => void came.push('answer'));
  expect(came).toEqual(['answer', 'news']);
});

it('tells of a frame that reached nobody by its token', async () => {
  const { a } = world();
  await settle();
  a.peers.send({ name: 'no/body', epoch: 3 }, 'call', {}, undefined, 'i17-4');
  a.peers.send({ name: 'no/body', epoch: 3 }, 'call', {});
  await settle();
  expect(a.undelivered).toEqual(['no/body i17-4']);
});

it('notices a loss in the middle at once, and one at the end with the next count; once each', async () => {
  const { clock, a, b } = world();
  await settle();
  b.peers.on('x', () => undefined);
  a.peers.send(b.self, 'x', {});
  await settle();
  const lose = (): void => {
    a.peers.send(b.self, 'x', {});
    // What is under way goes with the link.
    b.engine.cut();
    b.engine.mend();
  };
  lose();
  await settle();
  expect(b.lost).toEqual([]);
  a.peers.send(b.self, 'x', {});
  await settle();
  expect(b.lost).toEqual(['a']);
  clock.advance(1000);
  await settle();
  expect(b.lost).toEqual(['a']);
  lose();
  await settle();
  clock.advance(1000);
  await settle();
  expect(b.lost).toEqual(['a', 'a']);
  clock.advance(5000);
  await settle();
  expect(b.lost).toHaveLength(2);
});

it('hears nothing of a node that has gone', async () => {
  const { a, b } = world();
  await settle();
  const came: string[] = [];
  b.peers.on('x', (from) => came.push(from.name));
  b.gone.add('a');
  a.peers.send(b.self, 'x', {});
  await settle();
  b.gone.clear();
  a.peers.send(b.self, 'x', {});
  await settle();
  expect(came).toEqual(['a']);
});

it('a barrier asks all others at once for all who wait, again when that fails, and no one who is suspect', async () => {
  const { hub, clock, a, b } = world();
  const c = peersOf(hub, clock, 'c');
  await settle();
  let asked = 0;
  for (const node of [b, c]) {
    node.peers.on(BARRIER, (_from, _frame, answer) => {
      asked += 1;
      answer?.({});
    });
  }
  const suspects = new Set<string>();
  const barrier = new Barrier({
    peers: a.peers,
    membership: { others: [b.self, c.self], isSuspect: ({ name }) => suspects.has(name) },
    scheduler: clock,
    revision: () => 0,
    standings: new Standings({ selfKey: 'a.1', sinceOf: () => undefined }),
  });
  const passed: number[] = [];
  for (const number of [1, 2, 3]) barrier.pass(() => passed.push(number));
  expect(passed).toEqual([]);
  await settle();
  expect([passed, asked]).toEqual([[1, 2, 3], 4]);
  c.engine.cut();
  await settle();
  barrier.pass(() => passed.push(4));
  barrier.pass(() => passed.push(5));
  await settle();
  clock.advance(100);
  await settle();
  expect(passed).toEqual([1, 2, 3]);
  suspects.add('c');
  clock.advance(100);
  await settle();
  expect(passed).toEqual([1, 2, 3, 4, 5]);
});
