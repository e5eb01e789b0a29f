import { describe, expect, it } from 'vitest';
import { withAudit } from '../../../src/log/audit.js';
import { followLevel, letFollow, setLevel } from '../../../src/log/level.js';
import { createLogger } from '../../../src/log/logger.js';

function root() {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } });
  const told = () => lines.splice(0).map((line) => (JSON.parse(line) as { msg: string }).msg);
  return { log, told };
}

describe('the level of the log', () => {
  it('holds for children that were made before, and for their children', () => {
    const { log, told } = root();
    const audited = withAudit(log, { record: () => true });
    const child = audited.child({ realm: 'a' });
    const grandchild = child.child({ sessionId: 1 });
    const all = [log, audited, child, grandchild];
    const debug = () => all.forEach((each, index) => each.debug(String(index)));
    debug();
    expect(told()).toEqual([]);
    setLevel(log, 'debug');
    debug();
    expect(told()).toEqual(['0', '1', '2', '3']);
    expect(all.map((each) => [each.level, each.isLevelEnabled('debug')])).toEqual(all.map(() => ['debug', true]));
    setLevel(log, 'silent');
    all.forEach((each) => each.error('no'));
    setLevel(log, 'info');
    debug();
    all.forEach((each, index) => each.info(String(index)));
    expect(told()).toEqual(['0', '1', '2', '3']);
  });

  it('is told to those who follow it by a child, once for each change, until they end that', () => {
    const { log } = root();
    const early = log.child({});
    letFollow(log);
    const heard: string[] = [];
    const ends = [early, early.child({}), log].map((each, index) =>
      followLevel(each, (level) => heard.push(`${index} ${level}`)),
    );
    setLevel(log, 'info');
    expect(heard).toEqual([]);
    setLevel(log, 'trace');
    expect(heard).toEqual(['0 trace', '1 trace', '2 trace']);
    ends.slice(0, 2).forEach((end) => end());
    setLevel(log, 'silent');
    expect(heard.slice(3)).toEqual(['2 silent']);
  });

  it('can be followed in vain where it never changes', () => {
    const { log } = root();
    expect(() => followLevel(log, () => undefined)()).not.toThrow();
  });
});
