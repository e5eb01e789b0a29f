/** The switches of a realm for clients of Crossbar.io, each off and on. */
import { describe, expect, it } from 'vitest';

import { Realm } from '../../../src/router/realm.js';
import type { RealmConfig } from '../../../src/router/schema.js';
import { ProtocolViolation } from '../../../src/wamp/error.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../support/realm.js';

const REALM_OPTIONS = {
  uri_check: 'loose',
  event_dispatching_chunk_size: 100,
  enable_meta_api: true,
  bridge_meta_api: false,
} as const;

function compatRealm(compat?: RealmConfig['compat'], options?: RealmConfig['options']) {
  let lastId = 0;
  const clock = new FakeClock();
  const realm = new Realm(
    { name: 'realm1', roles: [ALLOW_ALL], ...(compat && { compat }), ...(options && { options }) },
    { randomId: () => ++lastId, nextRouterId: () => ++lastId, clock: () => clock.now, scheduler: clock },
  );
  const role = realm.role('anonymous');
  if (role === undefined) throw new Error('the role of the test is not there');
  const session = (...features: string[]) => new ScriptedSession(realm, ++lastId, role, features);
  return {
    caller: session('caller.call_canceling', 'caller.progressive_call_invocations'),
    callee: session('callee.call_canceling', 'callee.progressive_call_invocations'),
  };
}

it('request ids of clients need not count up by one', () => {
  const { caller } = compatRealm();
  for (const id of [7, 3, 3, 9007199254740992]) expect(caller.tell(32, id, {}, 'com.app.x').heard()[0]?.[1]).toBe(id);
});

describe('strict_request_ids', () => {
  const strict = () => compatRealm(undefined, { ...REALM_OPTIONS, strict_request_ids: true });

  it('lets request ids count up by one from 1, through all kinds of request', () => {
    const { caller } = strict();
    caller.tell(32, 1, {}, 'com.app.x').tell(64, 2, {}, 'com.app.p').tell(16, 3, {}, 'com.app.y');
    caller.tell(48, 4, {}, 'com.app.none').tell(49, 4, {}).tell(34, 5, 1).tell(66, 6, 99);
    expect(caller.heard()).toHaveLength(5);
  });

  it.each([
    ['a gap', [1, 3]],
    ['a repetition', [1, 1]],
    ['a first id other than 1', [2]],
  ])('takes %s for a violation', (_what, ids) => {
    const { caller } = strict();
    const last = ids.pop() ?? 0;
    for (const id of ids) caller.tell(32, id, {}, 'com.app.x');
    expect(() => caller.tell(32, last, {}, 'com.app.x')).toThrow(ProtocolViolation);
    expect(() => caller.tell(48, last, {}, 'com.app.x')).toThrow(ProtocolViolation);
  });

  it('lets the parts of one call repeat its id', () => {
    const { caller, callee } = strict();
    callee.tell(64, 1, {}, 'com.app.x').heard();
    caller.tell(48, 1, { progress: true }, 'com.app.x', [1]).tell(16, 2, {}, 'com.app.y');
    caller.tell(48, 1, {}, 'com.app.x', [2]);
    expect(callee.heard().map((message) => message[4])).toEqual([[1], [2]]);
  });
});

describe('compat.cancel_without_error', () => {
  const cancel = (compat: RealmConfig['compat'], mode: string) => {
    const { caller, callee } = compatRealm(compat);
    callee.tell(64, 1, {}, 'com.app.x');
    caller.tell(48, 1, {}, 'com.app.x').tell(49, 1, { mode });
    return caller.heard().map((message) => message[4]);
  };

  it('off: a canceled call is answered at once', () => {
    expect(cancel(undefined, 'skip')).toEqual(['wamp.error.canceled']);
    expect(cancel({ cancel_without_error: false }, 'killnowait')).toEqual(['wamp.error.canceled']);
  });

  it('on: it ends without a word', () => {
    for (const mode of ['skip', 'killnowait']) expect(cancel({ cancel_without_error: true }, mode)).toEqual([]);
  });
});

describe('compat.empty_eligible_admits_all', () => {
  const publish = (compat: RealmConfig['compat'], options: object) => {
    const { caller, callee } = compatRealm(compat);
    callee.tell(32, 1, {}, 'com.app.x').heard();
    caller.tell(16, 1, options, 'com.app.x');
    return callee.heard().length;
  };

  it.each(['eligible', 'eligible_authid', 'eligible_authrole'])(
    'off: an empty %s admits nobody; on: everybody',
    (list) => {
      expect(publish(undefined, { [list]: [] })).toBe(0);
      expect(publish({ empty_eligible_admits_all: true }, { [list]: [] })).toBe(1);
    },
  );

  it('on: what is in the other lists counts as ever', () => {
    const compat = { empty_eligible_admits_all: true };
    expect(publish(compat, { eligible: [], exclude_authrole: ['anonymous'] })).toBe(0);
    expect(publish(compat, { eligible: [], eligible_authid: ['nobody'] })).toBe(0);
  });
});

describe('compat.ignore_disclose_me', () => {
  const ask = (compat: RealmConfig['compat']) => {
    const { caller, callee } = compatRealm(compat);
    callee.tell(64, 1, {}, 'com.app.x').tell(32, 2, {}, 'com.app.x').heard();
    caller.tell(48, 1, { disclose_me: true }, 'com.app.x');
    caller.tell(16, 2, { disclose_me: true, acknowledge: true }, 'com.app.x');
    return { answers: caller.heard(), heard: callee.heard() };
  };

  it('off: asking to be shown where the role does not is refused', () => {
    const { answers, heard } = ask(undefined);
    expect(answers.map((message) => message[4])).toEqual(Array(2).fill('wamp.error.option_disallowed.disclose_me'));
    expect(heard).toEqual([]);
  });

  it('on: it is passed over, and nobody is shown', () => {
    const { answers, heard } = ask({ ignore_disclose_me: true });
    expect(answers.map(([code]) => code)).toEqual([17]);
    expect(heard.map((message) => message[3])).toEqual([{}, {}]);
  });
});
