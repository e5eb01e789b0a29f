/** Who is in the cluster: joining, leaving, silence, and a node that may not serve any more. */
import { beforeEach, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { settle, TestMember, testHub, TIMINGS } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';

let hub: MemoryHub;
let clock: FakeClock;
beforeEach(() => {
  hub = testHub();
  clock = new FakeClock();
});

const member = (name: string): Promise<TestMember> => new TestMember(name, hub, clock).join();

/** Lets time pass, a heartbeat at a time. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= TIMINGS.heartbeatMs) {
    clock.advance(Math.min(left, TIMINGS.heartbeatMs));
    await settle();
  }
}

const namesOf = ({ membership }: TestMember): string[] => (membership?.others ?? []).map(({ name }) => name).sort();

it('a node that joins knows the others, and they know it; one that leaves is gone for all at once', async () => {
  const a = await member('a');
  const b = await member('b');
  const c = await member('c/ä.1');
  await settle();
  expect([namesOf(a), namesOf(b), namesOf(c)]).toEqual([
    ['b', 'c/ä.1'],
    ['a', 'c/ä.1'],
    ['a', 'b'],
  ]);
  expect([a.news(), c.news()]).toEqual([
    ['joined b', 'joined c/ä.1'],
    ['joined a', 'joined b'],
  ]);
  await b.membership?.leave();
  await settle();
  expect([a.news(), c.news()]).toEqual([['removed b'], ['removed b']]);
  expect(namesOf(a)).toEqual(['c/ä.1']);
  await pass(30_000);
  expect([a.news(), c.news()]).toEqual([[], []]);
  expect(a.membership?.mayServe()).toBe(true);
});

it('a node that is silent is suspect, then removed, and one of the others cleans up behind it', async () => {
  const [a, b, c] = [await member('a'), await member('b'), await member('c')];
  await pass(2000);
  [a, b, c].forEach((each) => each.news());
  const [gone] = a.membership?.others.filter(({ name }) => name === 'c') ?? [];
  if (gone === undefined) throw new Error('c is not there');
  c.engine.cut();
  await pass(2000);
  expect(a.membership?.isSuspect(gone)).toBe(false);
  await pass(2000);
  expect(a.membership?.isSuspect(gone)).toBe(true);
  expect(a.news()).toEqual([]);
  await pass(2000);
  expect(namesOf(a)).toEqual(['b']);
  const told = [...a.news(), ...b.news()].sort();
  expect(told).toEqual(['clean c', 'removed c', 'removed c']);
  expect(a.membership?.isSuspect(gone)).toBe(true);
  // Long before that it has noticed itself.
  expect(c.news()).toEqual(['fenced: its heartbeats did not come back']);
});

it('a node whose heartbeats do not come back serves nobody, sooner than the others take its place', async () => {
  const [a, b] = [await member('a'), await member('b')];
  await pass(1000);
  b.engine.cut();
  await pass(TIMINGS.fenceMs - TIMINGS.heartbeatMs);
  expect(b.membership?.mayServe()).toBe(true);
  await pass(TIMINGS.heartbeatMs);
  expect(b.told.at(-1)).toBe('fenced: its heartbeats did not come back');
  expect(b.membership?.mayServe()).toBe(false);
  expect(namesOf(a)).toEqual(['b']);
  b.engine.mend();
  await pass(1000);
  expect(b.membership?.mayServe()).toBe(false);
});

it('a short break of the link is none', async () => {
  const [a, b] = [await member('a'), await member('b')];
  await pass(1000);
  b.engine.cut();
  await pass(1000);
  b.engine.mend();
  await pass(10_000);
  expect([namesOf(a), namesOf(b)]).toEqual([['b'], ['a']]);
  expect(b.membership?.mayServe()).toBe(true);
});

it('a node that was stopped finds out by the clock, before any timer and any message', async () => {
  const a = await member('a');
  await pass(1000);
  a.stoppedMs = 10_000;
  expect(a.membership?.mayServe()).toBe(false);
  expect(a.told).toEqual(['fenced: its heartbeats did not come back']);
});

it('a node that was removed learns of it, although its heartbeats come back', async () => {
  const [a, b] = [await member('a'), await member('b')];
  await pass(1000);
  const bucket = await a.engine.bucket('nodes', { durable: true });
  const self = b.membership?.self;
  await bucket.create(`gone.b.${self?.epoch}`, new TextEncoder().encode('{"by":"x.1"}'));
  await settle();
  expect(b.told.at(-1)).toBe('fenced: another node heard nothing of it, and removed it');
  expect(b.membership?.mayServe()).toBe(false);
  expect(namesOf(a)).toEqual([]);
});

it('two nodes cannot have the same name at the same time', async () => {
  const a = await member('a');
  await settle();
  const twin = new TestMember('a', hub, clock).join();
  const refused = expect(twin).rejects.toThrow(
    'there is a node "a" in the cluster already: each needs a name of its own',
  );
  await pass(3000);
  await refused;
  expect(a.membership?.mayServe()).toBe(true);
});

it('a node that ended without a word comes back under its name, with a larger epoch, and its earlier life is removed', async () => {
  const [a, b] = [await member('a'), await member('b')];
  await pass(1000);
  b.engine.cut();
  a.news();
  const later = new TestMember('b', hub, clock);
  const joining = later.join();
  // It listens for a while whether its earlier life is heard of.
  await settle();
  await pass(3000);
  await joining;
  await settle();
  expect(later.membership?.self.epoch).toBeGreaterThan(b.membership?.self.epoch ?? Infinity);
  expect(later.news()).toEqual(['joined a', 'removed b', 'clean b']);
  expect(a.news()).toEqual(['joined b', 'removed b']);
  expect(namesOf(a)).toEqual(['b']);
});

it('cleaning up is tried again, and taken over when the node that does it goes', async () => {
  const [a, b] = [await member('a'), await member('b')];
  const c = await member('c');
  await pass(1000);
  [a, b, c].forEach((each) => each.news());
  let failures = 0;
  const failing = (): Promise<void> => Promise.reject(new Error(`no luck ${++failures}`));
  a.clean = failing;
  b.clean = failing;
  c.engine.cut();
  await pass(8000);
  const cleaner = a.told.includes('clean c') ? a : b;
  const other = cleaner === a ? b : a;
  expect(failures).toBeGreaterThan(1);
  expect(other.told).toEqual(['removed c']);
  other.clean = () => Promise.resolve();
  cleaner.engine.cut();
  await pass(7000);
  expect(other.told.slice(1).sort()).toEqual([
    `clean ${cleaner === a ? 'a' : 'b'}`,
    'clean c',
    `removed ${cleaner === a ? 'a' : 'b'}`,
  ]);
  await pass(5000);
  // Done is done: nobody has to do it again, a node that joins later neither.
  const late = await member('d');
  await pass(2000);
  expect(late.told.filter((each) => !each.startsWith('removed'))).toEqual([`joined ${other === a ? 'a' : 'b'}`]);
});

it('when the values of the cluster are lost all nodes stop serving, and come back with later epochs', async () => {
  const [a, b] = [await member('a'), await member('b')];
  await pass(1000);
  [a, b].forEach((each) => each.news());
  hub.lose();
  await settle();
  expect([a.news(), b.news()]).toEqual([
    ["fenced: the cluster's values are gone"],
    ["fenced: the cluster's values are gone"],
  ]);
  expect([a, b].map(({ membership }) => membership?.mayServe())).toEqual([false, false]);
  const later = new TestMember('a', hub, clock);
  await later.join();
  expect(later.membership?.self.epoch).toBeGreaterThanOrEqual(a.membership?.self.epoch ?? Infinity);
  expect(later.news()).toEqual([]);
  await new TestMember('b', hub, clock).join();
  await settle();
  expect(later.news()).toEqual(['joined b']);
});

it('a node that joins while the values are lost does not join', async () => {
  const a = new TestMember('a', hub, clock);
  const joining = a.join();
  const outcome = joining.then(
    () => 'joined',
    (error: unknown) => String(error),
  );
  for (let turn = 0; turn < 6; turn++) await Promise.resolve();
  hub.lose();
  await settle();
  expect(await outcome).toContain("the cluster's values are gone");
});

it('erases the traces of nodes that have long been gone', async () => {
  const a = await member('a');
  const b = await member('b');
  await b.membership?.leave();
  await pass(120_000);
  await member('c');
  const keys: string[] = [];
  await (await a.engine.bucket('nodes', { durable: true })).watch(({ key }) => keys.push(key.replace(/\d+$/, '')));
  expect(keys.sort()).toEqual(['n.a.', 'n.c.']);
});

it('a node that waits for long until it is told of its own key is not removed meanwhile', async () => {
  const a = await member('a');
  const b = new TestMember('b', hub, clock);
  let tell = (): void => undefined;
  b.ownKeyTold = new Promise((resolve) => (tell = resolve));
  const joining = b.join();
  await settle();
  await pass(3 * TIMINGS.removeMs);
  expect(a.news()).toEqual(['joined b']);
  tell();
  await joining;
  await pass(TIMINGS.removeMs);
  expect([a.news(), b.news()]).toEqual([[], ['joined a']]);
  expect(b.membership?.mayServe()).toBe(true);
});
