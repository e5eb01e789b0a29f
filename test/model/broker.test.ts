/**
 * The broker against a matcher that is too simple to be wrong: random sessions subscribe, unsubscribe, publish and leave,
 * and each publication must reach exactly the subscriptions that a look at every one of them finds; so must the meta API
 * find them, and a new subscription the retained events that a look at every publication finds.
 *
 * `MODEL_RUNS` is the number of random sequences: 500 unless it is set; `MODEL_RUNS=10000 npx vitest run test/model`
 * is the nightly form.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NO_OBSERVER } from '../../src/router/observer.js';
import { Role } from '../../src/router/role.js';
import type { PublishOptions } from '../../src/wamp/message.js';
import type { Match } from '../../src/wamp/uri.js';
import { testBroker } from '../support/broker.js';
import type { BrokerSession } from '../support/broker.js';

const RUNS = Number(process.env.MODEL_RUNS ?? 500);
const SESSIONS = 4;
const ROLES = ['red', 'blue'].map((name) => new Role({ name, 'allow-by-default': true }));

type Step =
  | {
      readonly do: 'subscribe';
      readonly session: number;
      readonly match: Match;
      readonly uri: string;
      readonly retained: boolean;
    }
  | {
      readonly do: 'unsubscribe';
      readonly session: number;
      readonly nth: number;
    }
  | {
      readonly do: 'publish';
      readonly session: number;
      readonly topic: string;
      readonly options: PublishOptions;
    }
  | { readonly do: 'leave'; readonly session: number };

const session = fc.nat(SESSIONS - 1);
// Few components, so that patterns meet topics and each other often.
const component = fc.constantFrom('a', 'b', 'ab');
const list = (part: fc.Arbitrary<string>) => fc.array(part, { minLength: 1, maxLength: 3 });
const joined = (part: fc.Arbitrary<string>) => list(part).map((parts) => parts.join('.'));
const topic = joined(component);
const pattern: fc.Arbitrary<{ readonly match: Match; readonly uri: string }> = fc.oneof(
  fc.record({ match: fc.constant('exact' as const), uri: topic }),
  fc.record({
    match: fc.constant('prefix' as const),
    uri: fc.oneof(
      fc.constant(''),
      topic,
      topic.map((uri) => `${uri}.`),
    ),
  }),
  fc.record({
    match: fc.constant('wildcard' as const),
    uri: joined(fc.oneof(component, fc.constant(''))),
  }),
);

// Ids of sessions go beyond those that exist: some lists name nobody.
const someIds = fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), { nil: undefined });
const someAuthids = fc.option(
  fc.uniqueArray(fc.constantFrom('authid1', 'authid2', 'authid3', 'x'), {
    maxLength: 3,
  }),
  {
    nil: undefined,
  },
);
const someRoles = fc.option(fc.uniqueArray(fc.constantFrom('red', 'blue', 'x'), { maxLength: 2 }), { nil: undefined });
const options = fc
  .record({
    exclude_me: fc.option(fc.boolean(), { nil: undefined }),
    eligible: someIds,
    exclude: someIds,
    eligible_authid: someAuthids,
    exclude_authid: someAuthids,
    eligible_authrole: someRoles,
    exclude_authrole: someRoles,
    retain: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as PublishOptions);

/** Kept beside the newest one for everybody. */
const RESTRICTED: PublishOptions = { retain: true, exclude_authrole: ['red'] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        do: fc.constant('subscribe' as const),
        session,
        pattern,
        retained: fc.boolean(),
      })
      .map(flat),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('unsubscribe' as const),
      session,
      nth: fc.nat(5),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      session,
      // Often the same one, so that retained events meet.
      topic: fc.oneof(fc.constantFrom('a', 'a.b'), topic),
      options: fc.oneof(fc.constant({}), fc.constant({ retain: true }), fc.constant(RESTRICTED), options),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('leave' as const), session }),
  },
);

function flat({
  pattern: { match, uri },
  ...rest
}: {
  readonly do: 'subscribe';
  readonly session: number;
  readonly retained: boolean;
  readonly pattern: { readonly match: Match; readonly uri: string };
}): Step {
  return { ...rest, match, uri };
}

/** One subscription of one session. */
interface Entry {
  readonly session: BrokerSession;
  readonly match: Match;
  readonly uri: string;
  readonly id: number;
}

/** A publication with `retain`. */
interface Retained {
  readonly id: number;
  readonly topic: string;
  readonly options: PublishOptions;
}

/** Written from the sentences of the specification, without an index. */
function matchesNaively({ match, uri }: Pick<Entry, 'match' | 'uri'>, topic: string): boolean {
  if (match === 'exact') return topic === uri;
  if (match === 'prefix') return topic.slice(0, uri.length) === uri;
  const parts = uri.split('.').map((part) => (part === '' ? '[^.]+' : part));
  return new RegExp(`^${parts.join('\\.')}$`).test(topic);
}

function admitsNaively(options: PublishOptions, publisher: BrokerSession, to: BrokerSession): boolean {
  return (to !== publisher || options.exclude_me === false) && mayReceiveNaively(options, to);
}

function mayReceiveNaively(options: PublishOptions, to: BrokerSession): boolean {
  if (options.eligible?.includes(to.id) === false) return false;
  if (options.eligible_authid?.includes(to.authid) === false) return false;
  if (options.eligible_authrole?.includes(to.authrole) === false) return false;
  if (options.exclude?.includes(to.id) === true) return false;
  if (options.exclude_authid?.includes(to.authid) === true) return false;
  return options.exclude_authrole?.includes(to.authrole) !== true;
}

/** As many publications with restrictions as the broker keeps of a topic, newer than the one for everybody. */
const MAX_RESTRICTED = 10;

/** @returns for each topic the newest publication that the session may see, among those that are still kept. */
function retainedNaively(
  all: readonly Retained[],
  pattern: Pick<Entry, 'match' | 'uri'>,
  to: BrokerSession,
): Retained[] {
  const topics = new Set(all.map(({ topic }) => topic).filter((topic) => matchesNaively(pattern, topic)));
  return [...topics].flatMap((topic) => {
    const newestFirst = all.filter((publication) => publication.topic === topic).reverse();
    const forAll = newestFirst.findIndex(
      ({ options }) => !Object.keys(options).some((key) => /^(eligible|exclude)(?!_me)/.test(key)),
    );
    const restricted = (forAll === -1 ? newestFirst : newestFirst.slice(0, forAll)).slice(0, MAX_RESTRICTED);
    const kept = forAll === -1 ? restricted : [...restricted, ...newestFirst.slice(forAll, forAll + 1)];
    return kept.filter(({ options }) => mayReceiveNaively(options, to)).slice(0, 1);
  });
}

/** What a session got, in an order that does not depend on how the broker walks its patterns. */
const sorted = (events: readonly unknown[][]) => events.map((event) => JSON.stringify(event)).sort();

class Play {
  readonly #made = testBroker({ observer: NO_OBSERVER });
  readonly #sessions: BrokerSession[] = [];
  #entries: Entry[] = [];
  readonly #retained: Retained[] = [];
  #publications = 1000;

  constructor() {
    for (let i = 0; i < SESSIONS; i++) this.#sessions.push(this.#made.session(ROLES[i % ROLES.length]));
  }

  run(step: Step): void {
    const session = this.#sessions[step.session];
    if (session === undefined) throw new Error('a step of nobody');
    if (step.do === 'subscribe') this.#subscribe(session, step.match, step.uri, step.retained);
    else if (step.do === 'unsubscribe') this.#unsubscribe(session, step.nth);
    else if (step.do === 'publish') this.#publish(session, step.topic, step.options);
    else this.#leave(step.session, session);
    const owners = new Set(this.#entries.map((entry) => entry.session));
    const patterns = new Set(this.#entries.map(({ id }) => id));
    expect(this.#made.broker.size).toEqual({
      subscriptions: patterns.size,
      subscribers: owners.size,
      pendingSubscriptions: 0,
    });
  }

  end(): void {
    for (const session of this.#sessions) this.#made.broker.remove(session);
    expect(this.#made.broker.size).toEqual({
      subscriptions: 0,
      subscribers: 0,
      pendingSubscriptions: 0,
    });
    expect(this.#made.broker.directory.list()).toEqual({
      exact: [],
      prefix: [],
      wildcard: [],
    });
    expect(this.#made.broker.directory.matching('a.b')).toEqual([]);
  }

  #subscribe(session: BrokerSession, match: Match, uri: string, retained: boolean): void {
    session.subscribe(uri, { match, get_retained: retained });
    const [reply, ...events] = session.heard();
    expect(reply?.slice(0, 2)).toEqual([33, 1]);
    const id = reply?.[2] as number;
    const same = this.#entries.filter((entry) => entry.match === match && entry.uri === uri);
    for (const entry of same) expect(id).toBe(entry.id);
    for (const entry of this.#entries) if (!same.includes(entry)) expect(id).not.toBe(entry.id);
    const expected = retainedNaively(retained ? this.#retained : [], { match, uri }, session).map(
      ({ id: publication, topic }) => {
        const details = match === 'exact' ? { retained: true } : { topic, retained: true };
        return [36, id, publication, details, [topic]];
      },
    );
    expect(sorted(events)).toEqual(sorted(expected));
    if (!same.some((entry) => entry.session === session)) this.#entries.push({ session, match, uri, id });
  }

  #unsubscribe(session: BrokerSession, nth: number): void {
    const own = this.#entries.filter((entry) => entry.session === session);
    const entry = own[nth % Math.max(1, own.length)];
    if (entry === undefined) {
      expect(() => session.unsubscribe(1)).toThrow('holds no subscription');
      return;
    }
    session.unsubscribe(entry.id);
    expect(session.heard()).toEqual([[35, 1]]);
    this.#entries = this.#entries.filter((other) => other !== entry);
  }

  #publish(publisher: BrokerSession, topic: string, options: PublishOptions): void {
    publisher.publish(topic, options);
    const publication = ++this.#publications;
    if (options.retain === true) this.#retained.push({ id: publication, topic, options });
    const matching = this.#entries.filter((entry) => matchesNaively(entry, topic)).map(({ id }) => id);
    const found = this.#made.broker.directory.matching(topic).map(({ id }) => id);
    expect(found.sort()).toEqual([...new Set(matching)].sort());
    for (const session of this.#sessions) {
      const expected = this.#entries
        .filter((entry) => entry.session === session && matchesNaively(entry, topic))
        .filter(() => admitsNaively(options, publisher, session))
        .map(({ id, match }) => [36, id, publication, match === 'exact' ? {} : { topic }, [topic]]);
      expect(sorted(session.heard())).toEqual(sorted(expected));
    }
  }

  #leave(place: number, session: BrokerSession): void {
    this.#made.broker.remove(session);
    this.#entries = this.#entries.filter((entry) => entry.session !== session);
    this.#sessions[place] = this.#made.session(session.role);
    expect(session.heard()).toEqual([]);
  }
}

it(`sends each publication where it belongs, and forgets everything (${RUNS} sequences)`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
      const play = new Play();
      for (const step of steps) play.run(step);
      play.end();
    }),
    { numRuns: RUNS },
  );
});
