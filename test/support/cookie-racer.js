// One of two processes with the same cookie database: logs cookies out, or gives them new ids, when it is told to.
// Arguments: the directory with the compiled store, the directory of the database, or `lent:` and the socket of a lender that has the
// database. Orders, one a line:
// `logout ID`, `expire ID`, `rotate ID SUCCESSOR`. Each is answered with `done`.
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [compiled = '', directory = ''] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(compiled, file)).href);
const { LiveCookies } = await load('cookie/live/live-cookies.js');
const { LENIENT } = await load('cookie/rules.js');
const { silentLogger } = await load('log/logger.js');

const log = silentLogger();
const { store, letGo } = directory.startsWith('lent:') ? await borrowed(directory.slice('lent:'.length)) : await own();
await store.open();
const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log });

async function own() {
  const { DatabaseCookieStore } = await load('cookie/database/store.js');
  // What is asked here is not whether it survives a loss of power.
  const options = { path: directory, maxsize: 2 ** 30, readonly: false, sync: false, purge: false };
  return { store: new DatabaseCookieStore(options, { log }), letGo: () => undefined };
}

async function borrowed(socket) {
  const { OwnerLink } = await load('cookie/lent/owner-link.js');
  const { BorrowedStore } = await load('cookie/lent/borrowed-store.js');
  const link = await OwnerLink.connect(socket, { log });
  return { store: new BorrowedStore(link, 'cookies'), letGo: () => link.end() };
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [what, cbtid, successor] = line.split(' ');
  if (what === 'logout') await liveCookies.logOut(cbtid);
  else if (what === 'expire') await store.delete(cbtid, new Date().toISOString(), false);
  else await liveCookies.rotate(cbtid, successor).catch(() => undefined);
  process.stdout.write('done\n');
}
liveCookies.close();
await store.close();
letGo();
