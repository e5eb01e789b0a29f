import { describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../../src/log/logger.js';
import type { Logger } from '../../../src/log/logger.js';

function logged(write: (log: Logger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ level: 'debug', destination: { write: (line) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  it('writes level, time, fields and message', () => {
    const [record] = logged((log) => log.child({ realm: 'r' }).info({ sessionId: 1, peer: 'p' }, 'session joined'));
    expect(record).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      realm: 'r',
      sessionId: 1,
      peer: 'p',
      msg: 'session joined',
    });
  });

  it('tells the time of each line', () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-21T10:00:00.001Z') });
    try {
      const records = logged((log) => {
        log.info('one');
        log.info('two');
        vi.setSystemTime(Date.parse('2026-11-21T10:00:00.002Z'));
        log.info('three');
      });
      expect(records.map(({ time }) => (time as string).slice(-4))).toEqual(['001Z', '001Z', '002Z']);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [{ cbtid: 'x' }, { cbtid: '[Redacted]' }],
    [{ record: { cbtid: 'x', created: 1 } }, { record: { cbtid: '[Redacted]', created: 1 } }],
    [
      { headers: { cookie: 'x', 'set-cookie': ['x'], host: 'h' } },
      { headers: { cookie: '[Redacted]', 'set-cookie': '[Redacted]', host: 'h' } },
    ],
    [
      { ticket: 'x', secret: 'x', cookie: 'x' },
      { ticket: '[Redacted]', secret: '[Redacted]', cookie: '[Redacted]' },
    ],
  ])('censors what should never have come there: %j', (fields, shown) => {
    const [record] = logged((log) => log.info(fields, 'oops'));
    expect(record).toMatchObject(shown);
    expect(JSON.stringify(record)).not.toContain('"x"');
  });

  it('censors what children were given', () => {
    const given = { cbtid: 'x', cookie: 'x', secret: 'x', ticket: 'x', headers: { cookie: 'x', 'set-cookie': 'x' } };
    const [record] = logged((log) => log.child(given).info('oops'));
    expect(record).toHaveProperty('headers.cookie', '[Redacted]');
    expect(JSON.stringify(record)).not.toContain('"x"');
  });

  it('leaves what it was given as it is, and errors with their stack', () => {
    const fields = { headers: { cookie: 'x' } };
    const error = new Error('broken');
    const [, record] = logged((log) => {
      log.info(fields, 'oops');
      log.error({ err: error }, 'failed');
    });
    expect(fields).toEqual({ headers: { cookie: 'x' } });
    expect(record).toMatchObject({
      err: { type: 'Error', message: 'broken', stack: expect.stringContaining('logger.test') },
    });
  });
});
