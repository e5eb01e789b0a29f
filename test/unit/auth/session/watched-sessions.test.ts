/** WAMP sessions and the web sessions behind them: with a store in memory that is as slow as the test wants, and a clock of the test. */
import { beforeEach, describe, expect, it } from 'vitest';

import { DETACHED } from '../../../../src/auth/lease.js';
import type { LeasedSession } from '../../../../src/auth/lease.js';
import type { PresentedSession } from '../../../../src/auth/session/express-cookie.js';
import { StoreUnavailable } from '../../../../src/auth/session/store.js';
import type { SessionStore, StoredSession } from '../../../../src/auth/session/store.js';
import { WatchedSessions } from '../../../../src/auth/session/watched-sessions.js';
import type { Entered } from '../../../../src/auth/session/watched-sessions.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { FakeClock } from '../../../support/realm.js';

const MAPPING = {
  authid: 'user.id',
  role: { path: 'user.role', map: { root: 'admin', member: 'member' } },
  extra: { name: 'user.name' },
  realm: 'realm1',
};

class Sessions implements SessionStore {
  readonly recheckMs = 60_000;
  readonly retryMs = 2000;
  readonly users = new Map<string, object>();
  readonly expiries = new Map<string, number>();
  reads = 0;
  /** The most reads that were under way together. */
  most = 0;
  isDown = false;
  isStopped = false;
  /** Is called when a read has got its answer, before that is handed on. */
  onAnswer: (() => void | Promise<void>) | undefined;
  #open = 0;

  async read({ sid }: PresentedSession): Promise<StoredSession | undefined> {
    this.reads += 1;
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    if (this.isDown) this.#open -= 1;
    if (this.isDown) throw new StoreUnavailable('the store is down');
    const user = this.users.get(sid);
    const answer = user && { user: structuredClone(user) as never, expiresMs: this.expiries.get(sid) };
    await this.onAnswer?.();
    this.#open -= 1;
    return answer;
  }

  stop(): void {
    this.isStopped = true;
  }
}

/** A WAMP session that notes how it ended. */
class Member implements LeasedSession {
  readonly id = 4711;
  readonly ended: string[] = [];
  leave: () => void = () => undefined;

  dismiss(reason: string, message: string): void {
    this.ended.push(`${reason} ${message}`);
    this.leave();
  }
}

const LOGGED_OUT = ['crossbar.close.session_ended the login at the web application is over'];
const CHANGED = ['crossbar.close.session_ended the login at the web application has changed'];
const user = (id: string | number, role = 'member', name = 'a name') => ({ user: { id, role, name } });
const presented = (sid: string): PresentedSession => ({ sid, cookie: `connect.sid=${sid}` });
/** Until nothing is left to do that waits for nobody. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('watched web sessions', () => {
  let clock: FakeClock;
  let store: Sessions;
  let watched: WatchedSessions;
  let log: ReturnType<typeof recordingLog>;

  const create = (close_ended = true): void => {
    log = recordingLog();
    watched = new WatchedSessions(
      { ...MAPPING, close_ended },
      { clock: () => clock.now, after: (ms, callback) => clock.after(ms, callback), log: log.log },
    );
    watched.use(store);
  };
  beforeEach(() => {
    clock = new FakeClock();
    store = new Sessions();
    store.users.set('one', user('joe'));
    create();
  });

  const welcome = (entered: Entered | undefined): Member => {
    if (entered === undefined) throw new Error('nobody is let in');
    const member = new Member();
    member.leave = entered.lease.begin(member);
    return member;
  };
  const join = async (sid = 'one'): Promise<Member> => welcome(await watched.enter(presented(sid)));

  it('let in whom the session names', async () => {
    const entered = await watched.enter(presented('one'));
    expect(entered?.user).toEqual({
      authid: 'joe',
      authrole: 'member',
      realm: 'realm1',
      authextra: { name: 'a name' },
    });
  });

  it('keep nothing of a session that is nobody, or is not there', async () => {
    store.users.set('anonymous', { cookie: {} });
    expect(await watched.enter(presented('anonymous'))).toBeUndefined();
    expect(await watched.enter(presented('none'))).toBeUndefined();
    expect([watched.size, clock.waiting]).toEqual([0, 0]);
  });

  it('keep nothing when the last WAMP session has left', async () => {
    const [one, two] = [await join(), await join()];
    expect(watched.size).toBe(1);
    one.leave();
    one.leave();
    expect(watched.size).toBe(1);
    two.leave();
    expect([watched.size, clock.waiting]).toEqual([0, 0]);
    watched.changed('one');
    watched.allChanged();
    expect(store.reads).toBe(2);
  });

  it('forget a HELLO that no WELCOME followed', async () => {
    await watched.enter(presented('one'));
    expect(watched.size).toBe(1);
    clock.advance(10_000);
    expect([watched.size, clock.waiting]).toEqual([0, 0]);
  });

  it('watch also when WELCOME came later than that', async () => {
    const late = await watched.enter(presented('one'));
    clock.advance(10_000);
    const first = await join();
    store.users.delete('one');
    const member = welcome(late);
    await settled();
    expect([first.ended, member.ended, watched.size]).toEqual([LOGGED_OUT, LOGGED_OUT, 0]);
  });

  it.each([
    ['is gone', undefined, LOGGED_OUT],
    ['names nobody any more', { cookie: {} }, LOGGED_OUT],
    ['is that of another user', user('mary'), CHANGED],
    ['has another role', user('joe', 'root'), CHANGED],
    ['has a role that nobody knows', user('joe', 'superuser'), LOGGED_OUT],
    ['has another name in it only', user('joe', 'member', 'another name'), []],
    ['is as it was', user('joe'), []],
  ])('end when the session %s', async (_what, changed, ended) => {
    const members = [await join(), await join()];
    if (changed === undefined) store.users.delete('one');
    else store.users.set('one', changed);
    watched.changed('one');
    await settled();
    expect(members.map((member) => member.ended)).toEqual([ended, ended]);
    expect(watched.size).toBe(ended.length > 0 ? 0 : 1);
  });

  it('take a number for the text that it is written as', async () => {
    store.users.set('one', user(42));
    const member = await join();
    store.users.set('one', user('42'));
    watched.changed('one');
    await settled();
    expect(member.ended).toEqual([]);
  });

  it('do not mind changes of others', async () => {
    await join();
    watched.changed('two');
    await settled();
    expect(store.reads).toBe(1);
  });

  it('read again what changed while HELLO was reading it', async () => {
    store.onAnswer = () => {
      store.onAnswer = undefined;
      store.users.delete('one');
      watched.changed('one');
    };
    expect(await watched.enter(presented('one'))).toBeUndefined();
    expect(watched.size).toBe(0);
  });

  it('let in whom changes do not leave in peace, and look again behind WELCOME', async () => {
    store.onAnswer = () => watched.changed('one');
    const entered = await watched.enter(presented('one'));
    expect(store.reads).toBe(3);
    store.onAnswer = undefined;
    store.users.delete('one');
    const member = welcome(entered);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('end a session that was logged out between the verdict and WELCOME', async () => {
    const entered = await watched.enter(presented('one'));
    store.users.delete('one');
    watched.changed('one');
    const member = welcome(entered);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('do not trust the answer of a read during which the session changed', async () => {
    const member = await join();
    store.onAnswer = () => {
      store.onAnswer = undefined;
      store.users.delete('one');
      watched.changed('one');
    };
    watched.changed('one');
    await settled();
    expect([member.ended, store.reads]).toEqual([LOGGED_OUT, 3]);
  });

  it('tell nobody who has left while it was read', async () => {
    const member = await join();
    store.onAnswer = () => member.leave();
    store.users.delete('one');
    watched.changed('one');
    await settled();
    expect([member.ended, watched.size, clock.waiting]).toEqual([[], 0, 0]);
  });

  it('read once for many changes, and once more for those that came meanwhile', async () => {
    await join();
    for (let i = 0; i < 50; i++) watched.changed('one');
    await settled();
    expect(store.reads).toBe(3);
  });

  it('end a session when it expires, and not earlier', async () => {
    store.expiries.set('one', clock.now + 5000);
    const member = await join();
    clock.advance(5000);
    await settled();
    expect(store.reads).toBe(1);
    store.users.delete('one');
    clock.advance(1);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('go on with one that was prolonged, until its new end', async () => {
    store.expiries.set('one', clock.now + 5000);
    const member = await join();
    store.expiries.set('one', clock.now + 8000);
    clock.advance(5001);
    await settled();
    expect([member.ended, store.reads]).toEqual([[], 2]);
    store.users.delete('one');
    clock.advance(3001);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('read one at once that has expired before WELCOME', async () => {
    store.expiries.set('one', clock.now + 5);
    const entered = await watched.enter(presented('one'));
    clock.advance(10);
    store.users.delete('one');
    const member = welcome(entered);
    clock.advance(1);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('notice also what nobody told', async () => {
    const member = await join();
    store.users.delete('one');
    clock.advance(59_999);
    await settled();
    expect(member.ended).toEqual([]);
    clock.advance(1);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('go on while the store is down, and look when it is back', async () => {
    const [gone, stays] = [await join(), await (store.users.set('two', user('mary')), join('two'))];
    store.isDown = true;
    store.users.delete('one');
    watched.allChanged();
    await settled();
    clock.advance(60_000);
    await settled();
    expect([gone.ended, stays.ended]).toEqual([[], []]);
    await expect(watched.enter(presented('one'))).rejects.toThrow(StoreUnavailable);
    store.isDown = false;
    watched.allChanged();
    await settled();
    expect([gone.ended, stays.ended, watched.size]).toEqual([LOGGED_OUT, [], 1]);
  });

  it('look by themselves when the store does not say that it is back', async () => {
    const member = await join();
    store.isDown = true;
    watched.changed('one');
    await settled();
    store.isDown = false;
    store.users.delete('one');
    clock.advance(2000);
    await settled();
    expect(member.ended).toEqual(LOGGED_OUT);
  });

  it('say a bug of a store in the log, and go on', async () => {
    const member = await join();
    store.onAnswer = () => Promise.reject(new TypeError('a bug'));
    watched.changed('one');
    await settled();
    expect(member.ended).toEqual([]);
    expect(log.warnings()).toMatchObject([{ level: 'error', msg: 'web session cannot be checked' }]);
  });

  it('read many at a time, and not all at once', async () => {
    const sids = Array.from({ length: 250 }, (_, i) => `sid ${i}`);
    const members: Member[] = [];
    for (const sid of sids) {
      store.users.set(sid, user(sid));
      members.push(await join(sid));
    }
    store.most = 0;
    store.onAnswer = settled;
    store.users.clear();
    watched.allChanged();
    while (watched.size > 0) await settled();
    expect(store.most).toBe(100);
    expect(members.filter(({ ended }) => ended.length === 1)).toHaveLength(250);
    expect(clock.waiting).toBe(0);
  });

  it('end the sessions of whom a new HELLO finds to be somebody else, where the store does not tell', async () => {
    const joe = await join();
    store.users.set('one', user('mary'));
    const mary = await join();
    expect([joe.ended, mary.ended]).toEqual([CHANGED, []]);
    store.users.delete('one');
    expect(await watched.enter(presented('one'))).toBeUndefined();
    expect([mary.ended, watched.size]).toEqual([LOGGED_OUT, 0]);
  });

  it('watch nothing where sessions are not to be ended', async () => {
    create(false);
    const entered = await watched.enter(presented('one'));
    expect(entered?.lease).toBe(DETACHED);
    const member = welcome(entered);
    expect([watched.size, clock.waiting]).toEqual([0, 0]);
    store.users.delete('one');
    watched.allChanged();
    expect(await watched.enter(presented('one'))).toBeUndefined();
    expect(member.ended).toEqual([]);
  });

  it('are watched on when the method is replaced, until the last has left', async () => {
    const [one, two] = [await join(), await (store.users.set('two', user('mary')), join('two'))];
    await watched.stop();
    expect(store.isStopped).toBe(false);
    store.users.delete('one');
    watched.changed('one');
    await settled();
    expect([one.ended, store.isStopped]).toEqual([LOGGED_OUT, false]);
    two.leave();
    expect(store.isStopped).toBe(true);
    await watched.stop();
  });

  it('are not begun any more when nobody can watch them', async () => {
    const entered = await watched.enter(presented('one'));
    await watched.stop();
    expect(store.isStopped).toBe(true);
    expect(welcome(entered).ended).toEqual([
      'crossbar.close.session_ended the login cannot be watched any more, please connect again',
    ]);
  });

  it('are a digest in the log', async () => {
    store.users.set('the-secret-sid', user('joe'));
    await join('the-secret-sid');
    store.users.clear();
    watched.allChanged();
    await settled();
    expect(log.entries).toMatchObject([
      { msg: 'web session ended', sessionId: 4711, webSession: expect.stringMatching(/^[0-9a-f]{12}$/) as string },
    ]);
    expect(JSON.stringify(log.entries)).not.toContain('the-secret');
  });
});
