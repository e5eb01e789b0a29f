/** The audit log: nothing is lost, what cannot be written is told once, and strangers cannot fill it. */
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AuditLog } from '../../../src/audit/audit-log.js';
import { FilePlace } from '../../../src/audit/file-place.js';
import { StreamPlace } from '../../../src/audit/stream-place.js';
import { Denials } from '../../../src/audit/denials.js';
import type { AuditRecord } from '../../../src/log/audit.js';
import { auditOf, withAudit } from '../../../src/log/audit.js';
import { createLogger } from '../../../src/log/logger.js';

let directory: string;
let opened: AuditLog[];
let lines: Record<string, unknown>[];
const log = createLogger({
  level: 'info',
  destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
});
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-audit-'));
  [opened, lines] = [[], []];
});
afterEach(async () => {
  for (const audit of opened) await audit.close();
  rmSync(directory, { recursive: true, force: true });
});

function audit(options: { file?: string; events?: AuditRecord['event'][]; required?: boolean } = {}) {
  const { file = 'logs/audit.log', required = false, events } = options;
  const config = { required, ...(events && { events }) };
  const place = new FilePlace(path.resolve(directory, file));
  const made = new AuditLog(config as ConstructorParameters<typeof AuditLog>[0], place, log);
  opened.push(made);
  return made;
}

function entries(file = 'logs/audit.log'): Record<string, unknown>[] {
  const text = readFileSync(path.join(directory, file), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('is lines of JSON, there at once, with what is known', () => {
  const made = audit();
  expect(made.record({ event: 'login', outcome: 'ok', authid: 'joe', via: undefined, about: { more: 1 } })).toBe(true);
  const [entry] = entries();
  expect(entry).toEqual({ time: expect.any(String) as string, event: 'login', outcome: 'ok', authid: 'joe', more: 1 });
  expect(new Date(String(entry?.['time'])).toISOString()).toBe(entry?.['time']);
});

it('has the events that are asked for, and no endless text', () => {
  const made = audit({ events: ['logout'] });
  made.record({ event: 'login' });
  made.record({ event: 'logout', authid: 'x'.repeat(100_000) });
  expect(entries().map(({ event, authid }) => [event, String(authid).length])).toEqual([['logout', 257]]);
});

it('goes on in a new file after it was renamed and opened anew', () => {
  const made = audit();
  made.record({ event: 'login' });
  renameSync(path.join(directory, 'logs/audit.log'), path.join(directory, 'logs/old.log'));
  made.record({ event: 'logout' });
  made.reopen();
  made.record({ event: 'control' });
  expect([entries('logs/old.log'), entries()].map((list) => list.map(({ event }) => event))).toEqual([
    ['login', 'logout'],
    ['control'],
  ]);
});

it.each([true, false])(
  'that it cannot be written is told once, and refuses logins where it is required (%s)',
  (required) => {
    const made = audit({ file: '/dev/full', required });
    expect([made.record({ event: 'login' }), made.record({ event: 'login' })]).toEqual([!required, !required]);
    expect(lines).toEqual([expect.objectContaining({ level: 'error', msg: 'audit log cannot be written' })]);
  },
);

/** A disk with so many bytes of room. */
class SmallDisk extends FilePlace {
  room = 0;

  override write(line: Buffer): number {
    if (this.room === 0) throw new Error('ENOSPC: no space left on device, write');
    const part = line.subarray(0, this.room);
    this.room -= part.length;
    return super.write(part);
  }
}

it('what could not be written comes when it can be, in order, and what was too much is counted', () => {
  const disk = new SmallDisk(path.join(directory, 'audit.log'));
  const full = new AuditLog({ required: false }, disk, log);
  opened.push(full);
  disk.room = 1000;
  const text = 'x'.repeat(250);
  for (let session = 1; session <= 5000; session++) full.record({ event: 'login', session, authid: text });
  disk.room = Infinity;
  full.record({ event: 'logout', session: 5001 });
  const written = entries('audit.log');
  const sessions = written.map(({ session, event }) => session ?? event);
  const lost = written.find(({ event }) => event === 'entries lost')?.['lost'] as number;
  expect(lost).toBeGreaterThan(0);
  const kept = Array.from({ length: 5000 - lost }, (_, at) => at + 1);
  expect(sessions).toEqual([...kept, 5001, 'entries lost']);
  full.record({ event: 'logout', session: 5002 });
  expect(entries('audit.log').at(-1)).toMatchObject({ session: 5002 });
  expect(lines.map(({ msg }) => msg)).toEqual(['audit log cannot be written', 'audit log is written again']);
});

it('half a line that is in the old file when the disk is full comes whole into the new one', () => {
  const disk = new SmallDisk(path.join(directory, 'audit.log'));
  const full = new AuditLog({ required: false }, disk, log);
  opened.push(full);
  disk.room = 40;
  full.record({ event: 'login', session: 1 });
  renameSync(path.join(directory, 'audit.log'), path.join(directory, 'old.log'));
  full.reopen();
  disk.room = Infinity;
  full.record({ event: 'login', session: 2 });
  expect(entries('audit.log').map(({ session }) => session)).toEqual([1, 2]);
});

it('says that it cannot be opened anew, and goes on in the file that it has', () => {
  const made = audit({ file: 'gone/audit.log', required: true });
  rmSync(path.join(directory, 'gone'), { recursive: true });
  made.reopen();
  expect(lines).toMatchObject([{ msg: 'audit log cannot be opened anew, it goes on in the file that it has' }]);
  expect(made.record({ event: 'login' })).toBe(true);
});

describe('on standard output', () => {
  /** A reader that reads when it is told to. */
  class Reader extends Writable {
    text = '';
    readonly held: (() => void)[] = [];
    isReading = true;

    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text += chunk.toString();
      if (this.isReading) done();
      else this.held.push(done);
    }

    read(): void {
      this.isReading = true;
      for (const done of this.held.splice(0)) done();
    }
  }

  function on(reader: Writable, required = false): AuditLog {
    const made = new AuditLog({ required }, new StreamPlace(reader, 'standard output'), log, { log: 'audit' });
    opened.push(made);
    return made;
  }

  it('has lines that are marked', () => {
    const reader = new Reader();
    on(reader).record({ event: 'login', session: 1 });
    expect(reader.text).toMatch(/^\{"log":"audit","time":"[^"]+","event":"login","session":1\}\n$/);
  });

  it.each([true, false])(
    'holds nobody up when nobody reads, and keeps what is bounded (required: %s)',
    async (required) => {
      const reader = new Reader();
      reader.isReading = false;
      const made = on(reader, required);
      const answers: boolean[] = [];
      for (let session = 1; session <= 12_000; session++) {
        answers.push(made.record({ event: 'login', session, authid: 'x'.repeat(250) }));
      }
      expect([answers[0], answers.at(-1)]).toEqual([true, !required]);
      expect(reader.writableLength).toBeLessThan(1_100_000);
      expect(lines).toMatchObject([{ msg: 'audit log cannot be written', err: { message: 'nobody reads it' } }]);
      reader.read();
      const drained = async (): Promise<void> => {
        do await new Promise((resolve) => setImmediate(resolve));
        while (reader.writableLength > 0);
      };
      await drained();
      // What waits takes the room of what was read.
      for (let at = 0; at < 3; at++) {
        made.record({ event: 'logout' });
        await drained();
      }
      expect(made.record({ event: 'logout' })).toBe(true);
      await drained();
      const read = reader.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const lost = read.reduce((sum, entry) => sum + Number(entry['lost'] ?? 0), 0);
      const sessions = read.flatMap(({ session }) => (session === undefined ? [] : [session]));
      const logouts = read.filter(({ event }) => event === 'logout').length;
      expect(lost).toBeGreaterThan(0);
      expect(sessions.length + logouts + lost).toBe(12_004);
      expect(sessions.every((session, at) => session === at + 1)).toBe(true);
      expect(lines.at(-1)).toMatchObject({ msg: 'audit log is written again' });
    },
  );

  it('that nobody reads any more is told, and ends nothing', async () => {
    const reader = new Reader();
    const made = on(reader, true);
    reader.destroy(new Error('EPIPE'));
    await new Promise((resolve) => reader.once('close', resolve));
    expect(made.record({ event: 'login' })).toBe(false);
    await made.close();
    expect(lines.map(({ msg }) => msg)).toEqual(['audit log cannot be written', 'the end of the audit log is lost']);
  });
});

it('throws when it cannot be opened', () => {
  expect(() => audit({ file: '/dev/null/audit.log' })).toThrow(/ENOTDIR|EEXIST/);
});

it('goes where the logger goes', () => {
  const made = audit();
  const audited = withAudit(log, made);
  expect(auditOf(audited.child({ realm: 'realm1' }).child({}))).toBe(made);
  expect(auditOf(log)).toBeUndefined();
});

it('denials of one session and URI are one entry a minute, and a number', () => {
  let now = 0;
  const written: unknown[] = [];
  const denials = new Denials(
    () => now,
    ({ session, about }) => void written.push([session, about?.['uri'], about?.['again']]),
  );
  const deny = (session: number, uri: string) => denials.add({ event: 'permission denied', session, about: { uri } });
  for (let i = 0; i < 5; i++) deny(1, 'a');
  deny(1, 'b');
  deny(2, 'a');
  expect(written.splice(0)).toEqual([
    [1, 'a', undefined],
    [1, 'b', undefined],
    [2, 'a', undefined],
  ]);
  now = 60_001;
  denials.forgetOld();
  expect([written.splice(0), denials.size]).toEqual([[[1, 'a', 4]], 0]);
  for (let i = 0; i < 10_000; i++) deny(i, 'x');
  deny(9999, 'x');
  expect([written.length, denials.size]).toEqual([10_000, 4096]);
  denials.end();
  expect([written.at(-1), denials.size]).toEqual([[9999, 'x', 1], 0]);
});
