/** Rows of the conformance checklist that no other test is about. */
import { describe, expect, it } from 'vitest';

import type { RoleConfig } from '../../src/router/schema.js';
import { ProtocolViolation } from '../../src/wamp/error.js';
import { testRealm } from '../support/realm.js';

const topic = 'com.example.topic';
const procedure = 'com.example.procedure';
const DISCLOSING: RoleConfig = {
  name: 'anonymous',
  permissions: [
    {
      uri: '*',
      allow: { call: true, register: true, publish: true, subscribe: true },
      disclose: { caller: true, publisher: true },
    },
  ],
};

describe('publish and subscribe', () => {
  it('a topic is another one in other case, longer or shorter', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(32, 1, {}, topic).heard();
    for (const other of ['com.example.Topic', 'com.example', 'com.example.topic.x', 'com.example.topi', `x.${topic}`]) {
      expect(a.tell(16, 1, { acknowledge: true }, other).heard()[0]?.[0]).toBe(17);
    }
    expect(b.heard()).toEqual([]);
    a.tell(16, 2, {}, topic);
    expect(b.heard()).toHaveLength(1);
  });

  it('who subscribes later does not get what was published before', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    a.tell(16, 1, {}, topic, ['before']);
    expect(b.tell(32, 1, {}, topic).heard()).toEqual([[33, 1, 1]]);
    a.tell(16, 2, {}, topic, ['after']);
    expect(b.heard().map((event) => event[4])).toEqual([['after']]);
  });

  it('subscriptions are told of in their own realm only', () => {
    const [here, there] = [testRealm(), testRealm()];
    const [watcher, neighbour] = [here.session(), here.session()];
    watcher.tell(32, 1, {}, 'wamp.subscription.on_create').heard();
    there.session().tell(32, 1, {}, topic);
    expect(watcher.heard()).toEqual([]);
    neighbour.tell(32, 1, {}, topic);
    expect(watcher.heard()).toHaveLength(1);
  });
});

describe('options of the wrong kind', () => {
  it.each([
    { eligible: 7 },
    { eligible: ['7'] },
    { exclude: 'all' },
    { exclude: ['7'] },
    { eligible_authid: [7] },
    { eligible_authrole: 'admin' },
    { exclude_authid: 'joe' },
    { exclude_authrole: [7] },
    { retain: 1 },
    { retain: 'true' },
  ])('breaks the protocol: PUBLISH %j', (options) => {
    const a = testRealm().session();
    expect(() => a.tell(16, 1, options, topic)).toThrow(ProtocolViolation);
    expect(a.heard()).toEqual([]);
  });

  it.each([{ match: 'regex' }, { match: '' }, { match: 7 }, { get_retained: 1 }, { get_retained: 'true' }])(
    'breaks the protocol: SUBSCRIBE %j',
    (options) => {
      const a = testRealm().session();
      expect(() => a.tell(32, 1, options, topic)).toThrow(ProtocolViolation);
      expect(a.heard()).toEqual([]);
    },
  );
});

describe('calls', () => {
  it('a callee may call while it is being called, its caller too', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    a.tell(64, 1, {}, 'com.example.inner').heard();
    b.tell(64, 1, {}, 'com.example.outer').heard();
    a.tell(48, 2, {}, 'com.example.outer');
    const [[, outer] = []] = b.heard();
    b.tell(48, 2, {}, 'com.example.inner');
    const [[, inner] = []] = a.heard();
    a.tell(70, inner, {}, ['inner']);
    expect(b.heard()).toEqual([[50, 2, {}, ['inner']]]);
    b.tell(70, outer, {}, ['outer']);
    expect(a.heard()).toEqual([[50, 2, {}, ['outer']]]);
  });

  it('calls come in the order in which they were made, whatever the procedure', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    const procedures = ['com.example.one', 'com.example.two', 'com.example.three'];
    for (const [i, uri] of procedures.entries()) b.tell(64, i + 1, {}, uri);
    b.heard();
    for (let i = 0; i < 30; i++) a.tell(48, i + 1, {}, procedures[(i * 7) % 3], [i]);
    expect(b.heard().map((invocation) => invocation[4])).toEqual(Array.from({ length: 30 }, (_, i) => [i]));
  });

  it('REGISTERED comes before the calls that waited for it', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, { invoke: 'roundrobin', concurrency: 1 }, procedure).heard();
    a.tell(48, 1, {}, procedure).tell(48, 2, {}, procedure);
    // The second call waits until somebody has room for it.
    c.tell(64, 1, { invoke: 'roundrobin', concurrency: 1 }, procedure);
    expect(c.heard().map(([type]) => type)).toEqual([65, 68]);
  });

  it('the options of a call in parts are those of its first part', () => {
    const { session } = testRealm();
    const a = session('caller.progressive_call_invocations');
    const b = session(
      ...['progressive_call_invocations', 'progressive_call_results', 'call_canceling'].map((name) => `callee.${name}`),
    );
    b.tell(64, 1, {}, procedure).heard();
    a.tell(48, 1, { progress: true }, procedure, [1]);
    a.tell(48, 1, { receive_progress: true, disclose_me: true }, procedure, [2]);
    expect(b.heard()).toEqual([
      [68, 1, 1, { progress: true }, [1]],
      [68, 1, 1, {}, [2]],
    ]);
    b.tell(70, 1, { progress: true }, ['part']).tell(70, 1, {}, ['all']);
    expect(a.heard()).toEqual([[50, 1, {}, ['all']]]);
  });
});

it('who asks to be shown is shown, where the role allows it', () => {
  const { session } = testRealm(DISCLOSING);
  const [a, b] = [session(), session()];
  b.tell(32, 1, {}, topic).tell(64, 2, {}, procedure).heard();
  a.tell(16, 1, { disclose_me: true }, topic).tell(48, 2, { disclose_me: true }, procedure);
  expect(b.heard().map((message) => message[3])).toEqual([
    { publisher: 1, publisher_authid: 'authid1', publisher_authrole: 'anonymous' },
    { caller: 1, caller_authid: 'authid1', caller_authrole: 'anonymous' },
  ]);
});

/** The keys of all dictionaries in a value, at any depth. */
function keysOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(keysOf)];
}

it('the keys that the router makes up are spelled as the protocol asks for', () => {
  const { realm, session } = testRealm(DISCLOSING);
  const [a, b] = [session(), session('callee.call_canceling', 'callee.progressive_call_results')];
  b.tell(32, 1, { match: 'prefix' }, 'com.').tell(64, 2, { match: 'prefix' }, 'com.').tell(32, 3, {}, topic);
  a.tell(16, 1, { retain: true }, topic).tell(48, 2, { receive_progress: true }, procedure).tell(49, 2, {});
  a.tell(32, 3, { get_retained: true }, topic).tell(48, 4, {}, 'wamp.session.get', [a.id]);
  const keys = new Set(keysOf([a.heard(), b.heard(), realm.announcement]));
  expect([...keys]).toEqual(expect.arrayContaining(['publisher', 'caller', 'topic', 'procedure', 'retained', 'mode']));
  expect([...keys].filter((key) => !/^(?:[a-z][a-z0-9_]{2,}|_[a-z0-9_]{3,})$/.test(key))).toEqual([]);
});
