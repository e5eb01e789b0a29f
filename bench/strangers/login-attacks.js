/** What can be done by who has said HELLO at most. */
import { Encoder } from '@msgpack/msgpack';
import { pause, ROLES } from './wire.js';

const KIB = 1024;
const GUESSES = 200;
const WAITING_EACH_MS = 10;
/** Behind a HELLO that is thought about. */
const BEHIND = 20;
const BEHIND_BYTES = 500_000;

/** @typedef {import('./wire.js').Attacker} Attacker */

/** @param {number} bytes the size of it */
function fullOfMaps(bytes) {
  const head = Buffer.from(
    new Encoder().encode([1, 'realm1', { authmethods: ['ticket'], authid: 'joe', roles: { x: 0 } }]),
  );
  const list = Buffer.alloc(5);
  // An array of 32-bit length, of empty maps: each is one byte.
  list[0] = 0xdd;
  const count = bytes - head.length - list.length;
  list.writeUInt32BE(count, 1);
  return Buffer.concat([head.subarray(0, -1), list, Buffer.alloc(count, 0x80)]);
}

const HELLOS = [fullOfMaps(60 * KIB), fullOfMaps(KIB * KIB)];

/** @param {Attacker} attacker */
export async function largeHellos(attacker) {
  for (const path of ['/login', '/ws']) {
    for (const hello of HELLOS) (await attacker.connect(path, 'msgpack'))?.send(hello);
  }
  await pause(5);
}

/** @param {Attacker} attacker */
export async function largeAuthids(attacker) {
  // Canonical order puts the second before the first: each of them has to move past all the others.
  for (const length of [1000, 15_000, 160_000]) {
    const authid = `a${'\u0315'.repeat(length / 2)}${'\u0300'.repeat(length / 2)}`;
    const client = await attacker.connect('/login');
    client?.send([1, 'realm1', { authmethods: ['scram'], authid, authextra: { nonce: 'AAAA' }, roles: ROLES }]);
  }
  await pause(5);
}

/** @param {Attacker} attacker */
export async function behindHello(attacker) {
  const client = await attacker.connect('/ask');
  client?.send([1, 'realm1', { authmethods: ['ticket'], authid: `joe${Math.random()}`, roles: ROLES }]);
  client?.send([5, 'a ticket', {}]);
  for (let i = 1; i <= 1000; i++) client?.send([16, i, {}, 'com.example.topic', ['x'.repeat(100)]]);
  for (let i = 1; i <= BEHIND; i++) client?.send([16, i, { x: 'y'.repeat(BEHIND_BYTES) }, 'com.example.topic']);
  await client?.drained();
  await pause(50);
}

/** @param {Attacker} attacker */
export async function guesses(attacker) {
  const guess = async (/** @type {number} */ number) => {
    const client = await attacker.connect('/ask');
    client?.send([1, 'realm1', { authmethods: ['ticket'], authid: 'joe', roles: ROLES }]);
    if ((await client?.next()) === undefined) return;
    client?.send([5, `guess ${number}`, {}]);
    await client?.next();
  };
  await Promise.all(Array.from({ length: GUESSES }, (_, number) => guess(number)));
}

/** @param {Attacker} attacker */
export async function waiting(attacker) {
  void attacker.connect('/login').then((client) => {
    client?.send([1, 'realm1', { authmethods: ['ticket'], authid: 'joe', roles: ROLES }]);
  });
  await pause(WAITING_EACH_MS);
}
