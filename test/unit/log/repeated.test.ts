import { beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/log/logger.js';
import { RepeatedLog } from '../../../src/log/repeated.js';

describe('a line that strangers can cause as often as they like', () => {
  let lines: Record<string, unknown>[];
  let now: number;
  let log: RepeatedLog;

  beforeEach(() => {
    lines = [];
    now = 1000;
    const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    log = new RepeatedLog(createLogger({ level: 'debug', destination }), () => now);
  });

  it('is written at once, then counted for a minute, and told with the count afterwards', () => {
    for (let i = 0; i < 100; i++) log.say('warn', { address: `10.0.0.${i}` }, 'refused');
    now += 60_000;
    log.say('warn', { address: '10.0.1.1' }, 'refused');
    expect(lines).toMatchObject([
      { level: 'warn', address: '10.0.0.0', msg: 'refused' },
      { level: 'warn', address: '10.0.1.1', msg: 'refused', omitted: 99 },
    ]);
    expect(lines[0]).not.toHaveProperty('omitted');
  });

  it('does not hide a line of another kind', () => {
    log.say('warn', {}, 'refused', 'origin');
    log.say('warn', {}, 'refused', 'subprotocol');
    expect(lines).toHaveLength(2);
  });

  it('is told at the end when it was only counted', () => {
    for (let i = 0; i < 4; i++) log.say('info', { i }, 'refused');
    log.end();
    log.end();
    expect(lines).toMatchObject([{ i: 0 }, { i: 3, omitted: 2 }]);
  });

  it('takes no more memory when its kinds are many', () => {
    for (let i = 0; i < 1000; i++) log.say('info', { i }, 'refused', `kind ${i}`);
    // 64 kinds of their own, and one for all others.
    expect(lines).toHaveLength(65);
    log.end();
    expect(lines.at(-1)).toMatchObject({ i: 999, omitted: 934 });
  });
});
