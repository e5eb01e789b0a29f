import { describe, expect, it } from 'vitest';
import { Realm } from '../../../../src/router/realm.js';
import type { RealmConfig } from '../../../../src/router/schema.js';
import type { Dict } from '../../../../src/wamp/payload.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../../support/realm.js';

function realmWith(config: Partial<RealmConfig>) {
  let lastRouterId = 0;
  let lastPublication = 1000;
  const clock = new FakeClock();
  const realm = new Realm(
    { name: 'realm1', roles: [ALLOW_ALL], ...config },
    { randomId: () => ++lastPublication, nextRouterId: () => ++lastRouterId, clock: () => clock.now, scheduler: clock },
  );
  const role = realm.role('anonymous');
  if (role === undefined) throw new Error('no role');
  let lastSession = 0;
  return { realm, session: () => new ScriptedSession(realm, ++lastSession, role) };
}

const STORE: NonNullable<RealmConfig['store']> = { type: 'memory', 'event-history': [{ uri: 'a.', match: 'prefix' }] };
const GET_EVENTS = 'wamp.subscription.get_events';

type Answer = [number, number, object, { publication: number; args?: unknown[]; omitted_bytes?: number }[], unknown?];

describe('wamp.subscription.get_events', () => {
  it('answers with the events as its arguments', () => {
    const { session } = realmWith({ store: STORE });
    const a = session();
    a.tell(16, 1, {}, 'a.x', [1], { k: 2 });
    a.tell(32, 2, {}, 'a.x').heard();
    expect(a.tell(48, 3, {}, GET_EVENTS, [1]).heard()).toEqual([
      [
        50,
        3,
        {},
        [
          {
            timestamp: '2026-01-01T00:00:00.000Z',
            subscription: 1,
            publication: expect.any(Number) as number,
            details: {},
            args: [1],
            kwargs: { k: 2 },
          },
        ],
      ],
    ]);
    expect(a.tell(48, 4, {}, GET_EVENTS, [1], { topic: 'a.y' }).heard()).toEqual([[50, 4, {}]]);
  });

  describe('with more than one answer has room for', () => {
    /** 30 events of some 10 KB, and how to ask for them. */
    function filled() {
      const { session } = realmWith({ store: STORE });
      const a = session();
      a.tell(32, 1, {}, 'a.x').heard();
      for (let i = 0; i < 30; i++) a.tell(16, 1, {}, 'a.x', [i, 'x'.repeat(10_000)]);
      const ask = (kwargs: Dict, ...args: unknown[]) =>
        a.tell(48, 2, {}, GET_EVENTS, [1, ...args], kwargs).heard()[0] as Answer;
      return { a, ask };
    }

    it('says that there is more, and how to go on brings each event once', () => {
      const { ask } = filled();
      for (const [order, next] of [
        [{}, 'after_publication'],
        [{ reverse: true }, 'before_publication'],
      ] as const) {
        const seen: unknown[] = [];
        let answer = ask(order);
        for (; answer[4] !== undefined; answer = ask({ ...order, [next]: answer[3].at(-1)?.publication })) {
          expect(answer[4]).toEqual({ more: true });
          expect(answer[3]).toHaveLength(12);
          seen.push(...answer[3].map(({ args }) => args?.[0]));
        }
        seen.push(...answer[3].map(({ args }) => args?.[0]));
        const all = Array.from({ length: 30 }, (_, i) => i);
        expect(seen).toEqual('reverse' in order ? all.reverse() : all);
      }
    });

    it('says nothing of more where the limit of the caller ends it', () => {
      const { ask } = filled();
      expect(ask({ limit: 12 })[4]).toBeUndefined();
      expect(ask({}, 13)[4]).toEqual({ more: true });
    });

    it('shows an event alone that fills an answer, and of one that is too large its size', () => {
      const { a, ask } = filled();
      a.tell(16, 1, {}, 'a.x', ['x'.repeat(200_000)]);
      a.tell(16, 1, {}, 'a.x', ['x'.repeat(300_000)]);
      const [, , , newest, more] = ask({ reverse: true });
      expect(more).toEqual({ more: true });
      expect(newest).toHaveLength(1);
      expect(newest[0]?.args).toBeUndefined();
      expect(newest[0]?.omitted_bytes).toBeGreaterThan(300_000);
      const [, , , second] = ask({ reverse: true, before_publication: newest[0]?.publication });
      expect(second).toHaveLength(1);
      expect(second[0]?.args).toHaveLength(1);
      expect(second[0]?.omitted_bytes).toBeUndefined();
    });
  });

  it('shows of an event with very many small values its size: to show them all would hold the node up', () => {
    const { session } = realmWith({ store: STORE });
    const a = session();
    a.tell(32, 1, {}, 'a.x').heard();
    for (const count of [19_000, 21_000]) a.tell(16, 1, {}, 'a.x', [Array.from({ length: count }, () => 1)]);
    const ask = (kwargs: Dict) => (a.tell(48, 2, {}, GET_EVENTS, [1], kwargs).heard()[0] as Answer)[3][0];
    expect(ask({})?.args?.[0]).toHaveLength(19_000);
    expect(ask({ reverse: true })?.args).toBeUndefined();
    expect(ask({ reverse: true })?.omitted_bytes).toBeGreaterThan(21_000);
  });

  it('ends an answer before it has very many small values, and says that there is more', () => {
    const { realm, session } = realmWith({ store: STORE });
    const a = session();
    a.tell(32, 1, {}, 'a.x').heard();
    for (let i = 0; i < 5; i++) {
      // On the wire each of them takes one byte.
      const payload = { args: [i, Array.from({ length: 8_000 }, () => 1)], kwargs: undefined, byteLength: 8_000 };
      realm.receive(a, { type: 16, requestId: 1, options: {}, topic: 'a.x', payload });
    }
    const ask = (kwargs: Dict) => a.tell(48, 2, {}, GET_EVENTS, [1], kwargs).heard()[0] as Answer;
    const [, , , events, more] = ask({});
    expect(events.map(({ args }) => args?.[0])).toEqual([0, 1]);
    expect(more).toEqual({ more: true });
    const [, , , rest, end] = ask({
      after_publication: ask({ after_publication: events[1]?.publication })[3][1]?.publication,
    });
    expect(rest.map(({ args }) => args?.[0])).toEqual([4]);
    expect(end).toBeUndefined();
  });

  it('takes a limit by position as Crossbar.io does, and answers as it does: one list, the newest first', () => {
    const { session } = realmWith({ store: STORE });
    const a = session();
    a.tell(32, 1, {}, 'a.x').heard();
    const list = (...args: unknown[]) => a.tell(48, 2, {}, GET_EVENTS, args).heard()[0]?.[3] as [{ args: unknown[] }[]];
    expect(list(1, 5)).toEqual([[]]);
    for (const value of [1, 2, 3]) a.tell(16, 1, {}, 'a.x', [value]);
    expect(list(1, 2)).toMatchObject([[{ args: [3] }, { args: [2] }]]);
    expect(list(1, 1)).toMatchObject([[{ args: [3] }]]);
    expect(list(1, null)[0]).toHaveLength(3);
    expect(list(1)).toMatchObject([{ args: [1] }, { args: [2] }, { args: [3] }]);
  });

  it('shows what cannot be written in the answer without its payload', () => {
    const { realm, session } = realmWith({ store: STORE });
    const a = session();
    let deep: unknown[] = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const payload = { args: [deep], kwargs: undefined, byteLength: 60_000 };
    realm.receive(a, { type: 16, requestId: 1, options: {}, topic: 'a.x', payload });
    a.tell(16, 2, {}, 'a.x', [1]).tell(32, 3, {}, 'a.x').heard();
    const [, , , events] = a.tell(48, 4, {}, GET_EVENTS, [1]).heard()[0] ?? [];
    expect((events as Dict[]).map(({ args }) => args)).toEqual([undefined, [1]]);
  });

  it.each([
    [[99], {}, 'wamp.error.no_such_subscription'],
    [[], {}, 'wamp.error.invalid_argument'],
    [[1, 2, 3], {}, 'wamp.error.invalid_argument'],
    [[1, 0], {}, 'wamp.error.invalid_argument'],
    [[1], { limit: -1 }, 'wamp.error.invalid_argument'],
    [[2], {}, 'wamp.error.history_unavailable'],
  ])('answers %j %j with %s', (args, kwargs, uri) => {
    const { session } = realmWith({ store: STORE });
    const a = session();
    a.tell(32, 1, {}, 'a.x').tell(32, 2, {}, 'b').heard();
    expect(a.tell(48, 3, {}, GET_EVENTS, args, kwargs).heard()[0]?.slice(0, 5)).toEqual([8, 48, 3, {}, uri]);
  });

  it('is there, and announced, only where the realm has a store', () => {
    const features = (config: Partial<RealmConfig>) => realmWith(config).realm.announcement.broker?.features;
    expect(features({ store: STORE })).toMatchObject({ event_history: true });
    expect(features({})).not.toHaveProperty('event_history');
    const a = realmWith({}).session();
    a.tell(32, 1, {}, 'a.x').heard();
    expect(a.tell(48, 2, {}, GET_EVENTS, [1]).heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
  });
});

it('a realm keeps as many retained events as its options say', () => {
  const options = {
    uri_check: 'loose',
    event_dispatching_chunk_size: 100,
    enable_meta_api: true,
    bridge_meta_api: false,
    max_retained_events: 1,
    max_retained_bytes: 10_000,
  } as const;
  const { session } = realmWith({ options });
  const [a, b] = [session(), session()];
  for (const topic of ['x', 'y']) a.tell(16, 1, { retain: true }, topic);
  a.tell(16, 1, { retain: true }, 'z', ['z'.repeat(10_000)]);
  b.tell(32, 1, { match: 'prefix', get_retained: true }, '');
  const retained = b.heard().filter(([type, , , details]) => type === 36 && (details as Dict).retained === true);
  expect(retained.map((event) => event[3])).toEqual([{ topic: 'y', retained: true }]);
});
