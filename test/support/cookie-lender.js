// A process that has a cookie file and lends it, until it is killed. Says `ready` when it can be borrowed from.
// Arguments: the directory with the compiled store, the socket, the cookie file.
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const [compiled = '', socket = '', filename = ''] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(compiled, file)).href);
const { FileCookieStore } = await load('cookie/file/store.js');
const { Lender } = await load('cookie/lent/lender.js');
const { WatchedStore } = await load('cookie/lent/watched-store.js');
const { silentLogger } = await load('log/logger.js');

const log = silentLogger();
const store = new WatchedStore(new FileCookieStore({ filename, purge: false }, { clock: Date.now, log }));
await store.open();
const lender = await Lender.start(socket, { log });
lender.lend('cookies', store);
process.stdout.write('ready\n');
