/** What a session can do by calling and publishing, and by what it never does. */
import { pause, rawFrame, ROLES } from './wire.js';

const MB = 1_000_000;
const CALLS = 40;
const PARTS = 100;
const TESTAMENTS = 32;
const BEHIND_AUTHORIZER = 30;
const SUBSCRIPTIONS = 500;
const SESSIONS_IN_A_LOOP = 50;

/** @typedef {import('./wire.js').Attacker} Attacker */

let names = 0;
const newName = () => `com.example.n${++names}`;

/** A registration that one call occupies for ever, and calls behind it, also in parts. @param {Attacker} attacker */
export async function waitingCalls(attacker) {
  const [callee, caller] = [await attacker.join(), await attacker.join()];
  if (callee === undefined || caller === undefined) return;
  const [limited, shared] = [newName(), newName()];
  callee.send([64, 1, { concurrency: 1 }, limited]);
  callee.send([64, 2, { invoke: 'roundrobin' }, shared]);
  await callee.next();
  await callee.next();
  const payload = 'x'.repeat(MB);
  for (let i = 1; i <= CALLS && !attacker.isOver; i++) {
    caller.send([48, 2 * i, {}, limited, [payload]]);
    caller.send([48, 2 * i + 1, {}, shared, [payload]]);
    await caller.drained();
  }
  for (let i = 1; i <= PARTS && !attacker.isOver; i++) {
    caller.send([48, 1000, { progress: i < PARTS, receive_progress: true }, limited, [payload]]);
    await caller.drained();
  }
}

/** @param {Attacker} attacker */
export async function behindAuthorizer(attacker) {
  const client = await attacker.join('/guarded', { realm: 'guarded' });
  for (let i = 1; i <= BEHIND_AUTHORIZER && !attacker.isOver; i++) {
    client?.send([16, i, { acknowledge: true }, newName(), Array(MB / 20).fill([i])]);
    await client?.drained();
  }
  await pause(50);
}

const META = ['wamp.session.add_testament', 'wamp.session.list', 'wamp.session.count', 'wamp.subscription.match'];

/** @param {Attacker} attacker */
export async function largeMetaCalls(attacker) {
  const client = await attacker.join();
  if (client === undefined) return;
  let requestId = 0;
  for (const bytes of [60_000, MB]) {
    const args = ['com.example.topic', Array(bytes / 4).fill(1), {}, Array(bytes / 8).fill({})];
    for (const procedure of META) {
      client.send([48, ++requestId, {}, procedure, args]);
      await client.next();
    }
  }
}

/** @param {Attacker} attacker */
export async function testaments(attacker) {
  const client = await attacker.join();
  if (client === undefined) return;
  let requestId = 0;
  for (const bytes of [500_000, 60_000, 4000]) {
    for (let i = 0; i < TESTAMENTS; i++) {
      const args = ['com.example.testament', Array(bytes / 4).fill([]), {}];
      client.send([48, ++requestId, {}, 'wamp.session.add_testament', args]);
      if ((await client.next()) === undefined || attacker.isOver) return;
    }
  }
}

/** Who never reads again, and holds a procedure; nothing is said to the end. @param {Attacker} attacker */
export async function vanished(attacker) {
  const socket = await attacker.joinRaw();
  if (socket === undefined) return;
  socket.write(rawFrame([64, 1, {}, newName()]));
  socket.write(rawFrame([32, 2, {}, 'com.example.vanished']));
  socket.pause();
  const client = await attacker.join();
  for (let i = 1; i <= 20; i++) client?.send([16, i, {}, 'com.example.vanished', ['x'.repeat(1000)]]);
  await pause(20);
}

/** @param {Attacker} attacker */
export async function noise(attacker) {
  const large = await attacker.join();
  const small = await attacker.socket();
  small?.destroy();
  for (let i = 1; i <= SUBSCRIPTIONS; i++) large?.send([32, i, { match: 'prefix' }, newName()]);
  const raw = await attacker.joinRaw();
  for (let i = 0; i < SESSIONS_IN_A_LOOP; i++) {
    raw?.write(rawFrame([6, {}, 'wamp.close.normal']));
    raw?.write(rawFrame([1, 'realm1', { roles: { ...ROLES, ['x'.repeat(1000)]: { features: { y: true } } } }]));
  }
  raw?.resume();
  const loud = await attacker.connect();
  loud?.send([1, 'realm1', { roles: { caller: { features: { ['x'.repeat(50_000)]: true } } } }]);
  const wrong = await attacker.connect();
  wrong?.send([999, 'x'.repeat(50_000)]);
  const nowhere = await attacker.connect();
  nowhere?.send([1, 'y'.repeat(50_000), { roles: ROLES }]);
  await pause(5);
}

/** Values that are small in one serializer, for a subscriber of another. @param {Attacker} attacker */
export async function translation(attacker) {
  const topic = newName();
  const [subscriber, publisher] = [await attacker.join(), await attacker.join('/ws', { serializer: 'msgpack' })];
  subscriber?.send([32, 1, {}, topic]);
  await subscriber?.next();
  for (const args of [Array(MB).fill(1), Array(MB / 10).fill({ a: [1.5] }), ['"\n'.repeat(MB / 2)]]) {
    publisher?.send([16, 1, {}, topic, args]);
    await publisher?.drained();
  }
  await pause(5);
}
