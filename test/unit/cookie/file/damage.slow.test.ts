/** A damaged cookie file never stops the start, and costs no more than the damaged lines. */
import { describe, expect, it } from 'vitest';

import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { deletedLine, liveLine, rotationLines } from '../../../../src/cookie/file/line.js';
import type { CookieEntry } from '../../../../src/cookie/store.js';
import {
  cookieId,
  cookieRecord,
  DELETED,
  JOE,
  MODIFIED,
  recordingLog,
  seededRandom,
} from '../../../support/cookie-store.js';
import type { LogEntry } from '../../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../../support/simulated-disk.js';

const FILE = '/cookies.dat';
const SIDE_FILE = `${FILE}.damaged`;

interface Opened {
  store: FileCookieStore;
  warnings: LogEntry[];
}

async function openOn(disk: SimulatedDisk): Promise<Opened> {
  const { log, warnings } = recordingLog();
  const processes = new SimulatedProcesses().start();
  const clock = (): number => Date.parse(DELETED);
  const store = new FileCookieStore({ filename: FILE, purge: false }, { log, clock, fs: disk, processes });
  await store.open();
  return { store, warnings: warnings() };
}

/** What is known of the cookies 0 to 9. */
async function known(store: FileCookieStore): Promise<(CookieEntry | undefined)[]> {
  return Promise.all(Array.from({ length: 10 }, (_, n) => store.get(cookieId(n))));
}

async function stateOf(content: string): Promise<(CookieEntry | undefined)[]> {
  const disk = new SimulatedDisk();
  disk.put(FILE, content);
  const { store, warnings } = await openOn(disk);
  expect(warnings).toEqual([]);
  return known(store);
}

const LINES = [
  liveLine(cookieRecord(cookieId(0))),
  liveLine(cookieRecord(cookieId(1))),
  liveLine(cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE })),
  liveLine(cookieRecord(cookieId(2))),
  liveLine(cookieRecord(cookieId(2), { modified: MODIFIED, auth: { ...JOE, authextra: { name: 'Zoë' } } })),
  deletedLine(cookieRecord(cookieId(0)), DELETED),
];

describe('a file cut at every byte of its last three records', () => {
  const whole = LINES.join('');
  const from = LINES.slice(0, -3).join('').length;

  it('opens, loses the cut record only, and goes on as a good file', async () => {
    for (let length = from; length < whole.length; length += 1) {
      const disk = new SimulatedDisk();
      const content = whole.slice(0, length);
      disk.put(FILE, content);
      const tail = content.slice(content.lastIndexOf('\n') + 1);
      const isWholeRecord = LINES.includes(`${tail}\n`);
      const expected = await stateOf(
        content.slice(0, content.length - tail.length) + (isWholeRecord ? `${tail}\n` : ''),
      );

      const { store, warnings } = await openOn(disk);
      expect(await known(store)).toEqual(expected);
      if (tail === '' || isWholeRecord) {
        expect(warnings).toEqual([]);
        expect(disk.content(SIDE_FILE)).toBeUndefined();
      } else {
        expect(warnings).toMatchObject([{ level: 'warn', damaged: 1, sideFile: SIDE_FILE }]);
        expect(disk.content(SIDE_FILE)).toBe(`${tail}\n`);
      }

      const added = cookieRecord(cookieId(9));
      await store.create(added);
      await store.close();
      const lines = disk.content(FILE) ?? '';
      expect(lines.endsWith(liveLine(added))).toBe(true);
      expect(await stateOf(lines)).toEqual([...expected.slice(0, 9), added]);
    }
  });
});

describe('a rotation', () => {
  const old = cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE, seen: MODIFIED });
  const successor = cookieRecord(cookieId(2), { ...old, cbtid: cookieId(2), rotated: DELETED, returned: false });
  const forward = { cbtid: cookieId(1), moved_to: cookieId(2), moved: DELETED, returned: false } as const;
  const lines = rotationLines(old, successor, forward);
  const [before, after] = [
    [old, undefined],
    [forward, successor],
  ];

  async function pair(content: string | Buffer): Promise<unknown[]> {
    const disk = new SimulatedDisk();
    disk.put(FILE, content);
    const { store } = await openOn(disk);
    const found = [await store.get(cookieId(1)), await store.get(cookieId(2))];
    // The opening may have rewritten the file: the next one must find the same.
    await store.close();
    const { store: again } = await openOn(disk);
    expect([await again.get(cookieId(1)), await again.get(cookieId(2))]).toEqual(found);
    return found;
  }

  it('has happened or not when the file is cut at any of its bytes', async () => {
    const [intact, whole] = [liveLine(old), liveLine(old) + lines.join('')];
    const first = lines[0]?.trimEnd().length ?? 0;
    for (let length = intact.length; length <= whole.length; length += 1) {
      const isDone = length >= intact.length + first;
      expect(await pair(whole.slice(0, length)), `cut at ${length}`).toEqual(isDone ? after : before);
    }
  });

  it('has happened when either of its lines is lost', async () => {
    for (const [line = '', other = ''] of [lines, lines.toReversed()]) {
      const nothing = '\0'.repeat(other.length - 1);
      expect(await pair(`${liveLine(old)}${line}${nothing}\n`)).toEqual(after);
      expect(await pair(`${liveLine(old)}${nothing}\n${line}`)).toEqual(after);
    }
  });

  it('does not bring back a record that was logged out under its new id', async () => {
    const logout = deletedLine(successor, DELETED);
    for (const some of [lines, lines.slice(0, 1), lines.slice(1)]) {
      expect(await pair(liveLine(old) + some.join('') + logout)).toEqual([forward, undefined]);
      expect(await pair(liveLine(old) + logout + some.join(''))).toEqual([forward, undefined]);
    }
  });

  it('does not bring back an old id that was deleted', async () => {
    const deletion = deletedLine(old, DELETED);
    expect(await pair(liveLine(old) + deletion + lines.join(''))).toEqual([undefined, successor]);
    expect(await pair(liveLine(old) + lines.join('') + deletion)).toEqual([undefined, successor]);
  });
});

describe('damage in the middle', () => {
  it('is set aside with one warning that does not show it, wherever and whatever it is', async () => {
    const disk = new SimulatedDisk();
    const damaged = ['', '{"cbtid": "torn', '\0\0\0\0', '"text"', '{"id": ""}', '\xff\xfe\x00broken'];
    const good = [1, 2, 3, 4, 5, 6].map((n) => liveLine(cookieRecord(cookieId(n))));
    const content = good.map((line, n) => `${line}${damaged[n] ?? ''}\n`).join('');
    disk.put(FILE, Buffer.from(content, 'latin1'));
    const { store, warnings } = await openOn(disk);
    expect((await known(store)).filter((record) => record !== undefined)).toHaveLength(6);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ damaged: 6, sideFile: SIDE_FILE });
    expect(JSON.stringify(warnings)).not.toContain('torn');
    expect(disk.content(SIDE_FILE)).toBe(damaged.map((line) => `${line}\n`).join(''));
    expect(disk.content(FILE)).toBe(good.join(''));
  });

  it('adds to the side file that an earlier start has left', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, 'second\n');
    disk.put(SIDE_FILE, 'first\n');
    await openOn(disk);
    expect(disk.content(SIDE_FILE)).toBe('first\nsecond\n');
  });

  it('is found behind a line of several megabytes', async () => {
    const disk = new SimulatedDisk();
    const [before, behind] = [liveLine(cookieRecord(cookieId(1))), liveLine(cookieRecord(cookieId(2)))];
    disk.put(FILE, `${before}${'\0'.repeat(3_000_000)}\n${behind}`);
    const { store, warnings } = await openOn(disk);
    expect(await store.get(cookieId(1))).toBeDefined();
    expect(await store.get(cookieId(2))).toBeDefined();
    expect(warnings).toMatchObject([{ damaged: 1 }]);
  });

  it('is noticed when it is a byte that is no UTF-8 inside a login', async () => {
    const disk = new SimulatedDisk();
    const line = Buffer.from(liveLine(cookieRecord(cookieId(1), { auth: JOE })));
    const at = line.indexOf('joe');
    line[at] = (line[at] ?? 0) | 0x80;
    disk.put(FILE, line);
    const { store, warnings } = await openOn(disk);
    expect(await store.get(cookieId(1))).toBeUndefined();
    expect(warnings).toMatchObject([{ damaged: 1 }]);
  });

  it('does not revive a deleted cookie when its last line is hit, as long as the id can be read', async () => {
    const disk = new SimulatedDisk();
    const deletion = deletedLine(cookieRecord(cookieId(1), { auth: JOE }), DELETED).replace(DELETED, '####');
    disk.put(FILE, liveLine(cookieRecord(cookieId(1), { auth: JOE })) + deletion);
    const { store } = await openOn(disk);
    expect(await store.get(cookieId(1))).toBeUndefined();
  });
});

describe('flipped bits', () => {
  it('cost at most the cookies of the lines they hit, each bit of 200 bytes', async () => {
    const random = seededRandom(2026);
    const records = Array.from({ length: 10 }, (_, n) => cookieRecord(cookieId(n), { modified: MODIFIED, auth: JOE }));
    const content = Buffer.from(records.map(liveLine).join(''));
    const lineLength = content.length / records.length;
    for (let round = 0; round < 200; round += 1) {
      const at = Math.floor(random() * content.length);
      for (let bit = 0; bit < 8; bit += 1) {
        const flipped = Buffer.from(content);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const disk = new SimulatedDisk();
        disk.put(FILE, flipped);
        const { store } = await openOn(disk);
        const hit = Math.floor(at / lineLength);
        const isLineFeed = content[at] === 0x0a;
        (await known(store)).forEach((record, n) => {
          if (n === hit || (isLineFeed && n === hit + 1)) return;
          expect(record).toEqual(records[n]);
        });
      }
    }
  });
});

describe('a disk that is full at the start', () => {
  it('does not stop it: known cookies are served, new ones wait for room, nothing damaged is lost', async () => {
    const disk = new SimulatedDisk();
    const good = liveLine(cookieRecord(cookieId(1)));
    disk.put(FILE, `${good}torn tail`);
    disk.isFullFor = (file) => !file.includes('.lock');
    const { store, warnings } = await openOn(disk);
    expect(warnings).toMatchObject([{ damaged: 1, msg: 'cookie file could not be tidied up' }]);
    expect(await store.get(cookieId(1))).toBeDefined();
    await expect(store.create(cookieRecord(cookieId(2)))).rejects.toThrow('cannot be written');
    disk.isFullFor = () => false;
    await store.create(cookieRecord(cookieId(3)));
    expect(disk.content(FILE)).toBe(`${good}torn tail\n${liveLine(cookieRecord(cookieId(3)))}`);
    await store.close();
    const again = await openOn(disk);
    expect(again.warnings).toMatchObject([{ damaged: 1, sideFile: SIDE_FILE }]);
    expect(disk.content(SIDE_FILE)).toBe('torn tail\n');
    expect(await again.store.get(cookieId(2))).toBeUndefined();
    expect(await again.store.get(cookieId(3))).toBeDefined();
  });
});
