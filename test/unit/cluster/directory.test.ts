/**
 * Registrations of several nodes: whatever the order in which news arrive, each claim has one answer, nobody shares what is not to be
 * shared, and all nodes know the same in the end.
 */
import fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';

import { patternId } from '../../../src/cluster/pattern-id.js';
import { RegistrationDirectory } from '../../../src/cluster/directory/registrations.js';
import { MemoryHub } from '../../../src/engine/memory/hub.js';
import type { MemoryEngine } from '../../../src/engine/memory/hub.js';
import type { RegistrationClaim, RegistrationStanding } from '../../../src/router/uplink.js';
import type { InvocationPolicy } from '../../../src/wamp/message.js';
import type { WampError } from '../../../src/wamp/error.js';
import { FakeClock } from '../../support/realm.js';

const REALM = 'realm1';
let lastId = 0;

/** Lets one of the rows that have something go on, as often as is wanted. */
class Rows {
  readonly waiting: ((count?: number) => number)[] = [];
  readonly hub = new MemoryHub({ pace: (proceed) => void this.waiting.push(proceed) });

  /** @param choice which of them, from 0 to 1 */
  step(choice: number): void {
    const [proceed] = this.waiting.splice(Math.floor(choice * this.waiting.length), 1);
    proceed?.(1);
  }

  /** What is under way arrives, and what that causes. */
  async settle(choose: () => number = () => 0): Promise<void> {
    for (let idle = 0; idle < 3;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.waiting.length === 0) idle += 1;
      else {
        idle = 0;
        for (let count = this.waiting.length; count > 0; count--) this.step(choose());
      }
    }
  }
}

class TestNode {
  readonly self: { readonly name: string; readonly epoch: number };
  /** What the realm knows of callees elsewhere: their keys, and of which node. */
  readonly remote = new Map<string, string>();
  /** By which ids it knows the registrations of a URI. */
  readonly remoteIds = new Map<string, readonly [uri: string, id: number]>();
  /** Those of this node that are callees. */
  readonly held = new Set<RegistrationClaim>();
  readonly answers = new Map<RegistrationClaim, (WampError | undefined)[]>();
  directory: RegistrationDirectory | undefined;
  /** The id of the registration that a claim got. */
  readonly ids = new Map<RegistrationClaim, number>();
  /** Ids that it draws next. */
  readonly drawn: number[] = [];
  readonly engine: MemoryEngine;
  #lastSession = 0;

  constructor(name: string, hub: MemoryHub, epoch = 1) {
    this.self = { name, epoch };
    this.engine = hub.connect();
  }

  async open(all: readonly TestNode[], clock: FakeClock): Promise<void> {
    this.directory = await RegistrationDirectory.open({
      bucket: await this.engine.bucket('registrations', { durable: true }),
      self: this.self,
      clock: () => clock.now,
      scheduler: clock,
      log: pino({ level: 'silent' }),
      seen: (revision, done) => {
        // Nobody waits for a node of which nothing is heard.
        const asked = all.filter(({ engine }) => engine.isUp);
        let left = asked.length;
        for (const { directory } of asked) directory?.reached(revision, () => --left === 0 && done());
      },
      gone: () => undefined,
      idOf: patternId,
      newId: () => this.drawn.shift() ?? ++lastId,
    });
    this.directory.listen(REALM, {
      added: ({ key, node, claim, birth }) => {
        this.remote.set(key, node.name);
        this.remoteIds.set(key, [claim.uri, birth.id]);
      },
      removed: ({ key }) => {
        this.remote.delete(key);
        this.remoteIds.delete(key);
      },
      superseded: (claim) => {
        this.held.delete(claim);
        this.ids.delete(claim);
        this.directory?.release(claim);
      },
    });
  }

  claim(uri: string, invoke: InvocationPolicy, force = false): RegistrationClaim {
    const callee = { id: ++this.#lastSession, authid: this.self.name, authrole: 'x', announced: () => false };
    const claim: RegistrationClaim = { uri, match: 'exact', invoke, force, options: { invoke }, callee };
    this.answers.set(claim, []);
    this.#ask(claim);
    return claim;
  }

  /** In another life of the node. */
  claimAgain(claim: RegistrationClaim, keptId: number): void {
    this.answers.set(claim, []);
    this.#ask(claim, keptId);
  }

  #ask(claim: RegistrationClaim, keptId?: number): void {
    const done = (error?: WampError, standing?: RegistrationStanding): void => {
      this.answers.get(claim)?.push(error);
      if (error !== undefined) return;
      this.held.add(claim);
      this.ids.set(claim, standing?.id ?? 0);
    };
    this.directory?.claim(REALM, claim, done, keptId);
  }

  release(claim: RegistrationClaim): void {
    // As a dealer does: only what has no answer yet, or is held.
    const [answer] = this.answers.get(claim) ?? [];
    if (answer !== undefined) return;
    this.held.delete(claim);
    this.ids.delete(claim);
    this.directory?.release(claim);
  }
}

async function nodesOf(names: readonly string[], rows: Rows, clock: FakeClock): Promise<TestNode[]> {
  const nodes = names.map((name) => new TestNode(name, rows.hub));
  const opening = Promise.all(nodes.map((node) => node.open(nodes, clock)));
  await rows.settle();
  await opening;
  return nodes;
}

/** Of one registration no two callees are of different kinds, and of a `single` one there is only one. */
function checkOwners(nodes: readonly TestNode[]): void {
  const byUri = new Map<string, RegistrationClaim[]>();
  for (const claim of nodes.flatMap(({ held }) => [...held]))
    byUri.set(claim.uri, [...(byUri.get(claim.uri) ?? []), claim]);
  for (const claims of byUri.values()) {
    expect(new Set(claims.map(({ invoke }) => invoke)).size).toBe(1);
    if (claims[0]?.invoke === 'single') expect(claims).toHaveLength(1);
  }
}

/** All nodes call a registration the same, and no two have the same id. */
function checkIds(nodes: readonly TestNode[]): void {
  const known = new Map<string, Set<number>>();
  const note = (uri: string, id: number) => known.set(uri, (known.get(uri) ?? new Set()).add(id));
  for (const { ids, remoteIds } of nodes) {
    for (const [{ uri }, id] of ids) note(uri, id);
    for (const [uri, id] of remoteIds.values()) note(uri, id);
  }
  for (const ids of known.values()) expect(ids.size).toBe(1);
  const all = [...known.values()].flatMap((ids) => [...ids]);
  expect(new Set(all).size).toBe(all.length);
}

/** Everybody knows the callees of the others, and no others. */
function checkViews(nodes: readonly TestNode[]): void {
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node).flatMap(({ self, held }) => [...held].map(() => self.name));
    expect([...node.remote.values()].sort()).toEqual(others.sort());
  }
}

it('the first of two becomes the callee; the other is refused, and may have it later', async () => {
  const [rows, clock] = [new Rows(), new FakeClock()];
  const [a, b] = await nodesOf(['a', 'b'], rows, clock);
  if (a === undefined || b === undefined) throw new Error('no nodes');
  const first = a.claim('p', 'single');
  const second = b.claim('p', 'single');
  await rows.settle();
  expect(a.answers.get(first)).toEqual([undefined]);
  expect(b.answers.get(second)).toMatchObject([{ uri: 'wamp.error.procedure_already_exists' }]);
  expect([...b.remote.values()]).toEqual(['a']);
  const third = b.claim('p', 'roundrobin');
  await rows.settle();
  expect(b.answers.get(third)).toMatchObject([{ uri: 'wamp.error.procedure_already_exists' }]);
  a.release(first);
  await rows.settle();
  expect([...b.remote.values()]).toEqual([]);
  const fourth = b.claim('p', 'roundrobin');
  const fifth = a.claim('p', 'roundrobin');
  const sixth = a.claim('p', 'first');
  await rows.settle();
  expect([b.answers.get(fourth), a.answers.get(fifth)]).toEqual([[undefined], [undefined]]);
  expect(a.answers.get(sixth)).toMatchObject([{ uri: 'wamp.error.procedure_exists_with_different_invocation_policy' }]);
  checkViews([a, b]);
});

it('force takes the place of all, also of those that share', async () => {
  const [rows, clock] = [new Rows(), new FakeClock()];
  const nodes = await nodesOf(['a', 'b', 'c'], rows, clock);
  const [a, b, c] = nodes;
  for (const node of nodes) node.claim('p', 'roundrobin');
  await rows.settle();
  const forced = c?.claim('p', 'single', true);
  await rows.settle();
  expect([a?.held.size, b?.held.size]).toEqual([0, 0]);
  expect([...(c?.held ?? [])]).toEqual([forced]);
  checkViews(nodes);
});

describe('the id of a registration', () => {
  let rows: Rows;
  let [a, b, c] = [] as unknown as [TestNode, TestNode, TestNode];
  beforeEach(async () => {
    rows = new Rows();
    [a, b, c] = (await nodesOf(['a', 'b', 'c'], rows, new FakeClock())) as [TestNode, TestNode, TestNode];
  });
  const seenBy = ({ remoteIds }: TestNode) => [...remoteIds.values()].map(([, id]) => id);

  it('is another one each time it begins, on whichever node', async () => {
    const ids: (number | undefined)[] = [];
    for (const node of [a, b, b, c]) {
      const claim = node.claim('p', 'single');
      await rows.settle();
      ids.push(node.ids.get(claim));
      node.release(claim);
      await rows.settle();
    }
    expect(ids).not.toContain(undefined);
    expect(new Set(ids).size).toBe(4);
  });

  it('is one on all nodes, also for those that come when the first callee has gone, and for a node that comes late', async () => {
    const [first, second] = [a.claim('p', 'roundrobin'), b.claim('p', 'roundrobin')];
    await rows.settle();
    const id = a.ids.get(first);
    expect([id, b.ids.get(second), ...seenBy(c)]).toEqual([id, id, id, id]);
    a.release(first);
    await rows.settle();
    const third = c.claim('p', 'roundrobin');
    await rows.settle();
    const late = new TestNode('d', rows.hub);
    const opening = late.open([a, b, c, late], new FakeClock());
    await rows.settle();
    await opening;
    const back = a.claim('p', 'roundrobin');
    await rows.settle();
    expect([c.ids.get(third), a.ids.get(back), ...seenBy(b), ...seenBy(late)]).toEqual([id, id, id, id, id, id, id]);
  });

  it('is another one when somebody uses force, and theirs who share it then', async () => {
    const first = a.claim('p', 'roundrobin');
    await rows.settle();
    const id = a.ids.get(first);
    const [forced, shared] = [b.claim('p', 'roundrobin', true), c.claim('p', 'roundrobin')];
    await rows.settle();
    const next = b.ids.get(forced);
    expect(next).not.toBe(id);
    expect([c.ids.get(shared), ...seenBy(a)]).toEqual([next, next, next]);
    b.release(forced);
    await rows.settle();
    expect(seenBy(a)).toEqual([next]);
  });

  it('is not one that another registration has', async () => {
    a.drawn.push(-7);
    b.drawn.push(-7, -8);
    const first = a.claim('p', 'single');
    await rows.settle();
    const second = b.claim('q', 'single');
    await rows.settle();
    expect([a.ids.get(first), b.ids.get(second)]).toEqual([-7, -8]);
    // Neither has seen the other: who came first has it, as all nodes see.
    a.drawn.push(-9);
    b.drawn.push(-9);
    const both = [a.claim('r', 'single'), b.claim('s', 'single')] as const;
    await rows.settle();
    const answers = [a.answers.get(both[0])?.[0], b.answers.get(both[1])?.[0]];
    expect(answers.filter((error) => error === undefined)).toHaveLength(1);
    expect(answers.filter((error) => error !== undefined)).toMatchObject([{ uri: 'wamp.error.invalid_uri' }]);
    checkIds([a, b, c]);
  });

  it('comes back with a node that was away, unless the registration began anew meanwhile', async () => {
    const lives = [a.claim('p', 'roundrobin', true), b.claim('p', 'roundrobin'), a.claim('q', 'roundrobin')] as const;
    await rows.settle();
    const [p, q] = [a.ids.get(lives[0]) ?? 0, a.ids.get(lives[2]) ?? 0];
    for (const claim of [lives[0], lives[2]]) a.release(claim);
    b.release(lives[1]);
    await rows.settle();
    const anew = c.claim('q', 'roundrobin');
    await rows.settle();
    a.claimAgain(lives[0], p);
    b.claimAgain(lives[1], p);
    a.claimAgain(lives[2], q);
    await rows.settle();
    const shared = c.claim('p', 'roundrobin');
    await rows.settle();
    expect([a.ids.get(lives[0]), b.ids.get(lives[1]), c.ids.get(shared)]).toEqual([p, p, p]);
    expect(a.answers.get(lives[2])).toMatchObject([{ uri: 'wamp.error.procedure_already_exists' }]);
    expect(seenBy(a).sort()).toEqual([p, p, c.ids.get(anew) ?? 0].sort());
  });
});

it('a node that has gone is called no more at once, and nothing of it is left when it was cleaned up behind', async () => {
  const [rows, clock] = [new Rows(), new FakeClock()];
  const nodes = await nodesOf(['a', 'b', 'c'], rows, clock);
  const [a, b, c] = nodes;
  if (a === undefined || b === undefined || c === undefined) throw new Error('no nodes');
  a.claim('p', 'single');
  a.claim('q', 'random');
  await rows.settle();
  const waiting = b.claim('p', 'single');
  a.engine.cut();
  b.directory?.forget(a.self);
  expect(b.remote.size).toBe(0);
  await rows.settle();
  expect(b.answers.get(waiting)).toEqual([undefined]);
  expect([...c.remote.values()].sort()).toEqual(['a', 'a', 'b']);
  c.directory?.forget(a.self);
  const cleaning = c.directory?.cleanBehind(a.self);
  await rows.settle();
  await cleaning;
  expect([...c.remote.values()]).toEqual(['b']);
  expect([b.directory?.size, c.directory?.size]).toEqual([
    { entries: 1, own: 1, ids: 1 },
    { entries: 1, own: 0, ids: 1 },
  ]);
  clock.advance(60_000);
  await rows.settle();
  const late = new TestNode('d', rows.hub);
  const opening = late.open([late], clock);
  await rows.settle();
  await opening;
  expect(late.directory?.size).toEqual({ entries: 1, own: 0, ids: 1 });
});

it('what earlier lives of a node have left is deleted by it, but for a life behind which somebody cleans up', async () => {
  const [rows, clock] = [new Rows(), new FakeClock()];
  const lives = [1, 2, 3].map((epoch) => new TestNode('a', rows.hub, epoch));
  const [lost, uncleaned, now] = lives;
  const b = new TestNode('b', rows.hub);
  if (lost === undefined || uncleaned === undefined || now === undefined) throw new Error('no nodes');
  const all = [...lives, b];
  const opening = Promise.all(all.map((node) => node.open(all, clock)));
  await rows.settle();
  await opening;
  for (const [index, node] of [lost, uncleaned, now, b].entries()) node.claim(`p${index}`, 'single');
  await rows.settle();
  now.directory?.dropEarlier(({ epoch }) => epoch === uncleaned.self.epoch);
  await rows.settle();
  expect([...b.remoteIds.values()].map(([uri]) => uri).sort()).toEqual(['p1', 'p2']);
  // A write of that life that comes through late is one of these, too.
  lost.claim('late', 'single');
  uncleaned.claim('kept', 'single');
  await rows.settle();
  expect([...b.remoteIds.values()].map(([uri]) => uri).sort()).toEqual(['kept', 'p1', 'p2']);
});

it('an engine that cannot write is an error for the client, and nothing comes of it later', async () => {
  const [rows, clock] = [new Rows(), new FakeClock()];
  const nodes = await nodesOf(['a', 'b'], rows, clock);
  const [a, b] = nodes;
  const claim = a?.claim('p', 'single');
  a?.engine.cut();
  await rows.settle();
  expect(claim && a?.answers.get(claim)).toMatchObject([{ uri: 'wamp.error.unavailable' }]);
  a?.engine.mend();
  await rows.settle();
  const next = b?.claim('p', 'single');
  await rows.settle();
  expect(next && b?.answers.get(next)).toEqual([undefined]);
  checkViews(nodes);
});

const action = fc.record({
  node: fc.nat({ max: 2 }),
  uri: fc.constantFrom('p', 'p', 'q'),
  invoke: fc.constantFrom<InvocationPolicy>('single', 'single', 'roundrobin', 'last'),
  force: fc.boolean().map((force) => force),
  kind: fc.constantFrom('claim', 'claim', 'release', 'steps', 'steps'),
  choice: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

it('in any order of news: one answer for each claim, no two owners, the same view for all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 30 }), fc.boolean(), async (actions, withForce) => {
      const [rows, clock] = [new Rows(), new FakeClock()];
      const nodes = await nodesOf(['a', 'b', 'c'], rows, clock);
      const claims: { readonly node: TestNode; readonly claim: RegistrationClaim }[] = [];
      const released = new Set<RegistrationClaim>();
      for (const { node: index, uri, invoke, force, kind, choice } of actions) {
        const node = nodes[index];
        if (node === undefined) continue;
        if (kind === 'claim') claims.push({ node, claim: node.claim(uri, invoke, withForce && force) });
        else if (kind === 'steps') {
          for (let count = 0; count < 6; count++) {
            rows.step(choice);
            await new Promise((resolve) => setImmediate(resolve));
            // Where somebody takes a place by force, the other learns of it a little later.
            if (!withForce) checkOwners(nodes);
          }
        } else {
          const chosen = claims[Math.floor(choice * claims.length)];
          if (chosen === undefined || released.has(chosen.claim)) continue;
          released.add(chosen.claim);
          chosen.node.release(chosen.claim);
        }
      }
      await rows.settle(() => 0.5);
      checkOwners(nodes);
      checkIds(nodes);
      checkViews(nodes);
      for (const { node, claim } of claims) {
        const answers = node.answers.get(claim)?.length ?? 0;
        // One that was taken back while it waited need not be answered.
        if (released.has(claim)) expect(answers).toBeLessThanOrEqual(1);
        else expect(answers).toBe(1);
      }
      for (const { node, claim } of claims) node.release(claim);
      await rows.settle();
      for (const { directory, remote } of nodes) {
        expect(directory?.size).toEqual({ entries: 0, own: 0, ids: 0 });
        expect(remote.size).toBe(0);
      }
    }),
    { numRuns: 60 },
  );
});
