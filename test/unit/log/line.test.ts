import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withAudit } from '../../../src/log/audit.js';
import { setLevel } from '../../../src/log/level.js';
import { LineKind } from '../../../src/log/line.js';
import { createLogger, silentLogger } from '../../../src/log/logger.js';
import type { LineValue } from '../../../src/log/line.js';
import type { Logger } from '../../../src/log/logger.js';

const NAMES = ['realm', 'sessionId', 'authid'] as const;
const JOINED = new LineKind('info', NAMES, 'session joined');

function root() {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } });
  return { log, written: () => lines.splice(0) };
}

/** @returns how both ways write the same. */
function bothWays(values: readonly [LineValue, LineValue, LineValue], childOf = (log: Logger) => log) {
  const { log, written } = root();
  const child = childOf(log);
  JOINED.write(child, values);
  const ours = written();
  const [realm, sessionId, authid] = values;
  child.info({ realm, sessionId, authid }, 'session joined');
  return { ours, pinos: written() };
}

/** What pino must not be asked for, so that a line shows who wrote it. */
function withoutPino(log: Logger): Logger {
  return Object.assign(log.child({}), {
    info: () => {
      throw new Error('pino was asked');
    },
  });
}

const TEXTS: readonly [what: string, text: string][] = [
  ['nothing', ''],
  ['a usual authid', 'AWFA-ELFS-5U6H-TWKW-LPH7-7Q4E'],
  ['a quote', 'a"b'],
  ['a quote at the end', '"'],
  ['a backslash', 'a\\b'],
  ['what looks like an escape', '\\u0041\\n'],
  ['the end of a line', 'a\nb'],
  ['a carriage return and a tab', '\r\t'],
  ['NUL', '\u0000'],
  ['the last control character', 'a\u001fb'],
  ['DEL and C1', '\u007f\u0080\u009b'],
  ['a line that somebody forges', '"}\n{"level":"info","msg":"session joined"}'],
  ['the ends of lines of JavaScript', '\u2028\u2029'],
  ['marks of direction', '\u202e\u2066'],
  ['letters of elsewhere', 'Žluťoučký kůň 漢字 …'],
  ['a character of two halves', '😀'],
  ['the first half alone', 'a\ud83d'],
  ['the second half alone', '\ude00b'],
  ['the halves the wrong way round', '\ude00\ud83d'],
  ['half a character and a quote', '"\ud83d'],
  ['half a character and a control character', '\u0001\ud83d'],
  ['the characters around the halves', '\ud7ff\ue000\uffff\ufeff'],
  ['99 characters', 'x'.repeat(99)],
  ['a long text', 'x'.repeat(10_000)],
  ['a long text with a quote', `${'x'.repeat(10_000)}"`],
  ['a long text with half a character', `${'x'.repeat(200)}\ud83d`],
  ['an HTML tag and a percent', '<script>%s %d %o'],
];

const CHILDREN: readonly [what: string, childOf: (log: Logger) => Logger][] = [
  ['a child', (log) => log.child({ transport: 't1' })],
  ['a child of a child', (log) => log.child({ worker: 'w1' }).child({ transport: 't1', n: 7 })],
  ['a child that repeats a name', (log) => log.child({ realm: 'a' }).child({ realm: 'b' })],
  ['a child with a nasty value', (log) => log.child({ transport: 'a"b\n\\\ud83d' })],
  ['a child with values that are no texts', (log) => log.child({ a: null, b: [1, 'x'], c: { d: true }, e: undefined })],
  ['a child with a secret', (log) => log.child({ cbtid: 'x', headers: { cookie: 'x' } }).child({ ticket: 'x' })],
  ['a child with an audit log', (log) => withAudit(log, { record: () => true }).child({ transport: 't1' })],
];

describe('a line whose fields are known', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-21T10:00:00.001Z') }));
  afterEach(() => void vi.useRealTimers());

  it('has level, time, fields in their order, and the message', () => {
    const { log, written } = root();
    JOINED.write(withoutPino(log.child({ transport: 't1' })), ['realm1', 7, 'joe']);
    expect(written()).toEqual([
      '{"level":"info","time":"2026-11-21T10:00:00.001Z","transport":"t1","realm":"realm1","sessionId":7,"authid":"joe","msg":"session joined"}\n',
    ]);
  });

  it.each(TEXTS)('is what pino writes, to the byte: %s', (_what, text) => {
    const { ours, pinos } = bothWays([text, 1, text]);
    expect(ours).toEqual(pinos);
    expect(ours).toHaveLength(1);
  });

  it.each([0, -0, -1, 1.5, 1e21, 2 ** 53, NaN, Infinity, -Infinity, undefined])('is what pino writes: %s', (value) => {
    const { ours, pinos } = bothWays([undefined, value, 'joe']);
    expect(ours).toEqual(pinos);
  });

  it.each(CHILDREN)('is what pino writes for %s', (_what, childOf) => {
    const { ours, pinos } = bothWays(['realm1', 1, 'joe'], childOf);
    expect(ours).toEqual(pinos);
    expect(ours.join()).not.toContain('"x"}');
  });

  it('is written without pino where each text is plain, and by pino where one is not', () => {
    const log = withoutPino(root().log);
    expect(() => JOINED.write(log, ['realm1', 1, 'Žofie'])).not.toThrow();
    for (const text of ['"', '\\', '\n', '\ud83d', '😀']) {
      expect(() => JOINED.write(log, ['realm1', 1, text])).toThrow('pino was asked');
    }
  });

  it('has what children were given later, and the time of now', () => {
    const { log, written } = root();
    const child = log.child({ a: 1 });
    JOINED.write(child, ['r', 1, 'joe']);
    child.setBindings({ b: 2 });
    vi.setSystemTime(Date.parse('2026-11-21T10:00:00.002Z'));
    JOINED.write(child, ['r', 1, 'joe']);
    expect(written()).toEqual([
      expect.stringContaining(',"time":"2026-11-21T10:00:00.001Z","a":1,"realm":"r",'),
      expect.stringContaining(',"time":"2026-11-21T10:00:00.002Z","a":1,"b":2,"realm":"r",'),
    ]);
  });

  it.each(['cbtid', 'cookie', 'set-cookie', 'secret', 'ticket', 'token', 'access_token', 'headers', 'err', 'a"b'])(
    'censors and escapes names as pino does: %s',
    (name) => {
      const { log, written } = root();
      for (const value of ['joe', '', undefined]) {
        new LineKind('info', [name, 'realm'] as const, 'it is "so"').write(log, [value, 'r']);
        const ours = written();
        log.info({ [name]: value, realm: 'r' }, 'it is "so"');
        expect(ours).toEqual(written());
      }
    },
  );

  it('follows the level of the logger, also of one that was made before', () => {
    const { log, written } = root();
    const child = log.child({}).child({ transport: 't1' });
    const debug = new LineKind('debug', ['n'] as const, 'said quietly');
    const sayBoth = (): number => {
      JOINED.write(child, ['realm1', 1, 'joe']);
      JOINED.write(child, ['"', 1, 'joe']);
      debug.write(child, [1]);
      return written().length;
    };
    expect(sayBoth()).toBe(2);
    for (const [level, lines] of [
      ['warn', 0],
      ['debug', 3],
      ['silent', 0],
      ['info', 2],
    ] as const) {
      setLevel(log, level);
      expect([level, sayBoth()]).toEqual([level, lines]);
      expect([JOINED.isWrittenBy(child), debug.isWrittenBy(child)]).toEqual([lines >= 2, lines === 3]);
    }
  });

  it('goes to a logger of somebody else as any other line does', () => {
    const heard: unknown[][] = [];
    const foreign = Object.assign(silentLogger().child({}), { info: (...args: unknown[]) => void heard.push(args) });
    JOINED.write(foreign, ['realm1', undefined, 'joe']);
    expect(heard).toEqual([[{ realm: 'realm1', sessionId: undefined, authid: 'joe' }, 'session joined']]);
  });
});
