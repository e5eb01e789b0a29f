import { describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../../../src/log/level.js';
import { createLogger } from '../../../../src/log/logger.js';
import type { LogLevel } from '../../../../src/log/level.js';
import { ConfiguredLevel } from '../../../../src/node/lifecycle/log-level.js';

function levelOf({ isOurs, at = 'info' }: { isOurs: boolean; at?: LogLevel }) {
  const records: Record<string, unknown>[] = [];
  const log = createLogger({
    level: at,
    destination: { write: (line) => records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { log, records, level: new ConfiguredLevel(log, isOurs) };
}

describe('log_level of the config', () => {
  it.each(LOG_LEVELS)('sets the level %s', (word) => {
    const { log, level, records } = levelOf({ isOurs: true });
    level.take({ log_level: word });
    expect(log.level).toBe(word === 'none' ? 'silent' : word);
    expect(records).toEqual([]);
  });

  it('gives way to the level of the start when it is taken out of the config', () => {
    const { log, level } = levelOf({ isOurs: true, at: 'warn' });
    level.take({});
    expect(log.level).toBe('warn');
    level.take({ log_level: 'trace' });
    level.take({});
    expect(log.level).toBe('warn');
  });

  it('has no effect where the level belongs to somebody else, and the log says so once', () => {
    const { log, level, records } = levelOf({ isOurs: false, at: 'warn' });
    level.take({});
    level.take({ log_level: 'warn' });
    expect(records).toEqual([]);
    for (const word of LOG_LEVELS) level.take({ log_level: word });
    expect(log.level).toBe('warn');
    expect(records).toMatchObject([
      { level: 'warn', log_level: 'none', inForce: 'warn', msg: 'log_level of the config has no effect' },
    ]);
  });

  it('says nothing to a level that was changed by its owner', () => {
    const { log, level, records } = levelOf({ isOurs: false });
    log.level = 'debug';
    level.take({});
    expect([log.level, records]).toEqual(['debug', []]);
  });
});
