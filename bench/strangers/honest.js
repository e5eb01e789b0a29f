/**
 * The honest clients, in a process that does nothing else: forty sessions, each of which calls something every 100 ms and counts
 * from when the call was due, and one new connection each second, which has to be let in. Told by IPC: `watch` begins a new
 * account, `account` ends it.
 */
import { performance } from 'node:perf_hooks';
import { WebSocket } from 'ws';

const CLIENTS = 40;
const CALL_EVERY_MS = 100;
const CONNECT_EVERY_MS = 1000;
/** For what is still under way when the account is asked for. */
const LAST_ANSWERS_MS = 10_000;
const PROCEDURE = 'org.honest.echo';
const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} };

const [port = ''] = process.argv.slice(2);
const url = `ws://127.0.0.1:${port}/ws`;

/**
 * @typedef {object} Account
 * @property {number} calls that were answered
 * @property {number} longestMs
 * @property {number[]} took
 * @property {number} connected new connections that were let in
 * @property {number} longestConnectMs
 * @property {string[]} refused what went wrong: sessions that were cut, connections that were not let in, calls without a result
 */

/** @returns {Account} */
function newAccount() {
  return { calls: 0, longestMs: 0, took: [], connected: 0, longestConnectMs: 0, refused: [] };
}

let account = newAccount();
/** Calls and connections that are waited for. @type {Set<{ what: () => string }>} */
const underWay = new Set();
let isLeaving = false;

/** @param {string} text */
function refuse(text) {
  if (!isLeaving) account.refused.push(text);
}

/** @param {(socket: WebSocket) => void} [begun] @returns {Promise<WebSocket>} a session */
function join(begun) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['wamp.2.json']);
    begun?.(socket);
    socket.once('open', () => socket.send(JSON.stringify([1, 'realm1', { roles: ROLES }])));
    socket.once('message', (data) => {
      const [type, , reason] = JSON.parse(String(data));
      if (type === 2) resolve(socket);
      else reject(new Error(`HELLO was answered with ${type} ${String(reason)}`));
    });
    socket.once('error', reject);
    socket.once('close', (code) => reject(new Error(`closed with ${code} before WELCOME`)));
  });
}

/** A session that calls, for ever; and comes again when it was cut, so that it can be cut again. */
async function callForEver() {
  const socket = await join();
  /** @type {Map<number, { dueAt: number, what: () => string }>} request id -> the call */
  const asked = new Map();
  let requestId = 0;
  let dueAt = performance.now() + Math.random() * CALL_EVERY_MS;
  const timer = setInterval(() => {
    for (const now = performance.now(); dueAt <= now; dueAt += CALL_EVERY_MS) {
      const id = ++requestId;
      const call = { dueAt, what: () => `call ${id} of a session, socket in state ${socket.readyState}` };
      asked.set(id, call);
      underWay.add(call);
      socket.send(JSON.stringify([48, id, {}, PROCEDURE, [id]]));
    }
  }, CALL_EVERY_MS / 4);
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    const [type] = message;
    const id = type === 8 ? message[2] : message[1];
    const call = asked.get(id);
    if (call === undefined) return;
    asked.delete(id);
    underWay.delete(call);
    if (type !== 50) return refuse(`a call was answered with ${JSON.stringify(message).slice(0, 200)}`);
    const ms = performance.now() - call.dueAt;
    account.calls++;
    account.took.push(ms);
    account.longestMs = Math.max(account.longestMs, ms);
  });
  socket.on('close', (code, reason) => {
    clearInterval(timer);
    for (const call of asked.values()) underWay.delete(call);
    refuse(`a session was cut with ${code} ${String(reason)}`);
    if (!isLeaving) void again();
  });
}

async function again() {
  try {
    await callForEver();
  } catch (error) {
    refuse(`a session did not come back: ${error instanceof Error ? error.message : String(error)}`);
    setTimeout(() => void again(), CONNECT_EVERY_MS);
  }
}

async function comeAndGo() {
  const begin = performance.now();
  /** @type {WebSocket | undefined} */
  let begun;
  const connection = { what: () => `a new connection, socket in state ${begun?.readyState}` };
  underWay.add(connection);
  try {
    const socket = await join((each) => (begun = each));
    account.connected++;
    account.longestConnectMs = Math.max(account.longestConnectMs, performance.now() - begin);
    socket.on('error', () => undefined);
    socket.close();
  } catch (error) {
    refuse(`a new connection: ${error instanceof Error ? error.message : String(error)}`);
  }
  underWay.delete(connection);
}

/** What is under way now has its answer, or has waited long enough: it is not waited for again. */
async function settled() {
  const waited = [...underWay];
  const missing = () => waited.filter((each) => underWay.has(each));
  const deadline = performance.now() + LAST_ANSWERS_MS;
  while (missing().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const each of missing()) {
    refuse(`no answer after ${LAST_ANSWERS_MS} ms: ${each.what()}`);
    underWay.delete(each);
  }
}

process.on('message', async (/** @type {'watch' | 'account' | 'leave'} */ what) => {
  if (what === 'leave') {
    isLeaving = true;
    process.exit();
  }
  if (what === 'account') {
    await settled();
    const { took, ...figures } = account;
    const sorted = took.sort((a, b) => a - b);
    process.send?.({ ...figures, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 });
  }
  account = newAccount();
  if (what === 'watch') process.send?.('watching');
});
process.on('disconnect', () => process.exit());

await Promise.all(Array.from({ length: CLIENTS }, callForEver));
setInterval(() => void comeAndGo(), CONNECT_EVERY_MS);
process.send?.('ready');
