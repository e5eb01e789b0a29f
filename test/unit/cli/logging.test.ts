import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { createReporter } from '../../../src/cli/logging.js';
import { setLevel } from '../../../src/log/level.js';
import { Output } from '../../../src/cli/output.js';
import type { LogOptions } from '../../../src/cli/logging.js';
import type { NodeSummary } from '../../../src/node/summary.js';

const SUMMARY: NodeSummary = {
  pid: 1,
  title: 'crossbar-ts',
  cbdir: '/c',
  config: '/c/config.json',
  workers: [],
  listening: [],
  realms: [],
  components: [],
  cookieStores: [],
};

/** What a node start writes with these options: one info and one warn record before, one info record after. */
function spoken(options: Partial<LogOptions>, { terminal = false, noColor = false } = {}): string {
  const stream = Object.assign(new PassThrough(), { isTTY: terminal });
  const output = new Output(stream);
  const reporter = createReporter({ loglevel: 'info', color: 'auto', ...options }, output, noColor);
  reporter.log.info('realm started');
  reporter.log.warn('mind this');
  reporter.started(SUMMARY);
  reporter.log.info('session joined');
  output.writeOut();
  return String(stream.read() ?? '');
}

describe('the log of start', () => {
  it('is JSON lines where nobody looks', () => {
    const records = spoken({})
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ level, msg }) => [level, msg])).toEqual([
      ['info', 'realm started'],
      ['warn', 'mind this'],
      ['info', 'session joined'],
    ]);
  });

  it('is the summary in place of the start records at a terminal, and text behind it', () => {
    const lines = spoken({}, { terminal: true, noColor: true }).trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d warn {2}mind this$/),
      'node      pid 1, /c/config.json',
      'listening nowhere: the config has no transports',
      expect.stringMatching(/^\d\d:\d\d:\d\d info {2}session joined$/),
    ]);
  });

  it('shows everything at a terminal with debug', () => {
    const text = spoken({ loglevel: 'debug' }, { terminal: true });
    expect(text).toContain('realm started');
    expect(text).toContain('pid 1');
  });

  it("is text on request, and `standard` is Crossbar.io's word for that", () => {
    const text = /^\d\d:\d\d:\d\d info {2}realm started\n/;
    expect(spoken({ logformat: 'text' })).toMatch(text);
    expect(spoken({ logformat: 'standard' })).toMatch(text);
    expect(spoken({ logformat: 'text' })).not.toContain('pid 1');
  });

  it('is text without time and colour for `syslogd`', () => {
    expect(spoken({ logformat: 'syslogd', color: 'true' })).toMatch(/^info {2}realm started\n/);
  });

  it.each([
    ['a terminal', {}, { terminal: true }, true],
    ['a terminal and NO_COLOR', {}, { terminal: true, noColor: true }, false],
    ['no terminal', { logformat: 'text' }, {}, false],
    ['no terminal and --color true', { logformat: 'text', color: 'true' }, {}, true],
    ['a terminal and --color false', { color: 'false' }, { terminal: true }, false],
  ] as const)('with %s: colour %#', (_name, options, surroundings, colored) => {
    expect(spoken(options, surroundings).includes('\u001b[')).toBe(colored);
  });

  it.each([{ loglevel: 'none' }, { logformat: 'none' }] as const)('is silent with %o', (options) => {
    expect(spoken(options, { terminal: true })).toBe('');
  });

  it.each([
    ['debug', ['realm started', 'pid 1', 'session joined'], []],
    ['info', ['pid 1', 'session joined'], ['realm started']],
    ['warn', ['mind this'], ['realm started', 'pid 1', 'session joined']],
  ] as const)('at a terminal is as with --loglevel %s when the config says so', (level, there, missing) => {
    const stream = Object.assign(new PassThrough(), { isTTY: true });
    const output = new Output(stream);
    const reporter = createReporter({ color: 'false' }, output, false);
    const { log } = reporter;
    expect([log.level, reporter.isLevelOpen]).toEqual(['info', true]);
    setLevel(log, level);
    log.info('realm started');
    log.warn('mind this');
    reporter.started(SUMMARY);
    log.info('session joined');
    output.writeOut();
    const text = String(stream.read() ?? '');
    for (const part of there) expect(text).toContain(part);
    for (const part of missing) expect(text).not.toContain(part);
  });

  it.each([{ loglevel: 'info' }, { loglevel: 'none' }, { logformat: 'none' }] as const)(
    'keeps its level with %o, whatever the config says',
    (options) => {
      const output = new Output(Object.assign(new PassThrough(), { isTTY: false }));
      expect(createReporter({ color: 'auto', ...options }, output, false).isLevelOpen).toBe(false);
    },
  );

  it('leaves the summary out with warn', () => {
    expect(spoken({ loglevel: 'warn' }, { terminal: true, noColor: true })).toMatch(/^\S+ warn {2}mind this\n$/);
  });
});
