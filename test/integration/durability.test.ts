/**
 * Crashes: a cookie whose 101 has left is on disk, whatever happens to the process; and no damage at the end of the
 * file keeps the daemon from starting.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { cookieValue, NoAnswer, rawHttp, upgradeLines, WampClient, within } from '../support/wamp-client.js';

const CONFIG = nodeConfig({ websocket: { cookie: { store: { type: 'file', filename: 'cookies.dat' } } } });
const ROUNDS = 50;
const PARALLEL = 8;

/** The ids of whole lines; a cut line at the end is not one. */
function idsIn(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { cbtid: string }).cbtid);
}

/** @returns the authid of a visit with that cookie, and whether it got a new one. */
async function revisit(daemon: Daemon, cbtid: string): Promise<{ authid: string; renewed: boolean }> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { headers: { cookie: `cbtid=${cbtid}` } });
  await client.leave();
  return { authid: client.welcome.authid, renewed: client.handshake.setCookie.length > 0 };
}

describe('kill -9 under a connect load', () => {
  /** Connects over and over until the daemon is gone; every id of a 101 that arrived goes to `received`. */
  async function connectUntilGone(port: number, received: (cbtid: string) => void): Promise<void> {
    for (;;) {
      let answer;
      try {
        answer = await rawHttp(port, upgradeLines('/ws'));
      } catch (error) {
        if (isGone(error)) return;
        throw error;
      }
      answer.socket.destroy();
      expect(answer.status).toBe(101);
      received(cookieValue(answer.header('Set-Cookie') ?? ''));
    }
  }

  function isGone(error: unknown): boolean {
    if (error instanceof NoAnswer) return true;
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED' || code === 'ECONNRESET';
  }

  it(`loses no cookie whose 101 a client received, in ${ROUNDS} rounds`, { timeout: 300_000 }, async () => {
    const cbdir = nodeDirectory(CONFIG);
    const file = path.join(cbdir, 'cookies.dat');
    const received = new Set<string>();
    let last: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const daemon = await startDaemon({ cbdir });
      // What the round before received is known again: by one visit each round, by the file for all of them.
      const [sample] = last;
      if (sample !== undefined) expect(await revisit(daemon, sample)).toEqual({ authid: sample, renewed: false });

      const now: string[] = [];
      const enough = 1 + ((round * 7) % 60);
      const loops = Array.from({ length: PARALLEL }, () =>
        connectUntilGone(daemon.port, (cbtid) => {
          now.push(cbtid);
          if (now.length === enough) daemon.signal('SIGKILL');
        }),
      );
      await within(Promise.all(loops), 'end of the connect load', 30_000);
      await daemon.exited;
      expect(now.length).toBeGreaterThanOrEqual(enough);
      for (const cbtid of now) received.add(cbtid);
      const stored = new Set(idsIn(file));
      expect(
        [...received].filter((cbtid) => !stored.has(cbtid)),
        `lost in round ${round}`,
      ).toEqual([]);
      last = now.reverse();
    }

    const daemon = await startDaemon({ cbdir });
    const all = [...received];
    const samples = Array.from({ length: 100 }, (_, i) => all[Math.floor((i * all.length) / 100)] ?? '');
    for (const cbtid of samples) expect(await revisit(daemon, cbtid)).toEqual({ authid: cbtid, renewed: false });
    // A cookie is written once, and once more when its browser comes back: no crash made the file name it more often.
    const stored = idsIn(file);
    expect(stored.length).toBeLessThanOrEqual(new Set(stored).size + ROUNDS + samples.length);
    await daemon.stop();
  });
});

describe('a file cut anywhere in its last three records', () => {
  let whole: Buffer;
  let ids: string[];
  let starts: number[];
  beforeAll(async () => {
    const daemon = await startDaemon({ config: CONFIG });
    for (let i = 0; i < 5; i++) await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
    await daemon.stop();
    const file = path.join(daemon.cbdir, 'cookies.dat');
    [whole, ids] = [readFileSync(file), idsIn(file)];
    await daemon.dispose();
    starts = [0];
    for (let at = whole.indexOf(10); at !== -1; at = whole.indexOf(10, at + 1)) starts.push(at + 1);
    expect(starts).toHaveLength(6);
  });

  let daemon: Daemon | undefined;
  afterAll(() => daemon?.dispose());

  // Behind the start of each of the last three records: nothing, one byte, in the id, in the middle, all but two bytes,
  // all but the line feed.
  it.each([2, 3, 4].flatMap((record) => [0, 1, 20, 0.5, -2, -1].map((cut) => [record, cut] as const)))(
    'starts with record %i cut at %d',
    async (record, cut) => {
      const [start = 0, end = 0] = starts.slice(record);
      const offset = cut === 0.5 ? Math.floor((end - start) / 2) : cut < 0 ? end - start + cut : cut;
      const cbdir = nodeDirectory(CONFIG);
      const file = path.join(cbdir, 'cookies.dat');
      writeFileSync(file, whole.subarray(0, start + offset), { mode: 0o600 });
      daemon = await startDaemon({ cbdir });

      // A record that lacks only its line feed is whole; otherwise exactly the cut one is lost.
      const kept = cut === -1 ? record + 1 : record;
      for (const [index, cbtid] of ids.entries()) {
        expect((await revisit(daemon, cbtid)).renewed, `record ${index}`).toBe(index >= kept);
      }
      const damaged = offset > 0 && cut !== -1;
      const warnings = daemon.logs.filter(({ level, msg }) => level === 'warn' && msg.includes('cookie'));
      expect(warnings).toHaveLength(damaged ? 1 : 0);
      await daemon.stop();
      // What came after stands on lines of its own.
      const stored = [...new Set(idsIn(file))];
      expect(stored.slice(0, kept)).toEqual(ids.slice(0, kept));
      expect(stored).toHaveLength(ids.length);
      await daemon.dispose();
    },
  );
});
