import { describe, expect, it } from 'vitest';
import { MAX_TESTAMENTS, MAX_TESTAMENT_VALUES } from '../../../../src/router/meta/testaments.js';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const text = expect.any(String) as string;
const error = (uri: string) => [[8, 48, 1, {}, uri, [text]]];
const ADD = 'wamp.session.add_testament';

function add(session: ScriptedSession, args: unknown[], kwargs?: Record<string, unknown>): unknown[][] {
  return session.tell(48, 1, {}, ADD, args, kwargs).heard();
}

function flush(session: ScriptedSession, kwargs?: Record<string, unknown>): unknown[][] {
  return session.tell(48, 1, {}, 'wamp.session.flush_testaments', [], kwargs).heard();
}

/** A realm with a session that has testaments, and another that is subscribed to `com.will` (subscription 1). */
function heirs() {
  const { session, realm } = testRealm();
  const heir = session().tell(32, 1, {}, 'com.will');
  heir.heard();
  return { session, realm, heir, testator: session() };
}

/** The payloads of events. */
const said = (messages: unknown[][]) => messages.map((message) => message.slice(4));

describe('testaments', () => {
  it('are published when their session is gone, in the order in which they were added', () => {
    const { heir, testator } = heirs();
    expect(add(testator, ['com.will', ['one'], {}])).toEqual([[50, 1, {}]]);
    expect(add(testator, ['com.will', ['two'], { k: 2 }], { scope: 'destroyed' })).toEqual([[50, 1, {}]]);
    expect(heir.heard()).toEqual([]);
    testator.leave();
    expect(heir.heard()).toEqual([
      [36, 1, expect.any(Number), {}, ['one']],
      [36, 1, expect.any(Number), {}, ['two'], { k: 2 }],
    ]);
  });

  it('of scope detached come before those of scope destroyed', () => {
    const { heir, testator } = heirs();
    add(testator, ['com.will', ['destroyed'], {}]);
    add(testator, ['com.will', ['detached'], {}], { scope: 'detached' });
    testator.leave();
    expect(said(heir.heard())).toEqual([[['detached']], [['destroyed']]]);
  });

  it('come before on_leave', () => {
    const { session, heir, testator } = heirs();
    const watcher = session().tell(32, 1, {}, 'com.will').tell(32, 2, {}, 'wamp.session.on_leave');
    watcher.heard();
    add(testator, ['com.will', ['gone'], {}]);
    testator.leave();
    expect(said(watcher.heard())).toEqual([[['gone']], [[2, 'authid2', 'anonymous']]]);
    expect(said(heir.heard())).toEqual([[['gone']]]);
  });

  it('with payloads nested deeper than the stack are retained without harm', () => {
    const { heir, testator, realm } = heirs();
    let deep: unknown[] = [];
    for (let i = 0; i < MAX_TESTAMENT_VALUES - 10; i++) deep = [deep];
    const args = ['com.will', [deep], {}, { retain: true }];
    const payload = { args, kwargs: undefined, byteLength: 60_000 };
    realm.receive(testator, { type: 48, requestId: 1, options: {}, procedure: ADD, payload });
    expect(() => testator.leave()).not.toThrow();
    expect(heir.heard()).toHaveLength(1);
    expect(realm.size).toMatchObject({ testaments: 0, sessions: 1 });
  });

  it('are published for a killed session, but not by kill_all', () => {
    const { session, heir, testator, realm } = heirs();
    add(testator, ['com.will', ['killed'], {}]);
    heir.tell(48, 1, {}, 'wamp.session.kill', [testator.id]);
    expect(said(heir.heard())).toEqual([[['killed']], []]);
    add(session(), ['com.will', ['killed'], {}]);
    heir.tell(48, 2, {}, 'wamp.session.kill_all');
    expect(heir.heard()).toEqual([[50, 2, {}, [1]]]);
    expect(realm.size).toMatchObject({ sessions: 1, testaments: 0 });
  });

  it('are never sent to their own session', () => {
    const { testator } = heirs();
    testator.tell(32, 1, {}, 'com.will').heard();
    add(testator, ['com.will', ['gone'], {}], { publish_options: { exclude_me: false } });
    testator.leave();
    expect(testator.heard()).toEqual([]);
  });

  it('say nothing when they have nothing to say', () => {
    const { heir, testator } = heirs();
    add(testator, ['com.will', [], {}]);
    testator.leave();
    expect(heir.heard()).toEqual([[36, 1, expect.any(Number), {}]]);
  });

  it('go to whom publish_options admits, and are not acknowledged', () => {
    const { session, heir, testator } = heirs();
    const other = session().tell(32, 1, {}, 'com.will');
    other.heard();
    add(testator, ['com.will', ['a'], {}], { publish_options: { exclude: [heir.id], acknowledge: true } });
    add(testator, ['com.will', ['b'], {}], { publish_options: { eligible_authid: [heir.authid] } });
    testator.leave();
    expect(said(heir.heard())).toEqual([[['b']]]);
    expect(said(other.heard())).toEqual([[['a']]]);
    expect(testator.heard()).toEqual([]);
  });

  it('leave nothing behind', () => {
    const { heir, testator, realm } = heirs();
    add(testator, ['com.will', ['a'], {}]);
    expect(realm.size).toMatchObject({ testaments: 1 });
    testator.leave();
    heir.leave();
    expect(Object.values(realm.size).filter((count) => count !== 0)).toEqual([]);
  });
});

describe('flush_testaments', () => {
  it('forgets those of one scope and counts them', () => {
    const { heir, testator } = heirs();
    for (const scope of ['destroyed', 'detached']) {
      add(testator, ['com.will', [scope, 1], {}], { scope });
      add(testator, ['com.will', [scope, 2], {}], { scope });
    }
    expect(flush(testator)).toEqual([[50, 1, {}, [2]]]);
    expect(flush(testator, { scope: 'destroyed' })).toEqual([[50, 1, {}, [0]]]);
    testator.leave();
    expect(said(heir.heard())).toEqual([[['detached', 1]], [['detached', 2]]]);
  });

  it('leaves those of other sessions alone', () => {
    const { heir, testator } = heirs();
    add(testator, ['com.will', ['kept'], {}]);
    expect(flush(heir)).toEqual([[50, 1, {}, [0]]]);
    testator.leave();
    expect(said(heir.heard())).toEqual([[['kept']]]);
  });
});

describe('a testament is refused', () => {
  it.each<[string, unknown[], Record<string, unknown>, string]>([
    ['an unknown scope', ['com.will', [], {}], { scope: 'never' }, 'wamp.error.testament_error'],
    ['a scope that is no string', ['com.will', [], {}], { scope: 1 }, 'wamp.error.invalid_argument'],
    ['no payload', ['com.will'], {}, 'wamp.error.invalid_argument'],
    ['args that are no list', ['com.will', 'a', {}], {}, 'wamp.error.invalid_argument'],
    ['kwargs that are no dictionary', ['com.will', [], []], {}, 'wamp.error.invalid_argument'],
    ['a topic that is no string', [1, [], {}], {}, 'wamp.error.invalid_argument'],
    ['a topic that is no URI', ['no topic', [], {}], {}, 'wamp.error.invalid_uri'],
    ['a reserved topic', ['wamp.session.on_leave', [], {}], {}, 'wamp.error.invalid_uri'],
    ['bad options', ['com.will', [], {}], { publish_options: { eligible: 'x' } }, 'wamp.error.invalid_argument'],
    ['options that are none', ['com.will', [], {}], { publish_options: [] }, 'wamp.error.invalid_argument'],
    [
      'a disclosure that its owner may not make',
      ['com.will', [], {}],
      { publish_options: { disclose_me: true } },
      'wamp.error.option_disallowed.disclose_me',
    ],
  ])('with %s', (_what, args, kwargs, uri) => {
    const { heir, testator, realm } = heirs();
    expect(add(testator, args, kwargs)).toEqual(error(uri));
    expect(realm.size).toMatchObject({ testaments: 0 });
    testator.leave();
    expect(heir.heard()).toEqual([]);
  });

  it('when its owner may not publish there', () => {
    const allow = { call: true, register: true, publish: false, subscribe: true };
    const { session } = testRealm({ name: 'anonymous', permissions: [{ uri: '', match: 'prefix', allow }] });
    expect(add(session(), ['com.will', [], {}])).toEqual(error('wamp.error.not_authorized'));
  });

  it('when there are too many', () => {
    const { heir, testator } = heirs();
    for (let i = 0; i < MAX_TESTAMENTS; i++) add(testator, ['com.will', [i], {}], { scope: 'detached' });
    expect(add(testator, ['com.will', ['last'], {}])).toEqual(error('wamp.error.testament_error'));
    testator.leave();
    expect(heir.heard()).toHaveLength(MAX_TESTAMENTS);
  });

  it('when they have too many values together, which take time rather than bytes', () => {
    const { heir, testator, realm } = heirs();
    const many = Array.from({ length: MAX_TESTAMENT_VALUES / 2 }, () => 1);
    // On the wire a small number takes one byte.
    const told = (...args: unknown[]) => {
      const payload = { args, kwargs: undefined, byteLength: 11_000 };
      realm.receive(testator, { type: 48, requestId: 1, options: {}, procedure: ADD, payload });
      return testator.heard();
    };
    expect(told('com.will', [many], {})).toEqual([[50, 1, {}]]);
    expect(told('com.will', [many], {})).toEqual(error('wamp.error.testament_error'));
    expect(told('com.will', [1], {})).toEqual([[50, 1, {}]]);
    testator.leave();
    expect(heir.heard()).toHaveLength(2);
  });
});

it('testament_meta_api is announced by the dealer', () => {
  expect(testRealm().realm.announcement.dealer?.features).toMatchObject({ testament_meta_api: true });
});
