/**
 * Every single call to the file system fails once, in every way, in a scenario that opens a damaged file, creates,
 * logs in, rotates, logs out, compacts and closes. Afterwards each cookie is as before or as after each change, never a mix,
 * and what was acknowledged is there.
 */
import { describe, expect, it } from 'vitest';

import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import type { FileStoreOptions } from '../../../../src/cookie/file/store.js';
import { liveLine } from '../../../../src/cookie/file/line.js';
import { CookieStoreError } from '../../../../src/cookie/error.js';
import { isForward } from '../../../../src/cookie/store.js';
import type { CookieEntry } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import {
  cookieId,
  cookieRecord,
  CREATED,
  DELETED,
  JOE,
  MODIFIED,
  seededRandom,
} from '../../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../../support/simulated-disk.js';
import type { Fault } from '../../../support/simulated-disk.js';

const FILE = '/cookies.dat';
const PRESENT = 1;
const OUTDATED = 2;
const ROTATED = 15;
/** The oldest, and alive to the end: in front of it nothing is swept, so that only the purge takes the outdated one. */
const OLDEST = 20;
const clock = (): number => Date.parse(CREATED) + 3_600_000;

/** What closing rejects with: an error of the store, which the disk is the cause of. */
const CLOSE_FAILED = { code: 'ERR_COOKIE_STORE', cause: { code: 'EIO' } };

type Policy = Partial<Pick<FileStoreOptions, 'sync' | 'checksum'>>;
type State = CookieEntry | undefined;

/** What was asked of one cookie, in order, and how it went. */
interface History {
  readonly before: State;
  readonly changes: { readonly after: State; readonly isAcknowledged: boolean }[];
}

class Scenario {
  readonly disk = new SimulatedDisk();
  readonly processes = new SimulatedProcesses();
  readonly histories = new Map<number, History>();
  /** What the store said at the end, before the crash; undefined when it could not be opened. */
  seen: Map<number, State> | undefined;

  readonly #policy: Policy;

  constructor(policy: Policy = {}) {
    this.#policy = policy;
    const before = new Map([
      [OLDEST, cookieRecord(cookieId(OLDEST))],
      [PRESENT, cookieRecord(cookieId(PRESENT), { modified: MODIFIED, auth: JOE })],
      [ROTATED, cookieRecord(cookieId(ROTATED), { modified: MODIFIED, auth: JOE })],
      [OUTDATED, cookieRecord(cookieId(OUTDATED), { max_age: 60 })],
    ]);
    for (const [n, record] of before) this.histories.set(n, { before: record, changes: [] });
    for (let n = 3; n < 15; n += 1) this.histories.set(n, { before: undefined, changes: [] });
    this.disk.put(FILE, `${[...before.values()].map(liveLine).join('damaged\n')}torn`);
  }

  store(): FileCookieStore {
    const deps = { log: silentLogger(), clock, fs: this.disk, processes: this.processes.start() };
    return new FileCookieStore({ filename: FILE, purge: false, ...this.#policy }, deps);
  }

  /** Rejections are part of the game; anything but a CookieStoreError is not. */
  async run(): Promise<void> {
    const store = this.store();
    try {
      await store.open();
    } catch (error) {
      expect(error).toBeInstanceOf(CookieStoreError);
      return;
    }
    const extra = { modified: MODIFIED, auth: JOE };
    await this.#try(3, cookieRecord(cookieId(3)), () => store.create(cookieRecord(cookieId(3))));
    await this.#try(3, cookieRecord(cookieId(3), extra), () =>
      store.update(cookieId(3), { auth: JOE, modified: MODIFIED }),
    );
    await Promise.all(
      [4, 5, 6].map((n) => this.#try(n, cookieRecord(cookieId(n)), () => store.create(cookieRecord(cookieId(n))))),
    );
    await this.#try(4, undefined, () => store.delete(cookieId(4), DELETED));
    await this.#try(PRESENT, undefined, () => store.delete(cookieId(PRESENT), DELETED));
    const purging = this.#try(OUTDATED, undefined, () => store.purge());
    const meanwhile = [7, 8].map((n) =>
      this.#try(n, cookieRecord(cookieId(n)), () => store.create(cookieRecord(cookieId(n)))),
    );
    await Promise.all([purging, ...meanwhile]);
    await this.#try(9, cookieRecord(cookieId(9)), () => store.create(cookieRecord(cookieId(9))));
    await this.#try(5, cookieRecord(cookieId(5), extra), () =>
      store.update(cookieId(5), { auth: JOE, modified: MODIFIED }),
    );
    await this.#rotate(ROTATED, 12, store);
    await Promise.all([
      this.#rotate(12, 13, store),
      this.#try(14, cookieRecord(cookieId(14)), () => store.create(cookieRecord(cookieId(14)))),
    ]);
    await this.#try(
      13,
      cookieRecord(cookieId(13), { ...extra, rotated: DELETED, seen: DELETED, returned: false }),
      () => store.update(cookieId(13), { seen: DELETED }),
    );
    // One more rewrite, with forwards in it.
    await this.#try(14, undefined, () => store.delete(cookieId(14), DELETED));
    await this.#try(OUTDATED, undefined, () => store.purge());
    this.seen = await stateOf(store, this.histories.keys());
    await store.close().catch((error: unknown) => expect(error).toMatchObject(CLOSE_FAILED));
  }

  async #rotate(from: number, to: number, store: FileCookieStore): Promise<void> {
    const [cbtid, moved_to] = [cookieId(from), cookieId(to)];
    const record = cookieRecord(moved_to, { modified: MODIFIED, auth: JOE, rotated: DELETED, returned: false });
    const rotating = store.rotate(cbtid, moved_to, DELETED);
    await Promise.all([
      this.#try(from, { cbtid, moved_to, moved: DELETED }, () => rotating),
      this.#try(to, record, () => rotating),
    ]);
  }

  async #try(n: number, after: State, change: () => Promise<unknown>): Promise<void> {
    const attempt = { after, isAcknowledged: false };
    this.histories.get(n)?.changes.push(attempt);
    try {
      await change();
      attempt.isAcknowledged = true;
    } catch (error) {
      expect(error).toBeInstanceOf(CookieStoreError);
    }
  }

  async afterRestart(): Promise<Map<number, State>> {
    this.processes.killAll();
    const store = this.store();
    await store.open();
    const state = await stateOf(store, this.histories.keys());
    await store.create(cookieRecord(cookieId(99))); // it works again
    await store.close();
    return state;
  }

  /** The state after the last change that was acknowledged. */
  acknowledged(n: number): State {
    return this.allowed(n)[0];
  }

  /** That, and what the changes behind it would have made. */
  allowed(n: number): State[] {
    const { before, changes } = this.histories.get(n) ?? { before: undefined, changes: [] };
    const last = changes.findLastIndex(({ isAcknowledged }) => isAcknowledged);
    return [last === -1 ? before : changes[last]?.after, ...changes.slice(last + 1).map(({ after }) => after)];
  }
}

async function stateOf(store: FileCookieStore, numbers: Iterable<number>): Promise<Map<number, State>> {
  const state = new Map<number, State>();
  for (const n of numbers) state.set(n, await store.get(cookieId(n)));
  return state;
}

async function callsOfAGoodRun(policy?: Policy): Promise<number> {
  const scenario = new Scenario(policy);
  await scenario.run();
  for (const { changes } of scenario.histories.values()) {
    expect(changes.every(({ isAcknowledged }) => isAcknowledged)).toBe(true);
  }
  return scenario.disk.calls;
}

async function runWithFault(call: number, kind: Fault, policy?: Policy): Promise<Scenario> {
  const scenario = new Scenario(policy);
  scenario.disk.failAt(call, kind);
  await scenario.run();
  return scenario;
}

describe('one failing call', () => {
  it.each<[Fault, Policy]>([
    ['error', {}],
    ['late error', {}],
    ['short', {}],
    ['short', { sync: 'no', checksum: true }],
    ['error', { sync: 'everysec', checksum: true }],
  ])('of kind "%s" leaves exactly what was acknowledged, kept as %o', async (kind, policy) => {
    const calls = await callsOfAGoodRun(policy);
    expect(calls).toBeGreaterThan(40);
    let rejections = 0;
    for (let call = 1; call <= calls; call += 1) {
      const scenario = await runWithFault(call, kind, policy);
      scenario.disk.restart();
      const after = await scenario.afterRestart();
      for (const [n, { changes }] of scenario.histories) {
        rejections += changes.filter(({ isAcknowledged }) => !isAcknowledged).length;
        expect(after.get(n), `cookie ${n} after a failure of call ${call}`).toEqual(scenario.acknowledged(n));
        if (scenario.seen !== undefined) expect(scenario.seen.get(n)).toEqual(scenario.acknowledged(n));
      }
    }
    expect(rejections).toBeGreaterThan(20);
  });
});

describe('one failing call and a power cut later', () => {
  it.each<Fault>(['late error', 'short'])('of kind "%s" does not bring back what was refused', async (kind) => {
    const calls = await callsOfAGoodRun();
    for (let call = 1; call <= calls; call += 1) {
      for (const seed of [1, 2, 3]) {
        const scenario = await runWithFault(call, kind);
        scenario.disk.powerCut(seededRandom(call * 10 + seed));
        const after = await scenario.afterRestart();
        for (const n of scenario.histories.keys()) {
          expect(after.get(n), `cookie ${n}, call ${call}, seed ${seed}`).toEqual(scenario.acknowledged(n));
        }
      }
    }
  });
});

describe('power off at every call', () => {
  it('leaves what was acknowledged and no half changes, whatever the cache has written back', async () => {
    const calls = await callsOfAGoodRun();
    for (let call = 1; call <= calls; call += 1) {
      for (const seed of [1, 2, 3, 4]) {
        const scenario = await runWithFault(call, 'power off');
        scenario.disk.powerCut(seededRandom(call * 10 + seed));
        const after = await scenario.afterRestart();
        for (const n of scenario.histories.keys()) {
          const allowed = scenario.allowed(n);
          expect(allowed, `cookie ${n} after power off at call ${call}, seed ${seed}`).toContainEqual(after.get(n));
        }
        // Of each rotation both ids tell the same.
        const [first, second, third] = [ROTATED, 12, 13].map((n) => after.get(n));
        expect(first !== undefined && isForward(first)).toBe(second !== undefined);
        expect(second !== undefined && isForward(second)).toBe(third !== undefined);
      }
    }
  });
});

describe('a power cut', () => {
  it('does not take a new file away whose first cookie was acknowledged', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new SimulatedDisk();
      const processes = new SimulatedProcesses();
      const open = async (): Promise<FileCookieStore> => {
        const deps = { log: silentLogger(), clock, fs: disk, processes: processes.start() };
        const store = new FileCookieStore({ filename: FILE, purge: false }, deps);
        await store.open();
        return store;
      };
      await (await open()).create(cookieRecord(cookieId(1)));
      disk.powerCut(seededRandom(seed));
      processes.killAll();
      expect(await (await open()).get(cookieId(1))).toEqual(cookieRecord(cookieId(1)));
    }
  });
});
