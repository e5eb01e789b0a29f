/** What a session can do with subscriptions, histories and retained events. */
import { pause } from './wire.js';

const MB = 1_000_000;
const COMPONENTS = 13;
const HISTORY_EVENTS = 54;
const DEEP = 2000;
const ENDLESS = 60_000;
/** How much is sent before the answers are looked at. */
const BATCH = 500;
const READERS = 40;
const UNREAD_EVENTS = 15;
const RETAINED = 10_000;

/** @typedef {import('./wire.js').Attacker} Attacker */

let names = 0;

/** All 8192 patterns that one topic fits. @param {Attacker} attacker */
export async function wildcards(attacker) {
  const client = await attacker.join();
  const parts = Array.from({ length: COMPONENTS }, (_, i) => `c${i}`);
  for (let mask = 0; mask < 2 ** COMPONENTS && !attacker.isOver; mask++) {
    const topic = parts.map((part, i) => ((mask >> i) & 1 ? '' : part)).join('.');
    client?.send([32, mask + 1, { match: 'wildcard' }, topic]);
    if (mask % BATCH === BATCH - 1) await client?.drained();
  }
  for (let i = 0; i < 3; i++) {
    client?.send([16, 100_000 + i, { exclude_me: false }, parts.join('.'), ['x'.repeat(MB)]]);
    await pause(100);
  }
}

/** @param {Attacker} attacker */
export async function history(attacker) {
  const client = await attacker.join();
  client?.send([32, 1, { match: 'prefix' }, 'com.example.history.']);
  const answer = await client?.next();
  if (answer === undefined) return;
  const [, , id] = JSON.parse(String(answer));
  const payload = 'x'.repeat(MB - 1000);
  for (let i = 1; i <= HISTORY_EVENTS && !attacker.isOver; i++) {
    client?.send([16, i + 1, {}, 'com.example.history.a', [payload]]);
    await client?.drained();
  }
  for (let i = 0; i < 50 && !attacker.isOver; i++) {
    client?.send([48, 1000 + i, {}, 'wamp.subscription.get_events', [id, 1000]]);
    if ((await client?.next()) === undefined) return;
  }
}

/** @param {Attacker} attacker */
export async function deepPatterns(attacker) {
  const client = await attacker.join();
  for (let i = 1; i <= DEEP && !attacker.isOver; i++) {
    client?.send([32, 2 * i, { match: 'wildcard' }, `a${++names}${'.'.repeat(509)}`]);
    client?.send([32, 2 * i + 1, { match: 'wildcard' }, `a${++names}${'.b'.repeat(30)}.`]);
    if (i % BATCH === 0) await client?.drained();
  }
}

/** @param {Attacker} attacker */
export async function endless(attacker) {
  const client = await attacker.join();
  const prefix = `com.example.e${++names}`;
  for (let i = 1; i <= ENDLESS && !attacker.isOver; i++) {
    client?.send([32, i, {}, `${prefix}.${i}`]);
    if (i % BATCH === 0) {
      await client?.drained();
      await pause(0);
    }
  }
}

/** @param {Attacker} attacker */
export async function unread(attacker) {
  const topic = `com.example.unread.${'x'.repeat(READERS)}`;
  for (let i = 0; i < READERS; i++) {
    const reader = await attacker.join();
    // Each has a pattern of its own, so that nobody shares a frame with another.
    reader?.send([32, 1, { match: 'prefix' }, topic.slice(0, topic.length - i)]);
    await reader?.next();
    reader?.stopReading();
  }
  const publisher = await attacker.join();
  for (let i = 1; i <= UNREAD_EVENTS && !attacker.isOver; i++) {
    publisher?.send([16, i, {}, topic, ['x'.repeat(MB)]]);
    await publisher?.drained();
  }
  await pause(100);
}

/** @param {Attacker} attacker */
export async function retained(attacker) {
  const client = await attacker.join();
  for (let i = 0; i < RETAINED && !attacker.isOver; i++) {
    client?.send([16, i + 1, { retain: true }, `com.${i}.${'x'.repeat(980)}`, ['y'.repeat(50)]]);
    if (i % BATCH === 0) await client?.drained();
  }
  for (let i = 0; i < 100 && !attacker.isOver; i++) {
    client?.send([32, 100_000 + 2 * i, { match: 'wildcard', get_retained: true }, 'com..'.padEnd(5 + (i % 2), 'x')]);
    await client?.drained();
    await pause(1);
  }
}
