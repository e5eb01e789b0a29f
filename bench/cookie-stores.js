#!/usr/bin/env node
/**
 * `node bench/cookie-stores.js` (after a build): how large the cookie stores become under logins and logouts, and what
 * 100,000 cookies with logins cost at the start, in time and in memory. Each measurement has a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { importSource } from '../scripts/source.js';

const { DatabaseCookieStore } = await importSource('cookie/database/store.ts');
const { FileCookieStore } = await importSource('cookie/file/store.ts');
const { newCookieId } = await importSource('cookie/tracker.ts');
const { silentLogger } = await importSource('log/logger.ts');

const LIVE = 1000;
const CHANGES = 100_000;
const AT_ONCE = 50;

const [what, type = '', directory = ''] = process.argv.slice(2);
if (what === 'churn') await churn();
else if (what === 'fill') await fill();
else if (what === 'load') await load();
else runAll();

function runAll() {
  for (const kind of ['file', 'database']) {
    for (const steps of [['churn'], ['fill', 'load']]) {
      const place = mkdtempSync(path.join(tmpdir(), 'cookie-stores-'));
      for (const step of steps) {
        const args = ['--expose-gc', fileURLToPath(import.meta.url), step, kind, place];
        const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
        if (status !== 0) process.exitCode = 1;
      }
      rmSync(place, { recursive: true });
    }
  }
}

/** Logins and logouts of a thousand browsers: how much of the file is history? */
async function churn() {
  const store = await opened();
  const ids = Array.from({ length: LIVE }, () => newCookieId(24));
  await Promise.all(ids.map((id) => store.create(recordOf(id, null))));
  const start = performance.now();
  let largest = 0;
  for (let done = 0; done < CHANGES; done += AT_ONCE) {
    const isLogin = Math.floor(done / LIVE) % 2 === 0;
    const some = ids.slice(done % LIVE, (done % LIVE) + AT_ONCE);
    const modified = new Date().toISOString();
    await Promise.all(some.map((id, n) => store.update(id, { auth: isLogin ? loginOf(n) : null, modified })));
    largest = Math.max(largest, bytesIn(directory));
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const size = bytesIn(directory);
  await store.compact?.();
  const live = bytesIn(directory);
  await store.close();
  const sizes = `${size} bytes, at most ${largest}, compacted ${live}`;
  process.stdout.write(`${type}: ${CHANGES} changes of ${LIVE} cookies in ${seconds} s; ${sizes}\n`);
}

async function fill() {
  const store = await opened();
  for (let n = 0; n < CHANGES; n += LIVE) {
    await Promise.all(Array.from({ length: LIVE }, (_, m) => store.create(recordOf(newCookieId(24), loginOf(n + m)))));
  }
  await store.close();
}

async function load() {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const store = await opened();
  const milliseconds = (performance.now() - start).toFixed(0);
  const each = ((process.memoryUsage().rss - before) / CHANGES).toFixed(0);
  await store.close();
  process.stdout.write(`${type}: ${CHANGES} cookies with logins open in ${milliseconds} ms, ${each} bytes RSS each\n`);
}

async function opened() {
  const deps = { clock: Date.now, log: silentLogger() };
  const options = { path: path.join(directory, 'db'), maxsize: 2 ** 30, readonly: false, sync: true, purge: false };
  const store =
    type === 'file'
      ? new FileCookieStore({ filename: path.join(directory, 'cookies.dat'), purge: false }, deps)
      : new DatabaseCookieStore(options, deps);
  await store.open();
  return store;
}

/** @param {string} place */
function bytesIn(place) {
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .filter(({ name }) => !name.includes('lock'))
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}

/** @param {number} n */
function loginOf(n) {
  const authextra = {
    x_cb_node: 'vm-31908',
    x_cb_worker: 'worker1',
    x_cb_peer: 'tcp4:127.0.0.1:38700',
    x_cb_pid: 31917,
  };
  return { authid: `user${n}`, authrole: 'frontend', authmethod: 'wampcra', authrealm: 'realm1', authextra };
}

/**
 * @param {string} cbtid
 * @param {ReturnType<typeof loginOf> | null} auth
 */
function recordOf(cbtid, auth) {
  const created = new Date().toISOString();
  return {
    cbtid,
    created,
    modified: auth === null ? null : created,
    max_age: 604_800,
    auth,
    seen: null,
    rotated: null,
    returned: false,
  };
}
