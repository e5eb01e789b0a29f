import { describe, expect, it } from 'vitest';

import { formatLine, textDestination } from '../../../src/log/format.js';
import { createLogger } from '../../../src/log/logger.js';
import type { TextFormat } from '../../../src/log/format.js';

const PLAIN: TextFormat = { color: false, time: false };

/** What a logger with this format writes for one call. */
function logged(format: TextFormat, write: (log: ReturnType<typeof createLogger>) => void): string {
  let out = '';
  const destination = textDestination({ write: (text) => (out += text) }, format);
  write(createLogger({ level: 'trace', destination }));
  return out;
}

describe('the text log format', () => {
  it('is one line of level, message and fields', () => {
    const out = logged(PLAIN, (log) => log.info({ realm: 'realm1', sessionId: 123, tls: false }, 'session joined'));
    expect(out).toBe('info  session joined  realm=realm1 sessionId=123 tls=false\n');
  });

  it('shows the fields of child loggers', () => {
    const out = logged(PLAIN, (log) => log.child({ realm: 'realm1' }).warn('role missing'));
    expect(out).toBe('warn  role missing  realm=realm1\n');
  });

  it('begins with the local time of day', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5);
    const line = JSON.stringify({ level: 'info', time: at.toISOString(), msg: 'hello' });
    expect(formatLine(line, { color: false, time: true })).toBe('03:04:05 info  hello\n');
  });

  it('colours the level and nothing of the message', () => {
    const out = logged({ color: true, time: false }, (log) => log.error({ a: 1 }, 'failed'));
    expect(out).toBe('\u001b[31merror\u001b[0m failed  \u001b[2ma=1\u001b[0m\n');
  });

  it('quotes what would be ambiguous and leaves URLs alone', () => {
    const out = logged(PLAIN, (log) => log.info({ url: 'ws://[::1]:8080/ws?a=b', name: 'a b', list: [1, 'x'] }, 'm'));
    expect(out).toBe('info  m  url="ws://[::1]:8080/ws?a=b" name="a b" list=[1,"x"]\n');
  });

  it('lets no peer forge a line or reach the terminal', () => {
    const evil = 'x\nerror forged\u001b[2J\u009b31m\u202e';
    const out = logged(PLAIN, (log) => log.info({ uri: evil }, 'denied'));
    expect(out.split('\n')).toHaveLength(2);

    expect(out).not.toMatch(/[\u001b\u009b\u202e]/);
    expect(out).toContain('forged');
  });

  it('shows a traceback in marked lines, which nobody can take for records', () => {
    const text = logged(PLAIN, (log) =>
      log.error({ trace: 'File "a.py"\ninfo  \u001b[31mforged\n' }, 'component failed'),
    );
    expect(text).toBe('error component failed\n    | File "a.py"\n    | info  \\u001b[31mforged\n');
  });

  it('shows an expected failure as its message, and a bug with its stack', () => {
    const err = new Error('disk full');
    expect(logged(PLAIN, (log) => log.warn({ err }, 'store failed'))).toBe('warn  store failed  err="disk full"\n');
    const bug = logged(PLAIN, (log) => log.error({ err }, 'session ended by a bug'));
    expect(bug).toMatch(/^error session ended by a bug {2}err="disk full"\n {4}at .*format\.test/);
  });
});
