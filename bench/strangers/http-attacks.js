/** What can be done to a node before it has heard a word of WAMP. */
import { pause } from './wire.js';

const PIPELINED = 1000;
const UNREAD = 1800;
const CONNECTIONS = 8;
const TOGETHER = 500;
const COOKIES = 100;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

const UPGRADE = [
  'Host: x',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
/** @param {string} line @param {string} protocol */
const upgrade = (line, protocol) => [line, ...UPGRADE, `Upgrade: ${protocol}`].join('\r\n') + '\r\n\r\n';
const PACKETS = [
  GET + upgrade('GET / HTTP/1.1', 'h2c'),
  GET + upgrade('GET /ws HTTP/1.1', 'websocket'),
  GET + 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
  upgrade('GET /ws HTTP/1.1', 'websocket') + GET,
  upgrade('GET /ws HTTP/1.1', 'h2c') + upgrade('GET /ws HTTP/1.1', 'h2c'),
  `POST /ws HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${GET}`,
];

/** @typedef {import('./wire.js').Attacker} Attacker */

/** Resolves when it has an answer, or is gone: to be cut is what an attacker expects. @param {import('node:net').Socket} socket */
function answered(socket) {
  return new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
}

/** @param {Attacker} attacker */
export async function upgrades(attacker) {
  for (const packet of PACKETS) {
    const socket = await attacker.socket();
    socket?.write(packet);
    socket?.resume();
    await pause(2);
    socket?.destroy();
  }
}

/** @param {Attacker} attacker */
export async function pipelinesThatGo(attacker) {
  const socket = await attacker.socket();
  if (socket === undefined) return;
  socket.write(GET.repeat(PIPELINED));
  await answered(socket);
  socket.destroy();
}

/** @param {Attacker} attacker */
export async function pipelinesThatStay(attacker) {
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = await attacker.socket();
    socket?.pause();
    socket?.write(GET.repeat(UNREAD));
  }
  await pause(50);
}

/** @param {Attacker} attacker */
export async function together(attacker) {
  const open = /** @type {import('node:net').Socket[]} */ ([]);
  // Not more at once than may wait to be accepted.
  for (let opened = 0; opened < TOGETHER; opened += CONNECTIONS) {
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => attacker.socket()));
    open.push(...sockets.flatMap((socket) => socket ?? []));
  }
  for (const socket of open) socket.write(GET);
  await Promise.all(open.map(answered));
  for (const socket of open) socket.destroy();
}

/** @param {Attacker} attacker */
export async function cookies(attacker) {
  await Promise.all(Array.from({ length: CONNECTIONS }, () => takeCookies(attacker)));
}

/** @param {Attacker} attacker */
async function takeCookies(attacker) {
  const socket = await attacker.socket();
  if (socket === undefined) return;
  let seen = 0;
  socket.on('data', (chunk) => (seen += String(chunk).split('Set-Cookie').length - 1));
  socket.write('GET /visit HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(COOKIES));
  while (seen < COOKIES && !socket.destroyed && !attacker.isOver) await pause(5);
  socket.destroy();
}
