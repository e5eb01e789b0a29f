import { describe, expect, it } from 'vitest';
import { Realm } from '../../../src/router/realm.js';
import type { RealmConfig } from '../../../src/router/schema.js';
import type { Dict } from '../../../src/wamp/payload.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../support/realm.js';

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

const STORE: RealmConfig['store'] = { type: 'memory', 'event-history': [{ uri: 'a.', match: 'prefix' }] };
const GET_EVENTS = 'wamp.subscription.get_events';

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
    const { session } = realmWith({ store: STORE });
    const a = session();
    let deep: unknown[] = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    a.tell(16, 1, {}, 'a.x', [deep]).tell(16, 2, {}, 'a.x', [1]).tell(32, 3, {}, 'a.x').heard();
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
