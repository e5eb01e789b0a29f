/** Many requests without a cookie: each gets one, and nobody ever comes back with it. */
import type { IncomingMessage } from 'node:http';

import { describe, expect, it, vi } from 'vitest';

import { FileCookieStore } from '../../../src/cookie/file/store.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import type { CookieStore } from '../../../src/cookie/store.js';
import { CookieTracker } from '../../../src/cookie/tracker.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { rulesOf } from '../../../src/cookie/rules.js';
import { databaseOn } from '../../support/cookie-database.js';
import { CREATED, JOE, recordingLog, withDirectory } from '../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../support/simulated-disk.js';
import { cookieConfig } from '../../support/web.js';

const MAX = 20;
const FULL = 'more cookies than max_unreturned: the oldest with which nobody came back are forgotten';
const clock = (): number => Date.parse(CREATED);

/** A node on a store, as after a start. */
function nodeOn(store: CookieStore) {
  const recorded = recordingLog();
  const deps = { clock, log: recorded.log };
  const config = cookieConfig({ max_unreturned: MAX });
  const liveCookies = new LiveCookies({ store, rules: rulesOf(config), ...deps });
  const tracker = new CookieTracker({ config, liveCookies, ...deps });
  const visit = async (cookie?: string): Promise<string> => {
    const request: unknown = { headers: cookie === undefined ? {} : { cookie: `cbtid=${cookie}` }, socket: {} };
    return (await tracker.resolve(request as IncomingMessage)).record.cbtid;
  };
  /** @returns whether a cookie is still known. It is not asked for as its browser would: that would be a return. */
  const isKnown = async (cookie: string): Promise<boolean> => (await store.get(cookie)) !== undefined;
  const flood = async (count: number): Promise<string[]> => {
    const made: string[] = [];
    for (let n = 0; n < count; n += 1) made.push(await visit());
    return made;
  };
  return { liveCookies, tracker, visit, isKnown, flood, warnings: recorded.warnings };
}

const fileOn = (disk: SimulatedDisk): FileCookieStore =>
  new FileCookieStore(
    { filename: '/cookies.dat', purge: false },
    { log: recordingLog().log, clock, fs: disk, processes: new SimulatedProcesses().start() },
  );

/** Runs `use` with what opens a store on one place. */
const PLACES: [string, (use: (open: () => CookieStore) => Promise<void>) => Promise<void>][] = [
  [
    'memory',
    (use) => {
      const store = new MemoryCookieStore();
      store.close = () => Promise.resolve();
      return use(() => store);
    },
  ],
  [
    'file',
    (use) => {
      const disk = new SimulatedDisk();
      return use(() => fileOn(disk));
    },
  ],
  ['database', (use) => withDirectory((directory) => use(() => databaseOn(directory)))],
];

describe.each(PLACES)('a flood of requests without a cookie, store %s', (_type, withPlace) => {
  it('leaves so many cookies that nobody came back with as the config says, also after restarts', () =>
    withPlace(async (open) => {
      for (let start = 0; start < 3; start += 1) {
        const store = open();
        await store.open();
        const node = nodeOn(store);
        const made = await node.flood(5 * MAX);
        await vi.waitFor(async () => expect(await store.list()).toHaveLength(MAX));
        expect(await node.isKnown(made.at(-1) ?? '')).toBe(true);
        expect(await node.isKnown(made[0] ?? '')).toBe(false);
        expect(node.warnings()).toMatchObject([{ msg: FULL, max_unreturned: MAX }]);
        await store.close();
      }
    }));

  it('forgets nobody who came back, has a login or a connection, also after a restart', () =>
    withPlace(async (open) => {
      let store = open();
      await store.open();
      let node = nodeOn(store);
      const [returned, loggedIn, loggedOff, here] = [
        await node.visit(),
        await node.visit(),
        await node.visit(),
        await node.visit(),
      ];
      await node.visit(returned);
      await node.liveCookies.setLogin(loggedIn, JOE);
      await node.liveCookies.setLogin(loggedOff, JOE);
      await node.liveCookies.setLogin(loggedOff, null);
      await vi.waitFor(async () => expect(await store.get(returned)).toMatchObject({ returned: true }));
      await store.close();

      store = open();
      await store.open();
      node = nodeOn(store);
      const found = await node.liveCookies.find(here);
      const liveCookie = found && node.tracker.enter(found);
      await node.flood(5 * MAX);
      await vi.waitFor(async () => expect(await store.list()).toHaveLength(MAX + 3));
      for (const each of [returned, loggedIn, loggedOff, here]) expect(await node.isKnown(each)).toBe(true);
      liveCookie?.left();
      await node.flood(5 * MAX);
      await vi.waitFor(async () => expect(await node.isKnown(here)).toBe(false));
      await store.close();
    }));
});

it('a cookie file of an earlier version loses nobody to a flood', async () => {
  const disk = new SimulatedDisk();
  const earlier = fileOn(disk);
  await earlier.open();
  const node = nodeOn(earlier);
  const known = await node.flood(MAX);
  await earlier.close();
  disk.put('/cookies.dat', (disk.content('/cookies.dat') ?? '').replaceAll(', "returned": false', ''));
  const store = fileOn(disk);
  await store.open();
  await nodeOn(store).flood(5 * MAX);
  await vi.waitFor(async () => expect(await store.list()).toHaveLength(2 * MAX));
  for (const each of known) expect(await store.get(each)).toBeDefined();
  await store.close();
});

it('a flood writes one line for each cookie, and the file stays small', async () => {
  const disk = new SimulatedDisk();
  const store = fileOn(disk);
  await store.open();
  await nodeOn(store).flood(1000);
  await store.close();
  expect((disk.content('/cookies.dat') ?? '').split('\n').length).toBeLessThan(600);
});
