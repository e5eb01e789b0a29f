/** Calls that are lost without a word, because the link of a node broke a moment ago: how soon their callers know. */
import { beforeEach, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub, TIMINGS } from '../../support/cluster.js';
import { pass } from '../../support/life-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [CALL, RESULT, REGISTER, INVOCATION, YIELD] = [48, 50, 64, 68, 70];

let hub: MemoryHub;
let clock: FakeClock;
let [a, b] = [] as unknown as [ClusterNode, ClusterNode];
let [callee, other, caller] = [] as unknown as [ScriptedSession, ScriptedSession, ScriptedSession];
beforeEach(async () => {
  hub = testHub();
  clock = new FakeClock();
  [a, b] = [await new ClusterNode('a', hub, clock).join(), await new ClusterNode('b', hub, clock).join()];
  await settle();
  [callee, other, caller] = [b.session(), a.session(), a.session()];
  for (const session of [callee, other]) {
    session.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
    await settle();
    session.heard();
  }
});

/** The answers of calls: RESULT, or the URI of an ERROR, by their ids. */
const answers = (): unknown[][] =>
  caller.heard().map(([code, first, second, , uri]) => (code === RESULT ? [first, RESULT] : [second, uri]));

it('a call that was sent while the link of the callee broke is canceled as soon as that is known, and made once', async () => {
  // Nothing else is sent to the node: its own silence would be noticed much later.
  caller.tell(CALL, 1, {}, 'com.app.shared');
  b.engine.cut();
  await pass(clock, TIMINGS.heartbeatMs + 250);
  expect(answers()).toEqual([[1, 'wamp.error.canceled']]);
  expect([callee, other].flatMap((session) => session.heard())).toEqual([]);
  // The next one surely reaches nobody there, and goes on to the next callee.
  caller.tell(CALL, 2, {}, 'com.app.shared');
  await settle();
  const [[, id] = []] = other.heard().filter(([code]) => code === INVOCATION);
  other.tell(YIELD, id, {}, []);
  await settle();
  expect(answers()).toEqual([[2, RESULT]]);
  expect(a.member.linkOf('realm1').calls.size.callees).toBe(1);
});

it('a call that the callee has for a while is not over when its link is down for a moment', async () => {
  caller.tell(CALL, 1, {}, 'com.app.shared');
  await pass(clock, 2000);
  const [[, id] = []] = callee.heard().filter(([code]) => code === INVOCATION);
  caller.tell(CALL, 2, {}, 'com.app.shared');
  b.engine.cut();
  await pass(clock, 1500);
  expect(answers()).toEqual([[2, 'wamp.error.canceled']]);
  b.engine.mend();
  await pass(clock, 500);
  callee.tell(YIELD, id, {}, []);
  await settle();
  expect(answers()).toEqual([[1, RESULT]]);
});

it('a call that was lost, and the count behind it, too, is answered when the link is back', async () => {
  for (const { engine } of [a, b]) {
    const blink = async (): Promise<void> => {
      engine.cut();
      engine.mend();
      await settle();
    };
    caller.tell(CALL, 1, {}, 'com.app.shared');
    await blink();
    // What is sent at this moment is lost with the link.
    clock.advance(TIMINGS.heartbeatMs);
    await blink();
    expect(answers()).toEqual([]);
    await pass(clock, TIMINGS.heartbeatMs);
    expect(answers()).toEqual([[1, 'wamp.error.canceled']]);
  }
  expect([callee, other].flatMap((session) => session.heard())).toEqual([]);
});
