// The victim of the crash test: changes cookies as fast as it can and says so once each change is acknowledged.
// Arguments: the directory with the compiled store, the cookie file, `database:` and a directory, `lent:` and the socket of a lender, or
// `nats:` and addresses, how many changes at a time. Over NATS changes may fail, because its servers are killed, too: the next cookie is tried then.
import { writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const [compiled = '', filename = '', parallel = '16'] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(compiled, file)).href);
const { FileCookieStore } = await load('cookie/file/store.js');
const { newCookieId } = await load('cookie/tracker.js');
const { silentLogger } = await load('log/logger.js');

const auth = { authid: 'joe', authrole: 'user', authmethod: 'ticket', authrealm: 'realm1', authextra: { n: 1 } };
const isNats = filename.startsWith('nats:');
const store = filename.startsWith('database:')
  ? await database(filename.slice('database:'.length))
  : isNats
    ? await nats(filename.slice('nats:'.length).split(','))
    : filename.startsWith('lent:')
      ? await borrowed(filename.slice('lent:'.length))
      : new FileCookieStore({ filename, purge: false }, { clock: Date.now, log: silentLogger() });
await store.open();

async function database(directory) {
  const { DatabaseCookieStore } = await load('cookie/database/store.js');
  const options = { path: directory, maxsize: 2 ** 30, readonly: false, sync: true, purge: false };
  return new DatabaseCookieStore(options, { log: silentLogger() });
}

async function borrowed(socket) {
  const { OwnerLink } = await load('cookie/lent/owner-link.js');
  const { BorrowedStore } = await load('cookie/lent/borrowed-store.js');
  return new BorrowedStore(await OwnerLink.connect(socket, { log: silentLogger() }), 'cookies');
}

async function nats(servers) {
  const { NatsCookieStore } = await load('cookie/nats/store.js');
  const { connectNats } = await load('engine/nats/connect.js');
  const log = silentLogger();
  const config = { servers, max_pending: 2 ** 24, connect_timeout: 30 };
  const connect = () => connectNats(config, { log, neededBy: 'a test', name: 'writer' });
  return new NatsCookieStore('cookies', { clock: Date.now, log, connect });
}

/**
 * Is in the pipe when it returns, also when the pipe was full: `process.stdout` would keep the line in memory then, where
 * a kill finds it, and go on.
 */
function acknowledge(what, cbtid) {
  for (;;) {
    try {
      writeSync(1, `${what} ${cbtid}\n`);
      return;
    } catch (error) {
      // The pipe is full and does not block: whoever reads it is slow. It takes a whole line or nothing.
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

async function moveOn(cbtid, now) {
  const successor = newCookieId(24);
  acknowledge('moving', cbtid);
  await store.rotate(cbtid, successor, now);
  acknowledge('moved', cbtid);
  acknowledge('login', successor);
}

async function work() {
  for (let n = 0; ; n += 1) {
    try {
      await visit(n);
    } catch (error) {
      if (!isNats) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function visit(n) {
  const cbtid = newCookieId(24);
  const now = new Date().toISOString();
  await store.create({
    cbtid,
    created: now,
    modified: null,
    max_age: 86400,
    auth: null,
    seen: null,
    rotated: null,
    returned: false,
  });
  acknowledge('created', cbtid);
  if (n % 3 === 0) return;
  await store.update(cbtid, { auth, modified: now });
  acknowledge('login', cbtid);
  if (n % 3 === 1) {
    await moveOn(cbtid, now);
    return;
  }
  acknowledge('deleting', cbtid);
  await store.delete(cbtid, now);
  acknowledge('deleted', cbtid);
}

await Promise.all(Array.from({ length: Number(parallel) }, work));
