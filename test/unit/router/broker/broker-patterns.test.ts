import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EVENT } from '../../../../src/wamp/message.js';
import type { Event, RouterMessage } from '../../../../src/wamp/message.js';
import type { Match } from '../../../../src/wamp/uri.js';
import { testRealm } from '../../../support/realm.js';

interface Row {
  readonly match: Match;
  readonly pattern: string;
  readonly matches: readonly string[];
  readonly not: readonly string[];
}

const { subscriptions } = JSON.parse(
  readFileSync(new URL('../../../fixtures/wamp/own-vectors/matching.json', import.meta.url), 'utf8'),
) as { subscriptions: Row[] };

/** A pattern for everything gets meta events too: these tests are about the others. */
const withoutMeta = () => testRealm(undefined, 'loose', false);

describe('pattern-based subscriptions', () => {
  it('sends nothing more to a receiver that goes in the middle of a publication', () => {
    const { session } = withoutMeta();
    const [publisher, receiver] = [session(), session()];
    for (const [i, pattern] of ['a..c', 'a.b.', '.b.c', '..'].entries()) {
      receiver.tell(32, i + 1, { match: 'wildcard' }, pattern);
    }
    receiver.heard();
    let sent = 0;
    receiver.send = () => {
      sent++;
      receiver.leave();
    };
    publisher.tell(16, 1, { acknowledge: true }, 'a.b.c');
    expect(sent).toBe(1);
    expect(publisher.heard()).toMatchObject([[17, 1, expect.any(Number)]]);
  });

  it.each(subscriptions.map((row) => [row.match, row.pattern, row] as const))('%s "%s"', (match, pattern, row) => {
    const { session } = withoutMeta();
    const [publisher, subscriber] = [session(), session()];
    expect(subscriber.tell(32, 1, { match }, pattern).heard()).toEqual([[33, 1, 1]]);
    const details = (topic: string) => (match === 'exact' ? {} : { topic });
    row.matches.forEach((topic, i) => publisher.tell(16, i + 1, {}, topic, [i]));
    expect(subscriber.heard()).toEqual(
      row.matches.map((topic, i) => [36, 1, expect.any(Number) as number, details(topic), [i]]),
    );
    row.not.forEach((topic, i) => publisher.tell(16, i + 1, {}, topic, [i]));
    expect(subscriber.heard()).toEqual([]);
  });

  it('gives one URI another subscription for each match policy, and each its event of one publication', () => {
    const { session } = withoutMeta();
    const [a, b] = [session(), session()];
    b.tell(32, 1, { match: 'exact' }, 'a.b')
      .tell(32, 2, { match: 'prefix' }, 'a.b')
      .tell(32, 3, { match: 'wildcard' }, 'a.b');
    b.tell(32, 4, {}, 'a.b').tell(32, 5, { match: 'prefix' }, 'a.b');
    expect(b.heard()).toEqual([
      [33, 1, 1],
      [33, 2, 2],
      [33, 3, 3],
      [33, 4, 1],
      [33, 5, 2],
    ]);
    a.tell(16, 1, {}, 'a.b', ['x']);
    expect(b.heard()).toEqual([
      [36, 1, 1001, {}, ['x']],
      [36, 2, 1001, { topic: 'a.b' }, ['x']],
      [36, 3, 1001, { topic: 'a.b' }, ['x']],
    ]);
  });

  it('keeps a broad pattern when a narrower one is unsubscribed', () => {
    const { session } = withoutMeta();
    const [a, b] = [session(), session()];
    b.tell(32, 1, { match: 'prefix' }, '').tell(32, 2, {}, 'a.b').tell(34, 3, 2).heard();
    a.tell(16, 1, {}, 'a.b');
    expect(b.heard()).toEqual([[36, 1, 1001, { topic: 'a.b' }]]);
  });

  it('sends one event object to all subscribers of a pattern', () => {
    const { session } = withoutMeta();
    const events: RouterMessage[] = [];
    for (const subscriber of [session(), session()]) {
      subscriber.tell(32, 1, { match: 'prefix' }, 'a.');
      subscriber.send = (message) => events.push(message);
    }
    session().tell(16, 1, {}, 'a.b');
    expect(events).toHaveLength(2);
    expect(events[0]?.type).toBe(EVENT);
    expect((events[0] as Event).frames).toBe((events[1] as Event).frames);
  });

  it('filters and excludes as for exact subscriptions, and names the publisher', () => {
    const { session } = testRealm({
      name: 'user',
      permissions: [{ uri: '*', allow: { publish: true, subscribe: true }, disclose: { publisher: true } }],
    });
    const [a, b, c] = [session(), session(), session()];
    for (const subscriber of [a, b, c]) subscriber.tell(32, 1, { match: 'wildcard' }, 'a.').heard();
    a.tell(16, 1, { exclude: [3] }, 'a.b');
    const details = { publisher: 1, publisher_authid: 'authid1', publisher_authrole: 'user', topic: 'a.b' };
    expect([a.heard(), b.heard(), c.heard()]).toEqual([[], [[36, 1, 1001, details]], []]);
    a.tell(16, 2, { exclude_me: false, eligible: [1] }, 'a.b');
    expect([a.heard(), b.heard(), c.heard()]).toEqual([[[36, 1, 1002, details]], [], []]);
  });

  it.each<[Match, string, boolean]>([
    ['exact', 'a..b', false],
    ['exact', '', false],
    ['wildcard', 'a..b', true],
    ['wildcard', '', true],
    ['wildcard', 'a.#', false],
    ['prefix', 'a.', true],
    ['prefix', '', true],
    ['prefix', 'a..b', false],
    ['prefix', '.a', false],
  ])('has URI rules of its own for %s: "%s" is %s', (match, uri, valid) => {
    const { session } = withoutMeta();
    const reply = session().tell(32, 1, { match }, uri).heard()[0];
    if (valid) expect(reply).toEqual([33, 1, 1]);
    else expect(reply?.slice(0, 5)).toEqual([8, 32, 1, {}, 'wamp.error.invalid_uri']);
  });

  it('asks for the permission of the pattern, not of the URI that it is spelled like', () => {
    const { session } = testRealm({
      name: 'user',
      permissions: [
        { uri: 'a.b', allow: { subscribe: true } },
        { uri: 'c.*', allow: { subscribe: true } },
      ],
    });
    const a = session();
    expect(a.tell(32, 1, {}, 'a.b').heard()[0]?.[0]).toBe(33);
    expect(a.tell(32, 2, { match: 'prefix' }, 'a.b').heard()[0]?.[4]).toBe('wamp.error.not_authorized');
    expect(a.tell(32, 3, { match: 'prefix' }, 'c.').heard()[0]?.[0]).toBe(33);
  });

  it('covers the topics of the router for a prefix that is empty', () => {
    const { session } = testRealm();
    const [a] = [session(), session()];
    a.tell(32, 1, { match: 'prefix' }, '').heard();
    session();
    expect(a.heard()).toEqual([[36, 1, expect.any(Number), { topic: 'wamp.session.on_join' }, [expect.any(Object)]]]);
  });

  it('leaves nothing behind', () => {
    const { realm, session } = withoutMeta();
    const [a, b] = [session(), session()];
    for (const match of ['exact', 'prefix', 'wildcard']) {
      a.tell(32, 1, { match }, 'a.b');
      b.tell(32, 1, { match }, 'a.b');
    }
    a.tell(34, 2, 1).leave();
    expect(realm.size).toMatchObject({ subscriptions: 3, subscribers: 1 });
    b.leave();
    expect(realm.size).toMatchObject({ subscriptions: 0, subscribers: 0 });
  });
});
