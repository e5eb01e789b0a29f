/**
 * The URI table of the vectors as the router applies it to exact URIs and to patterns, in a loose and in a strict realm,
 * and the whole matching table: every pattern against every topic, and the choice among overlapping registrations.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../../support/daemon.js';
import { startDaemon } from '../../support/daemon.js';
import { nodeConfig, openRealm } from '../../support/node-config.js';
import { loadVectors } from '../../support/scenario.js';
import { WampClient } from '../../support/wamp-client.js';

type Match = 'exact' | 'prefix' | 'wildcard';
interface UriRow {
  readonly uri: string;
  readonly loose: Readonly<Record<Match, boolean>>;
  readonly strict: Readonly<Record<Match, boolean>>;
}
interface MatchRow {
  readonly match: Match;
  readonly pattern: string;
  readonly matches: readonly string[];
  readonly not: readonly string[];
}

const { samples: uris } = loadVectors('uris.json') as { readonly samples: readonly UriRow[] };
const { subscriptions, registrations, calls } = loadVectors('matching.json') as {
  readonly subscriptions: readonly MatchRow[];
  readonly registrations: readonly { readonly key: string; readonly match: Match; readonly pattern: string }[];
  /** `string_prefix`: the key of the best registration where a prefix is a plain string prefix, as it is here. */
  readonly calls: readonly { readonly procedure: string; readonly string_prefix: string | null }[];
};
const INVALID_URI = 'wamp.error.invalid_uri';
/** Reserved for the router: nobody may publish or register there, but everybody may listen and call. */
const isReserved = (uri: string): boolean => uri.startsWith('wamp.');
describe.each(['loose', 'strict'] as const)('URIs of a %s realm', (rule) => {
  let daemon: Daemon;
  let client: WampClient;
  let requestId = 0;
  beforeAll(async () => {
    daemon = await startDaemon({ config: nodeConfig({ realms: [openRealm('realm1', { uri_check: rule })] }) });
    client = await WampClient.join(daemon.url('/ws', 'ws'));
  });
  afterAll(() => daemon.dispose());

  it('has the whole table', () => {
    expect(uris).toHaveLength(25);
    expect(uris.filter((row) => row[rule].exact)).toHaveLength(rule === 'loose' ? 11 : 6);
  });

  /** Sends a request and says how it went: `ok`, or the URI of the error. */
  async function request(type: number, options: object, uri: string): Promise<unknown> {
    let [answer, , id, , error] = await client.ask([type, ++requestId, options, uri]);
    // Some of the patterns are wide enough to catch what the router tells about subscriptions and registrations.
    while (answer === 36) [answer, , id, , error] = await client.next();
    if (answer !== 8) return 'ok';
    expect(id).toBe(requestId);
    return error;
  }

  it.each(uris)('$uri', async (row) => {
    const valid = row[rule].exact;
    const open = valid ? 'ok' : INVALID_URI;
    const application = valid && !isReserved(row.uri) ? 'ok' : INVALID_URI;
    expect(await request(32, {}, row.uri), 'SUBSCRIBE').toBe(open);
    expect(await request(48, {}, row.uri), 'CALL').toBe(valid ? 'wamp.error.no_such_procedure' : INVALID_URI);
    expect(await request(64, {}, row.uri), 'REGISTER').toBe(application);
    expect(await request(16, { acknowledge: true }, row.uri), 'PUBLISH').toBe(application);
  });

  it.each(uris)('$uri as a pattern', async (row) => {
    for (const match of ['prefix', 'wildcard'] as const) {
      const valid = row[rule][match];
      expect(await request(32, { match }, row.uri), `SUBSCRIBE ${match}`).toBe(valid ? 'ok' : INVALID_URI);
      const allowed = valid && !isReserved(row.uri);
      expect(await request(64, { match }, row.uri), `REGISTER ${match}`).toBe(allowed ? 'ok' : INVALID_URI);
    }
  });
});

describe('matching', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon({ config: nodeConfig() });
  });
  afterAll(() => daemon.dispose());
  const join = (): Promise<WampClient> => WampClient.join(daemon.url('/ws', 'ws'));

  /** The next event that is not one of the router: the widest patterns catch those, too. */
  async function nextOfApplication(subscriber: WampClient): Promise<unknown[]> {
    for (;;) {
      const event = await subscriber.next();
      const { topic = '' } = event[3] as { topic?: string };
      if (!isReserved(topic)) return event;
    }
  }

  it('has the whole table', () => {
    expect([subscriptions.length, registrations.length, calls.length]).toEqual([12, 7, 7]);
  });

  it.each(subscriptions)('subscription $match "$pattern"', async ({ match, pattern, matches, not }) => {
    const [subscriber, publisher] = [await join(), await join()];
    const subscribed = await subscriber.ask([32, 1, { match }, pattern]);
    if (subscribed[0] === 8) {
      // The empty wildcard matches nothing but the empty URI, which nobody can publish to: an error is as good.
      expect([pattern, matches.length, subscribed[4]]).toEqual(['', 1, INVALID_URI]);
      return;
    }
    // Events keep the order of publishing, so what is delivered is a list, and the last topic ends it.
    const topics = [...not, ...matches, ...not];
    for (const [index, topic] of topics.entries()) {
      expect((await publisher.ask([16, index + 1, { acknowledge: true }, topic, [topic]]))[0]).toBe(17);
    }
    for (const expected of matches) {
      const [, , , details, args] = await nextOfApplication(subscriber);
      expect(args).toEqual([expected]);
      expect(details).toEqual(match === 'exact' ? {} : { topic: expected });
    }
    await subscriber.silent();
  });

  it('no pattern catches the procedures of the router', async () => {
    const [callee, caller] = [await join(), await join()];
    expect((await callee.ask([64, 1, { match: 'prefix' }, '']))[0]).toBe(65);
    expect((await callee.ask([64, 2, { match: 'wildcard' }, '..']))[0]).toBe(65);
    expect((await caller.ask([48, 1, {}, 'wamp.session.none']))[4]).toBe('wamp.error.no_such_procedure');
    await callee.leave();
  });

  it('registrations: the best match is called, and it is told which procedure was meant', async () => {
    const [callee, caller] = [await join(), await join()];
    const keys = new Map<unknown, string>();
    for (const [index, { key, match, pattern }] of registrations.entries()) {
      const [type, , registration] = await callee.ask([64, index + 1, { match }, pattern]);
      expect(type).toBe(65);
      keys.set(registration, key);
    }
    for (const [index, { procedure, string_prefix }] of calls.entries()) {
      caller.send([48, index + 1, {}, procedure]);
      if (string_prefix === null) {
        expect((await caller.next())[4]).toBe('wamp.error.no_such_procedure');
        continue;
      }
      const [, invocation, registration, details] = await callee.next();
      expect([procedure, keys.get(registration)]).toEqual([procedure, string_prefix]);
      if (registrations.find(({ key }) => key === string_prefix)?.match !== 'exact') {
        expect(details).toMatchObject({ procedure });
      }
      callee.send([70, invocation, {}]);
      expect((await caller.next()).slice(0, 2)).toEqual([50, index + 1]);
    }
  });
});
