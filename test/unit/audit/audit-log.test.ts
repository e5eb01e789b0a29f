/** The audit log: nothing is lost, what cannot be written is told once, and strangers cannot fill it. */
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { AuditLog } from '../../../src/audit/audit-log.js';
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
afterEach(() => {
  for (const audit of opened) audit.close();
  rmSync(directory, { recursive: true, force: true });
});

function audit(options: { file?: string; events?: AuditRecord['event'][]; required?: boolean } = {}) {
  const { file = 'logs/audit.log', required = false, events } = options;
  const config = { file: path.resolve(directory, file), required, ...(events && { events }) };
  const made = new AuditLog(config as ConstructorParameters<typeof AuditLog>[0], log);
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

it('what could not be written comes when it can be, in order, and what was too much is counted', () => {
  const made = audit();
  made.record({ event: 'login', session: 0 });
  const config = { file: '/dev/full', required: false };
  const full = new AuditLog(config, log);
  opened.push(full);
  const text = 'x'.repeat(250);
  for (let session = 1; session <= 5000; session++) full.record({ event: 'login', session, authid: text });
  // The same log, as if its disk had room again.
  Object.assign(config, { file: path.join(directory, 'logs/audit.log') });
  full.reopen();
  full.record({ event: 'logout', session: 5001 });
  const sessions = entries().map(({ session, event }) => session ?? event);
  const lost = entries().find(({ event }) => event === 'entries lost')?.['lost'] as number;
  expect(lost).toBeGreaterThan(0);
  expect(sessions).toEqual([...Array.from({ length: 5001 - lost }, (_, at) => at), 'entries lost', 5001]);
  expect(lines.map(({ msg }) => msg)).toEqual(['audit log cannot be written', 'audit log is written again']);
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
