/**
 * Logins and logouts under kill -9, and on a disk that is full: what a client was told holds, and the daemon starts.
 * `LOGIN_ROUNDS` says how often it is killed: 20 times in a test run, 200 times at night.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/cookie-store.js';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, startDaemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig, openRealm } from '../support/node-config.js';
import { ConnectionClosed, ALL_ROLES, WampClient, cookieValue, within } from '../support/wamp-client.js';
import type { CloseInfo } from '../support/wamp-client.js';

const ROUNDS = Number(process.env['LOGIN_ROUNDS'] ?? 20);
const PARALLEL = 8;

function configOn(filename: string): object {
  const ticket = { type: 'static', principals: { joe: { ticket: 'ticket of joe', role: 'anonymous' } } };
  return nodeConfig({
    realms: [openRealm('realm1')],
    transport: { cookie: { store: { type: 'file', filename } } },
    websocket: { auth: { cookie: {}, ticket, anonymous: { type: 'static' } } },
    paths: { login: { type: 'login', realm: 'realm1', auth: { ticket } } },
  });
}

/** @returns the status, and the cookie that came with it: empty when it was taken away. Rejects when the daemon is gone. */
async function post(daemon: Daemon, urlPath: string, cookie?: string): Promise<{ status: number; cookie: string }> {
  const headers = { 'Content-Type': 'application/json', ...(cookie !== undefined && { cookie: `cbtid=${cookie}` }) };
  const body = JSON.stringify({ authid: 'joe', ticket: 'ticket of joe' });
  const answer = await fetch(daemon.url(urlPath), { method: 'POST', headers, body });
  await answer.text();
  return { status: answer.status, cookie: cookieValue(answer.headers.getSetCookie()[0] ?? '=') };
}

interface Tab {
  readonly client: WampClient;
  readonly cookie: string;
  readonly isNew: boolean;
}

async function open(daemon: Daemon, cookie?: string): Promise<Tab> {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie: `cbtid=${cookie}` };
  const client = await WampClient.connect(daemon.url('/ws', 'ws'), { headers });
  const [line] = client.handshake.setCookie;
  return { client, cookie: line === undefined ? (cookie ?? '') : cookieValue(line), isNew: line !== undefined };
}

const hello = (details: object) => [1, 'realm1', { roles: ALL_ROLES, ...details }];

async function logIn({ client }: Tab): Promise<unknown[]> {
  const challenge = await client.ask(hello({ authmethods: ['ticket'], authid: 'joe' }));
  return challenge[0] === 4 ? client.ask([5, 'ticket of joe', {}]) : challenge;
}

/** @returns the authid under which a cookie lets in, and the id that it has then; undefined when it does not. */
async function comeBack(daemon: Daemon, cookie: string): Promise<{ authid: string; cookie: string } | undefined> {
  const tab = await open(daemon, cookie);
  const [type, , details] = await tab.client.ask(hello({ authmethods: ['cookie'] }));
  await tab.client.drop();
  return type === 2 ? { authid: (details as { authid: string }).authid, cookie: tab.cookie } : undefined;
}

describe('kill -9 under a load of logins and logouts', () => {
  /** What the clients of a round were told last: cookie -> whether it lets in. Not here: what was under way. */
  type Told = Map<string, boolean>;

  /** One browser after the other, until the daemon is gone: in, back under its new id, and every second out again. */
  async function visitUntilGone(daemon: Daemon, told: Told, acknowledged: () => void): Promise<void> {
    for (let n = 0; ; n += 1) {
      try {
        const first = await open(daemon);
        expect((await logIn(first))[0]).toBe(2);
        told.set(first.cookie, true);
        acknowledged();
        told.delete(first.cookie);
        const second = await open(daemon, first.cookie);
        expect(second.cookie).not.toBe(first.cookie);
        told.set(second.cookie, true);
        acknowledged();
        expect((await second.client.ask(hello({ authmethods: ['cookie'] })))[0]).toBe(2);
        if (n % 2 === 0) {
          told.delete(second.cookie);
          expect((await second.client.ask([6, {}, 'wamp.close.logout']))[0]).toBe(6);
          told.set(second.cookie, false);
          acknowledged();
        }
        await Promise.all([first.client.drop(), second.client.drop()]);
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error;
        return; // the connection broke: the daemon is gone
      }
    }
  }

  /** The same with HTTP: in, in again as the browser that was there before, and every second time out. */
  async function postUntilGone(daemon: Daemon, told: Told, acknowledged: () => void): Promise<void> {
    for (let n = 0; ; n += 1) {
      try {
        const first = await post(daemon, '/login');
        expect(first.status).toBe(200);
        told.set(first.cookie, true);
        acknowledged();
        // From now on it may be over with it, until the answer says that it is.
        told.delete(first.cookie);
        const second = await post(daemon, '/login', first.cookie);
        expect([second.status, second.cookie === first.cookie]).toEqual([200, false]);
        told.set(second.cookie, true);
        acknowledged();
        if (n % 2 === 1) continue;
        told.delete(second.cookie);
        expect(await post(daemon, '/login/logout', second.cookie)).toEqual({ status: 200, cookie: '' });
        told.set(second.cookie, false);
        acknowledged();
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error;
        return;
      }
    }
  }

  it(`loses no login and revives no cookie, in ${ROUNDS} rounds`, { timeout: 60_000 + ROUNDS * 10_000 }, async () => {
    const cbdir = nodeDirectory(configOn('cookies.dat'));
    const random = seededRandom(1);
    let lastRound: Told = new Map();
    const logouts: string[] = [];
    let logins = 0;
    for (let round = 0; round <= ROUNDS; round += 1) {
      const daemon = await startDaemon({ cbdir });
      for (const [cookie, letsIn] of lastRound) {
        const found = await comeBack(daemon, cookie);
        expect(found?.authid, `round ${round}: ${letsIn ? 'login lost' : 'logout revived'}`).toBe(
          letsIn ? 'joe' : undefined,
        );
        if (letsIn) logins += 1;
        else logouts.push(cookie);
      }
      const told: Told = new Map();
      let left = 1 + Math.floor(random() * 40);
      const acknowledged = (): void => {
        if (--left === 0) daemon.signal('SIGKILL');
      };
      const loops = Array.from({ length: PARALLEL }, (_, index) =>
        (index % 2 === 0 ? visitUntilGone : postUntilGone)(daemon, told, acknowledged),
      );
      await within(Promise.all(loops), 'end of the load', 60_000);
      await daemon.exited;
      lastRound = told;
    }
    expect(logins).toBeGreaterThan(ROUNDS / 2);
    expect(logouts.length).toBeGreaterThan(0);
    const daemon = await startDaemon({ cbdir });
    for (const cookie of logouts.slice(0, 200)) expect(await comeBack(daemon, cookie)).toBeUndefined();
    await daemon.dispose();
  });
});

const tmpfs = mountTmpfs();

/** A disk of one megabyte; undefined where mounting is not allowed. */
function mountTmpfs(): string | undefined {
  const made = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', made]).status === 0) return made;
  rmSync(made, { recursive: true });
  return undefined;
}

/** How the connection ended on which an answer was awaited. */
function closeOf(error: unknown): CloseInfo {
  if (error instanceof ConnectionClosed) return error.info;
  throw error;
}

describeNeeds('the right to mount a tmpfs', tmpfs !== undefined)('a full disk', () => {
  const disk = tmpfs ?? '';
  const filler = path.join(disk, 'filler');
  let daemon: Daemon | undefined;
  afterAll(async () => {
    await daemon?.dispose();
    spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it('refuses logins in words, leaves sessions alone, and takes logins again when there is room', async () => {
    daemon = await startDaemon({ config: configOn(path.join(disk, 'cookies.dat')) });
    const [running, waiting, later] = [await open(daemon), await open(daemon), await open(daemon)];
    expect((await logIn(running))[0]).toBe(2);
    // The rest of the disk, and then of the last page that the cookie file has already.
    try {
      writeFileSync(filler, Buffer.alloc(1024 * 1024));
    } catch {
      // It is full now, as it should be.
    }
    expect(existsSync(filler) && statSync(filler).size > 0).toBe(true);
    let refused: unknown;
    const tabs = [waiting];
    while (refused === undefined && tabs.length < 100) {
      const tab = tabs.at(-1) ?? waiting;
      const answer = await logIn(tab).catch(closeOf);
      if (!Array.isArray(answer)) refused = answer;
      else {
        try {
          tabs.push(await open(daemon));
        } catch {
          // No room for a new cookie: the handshake was refused with 503. There is one connection left to try.
          refused = await logIn(later).catch(closeOf);
        }
      }
    }
    // Without ABORT, after which clients do not come back: it may be over in a moment.
    expect(refused).toEqual({ code: 1013, reason: 'the cookie store is not available, please try again later' });
    expect(await running.client.ask([32, 1, {}, 'com.topic'])).toEqual([33, 1, expect.any(Number)]);

    rmSync(filler);
    const again = await open(daemon);
    expect((await logIn(again))[0]).toBe(2);
    expect(await comeBack(daemon, again.cookie)).toMatchObject({ authid: 'joe' });
    // What was written meanwhile is whole.
    const restarted = await daemon.restart();
    expect(await comeBack(restarted, running.cookie)).toMatchObject({ authid: 'joe' });
    daemon = restarted;
  });
});
