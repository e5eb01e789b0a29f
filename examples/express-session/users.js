/** Who may log in. A real application has them in its database. */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt);

// node -p 'require("node:crypto").scryptSync("white rabbit", "salt of alice", 32).toString("hex")'
const USERS = new Map([
  [
    'alice',
    {
      id: 1,
      role: 'member',
      salt: 'salt of alice',
      hash: '79f7f4a936153dff262d05ee0cd733f4432adee8748c9c9f8dafba126369b0fe',
    },
  ],
  [
    'queen',
    {
      id: 2,
      role: 'root',
      salt: 'salt of queen',
      hash: '07ac5a8a4f14fe15f1872d7723789fb934a381c41604b033045fd84e26d4c320',
    },
  ],
]);
const NOBODY = { salt: 'salt of nobody', hash: '00'.repeat(32) };

/** @returns what the session keeps of a user; undefined for a wrong name or password, after the same work. */
export async function userOf(name, password) {
  if (typeof name !== 'string' || typeof password !== 'string') return undefined;
  const { salt, hash, id, role } = USERS.get(name) ?? NOBODY;
  const isRight = timingSafeEqual(await derive(password, salt, 32), Buffer.from(hash, 'hex'));
  return isRight ? { id, name, role } : undefined;
}
