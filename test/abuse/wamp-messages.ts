/**
 * WAMP messages as a client might send them that is broken, hostile, or only ahead of its time: of every type, also of those
 * that only a router sends, with fields that are right, odd, missing or too many. The more is right, the deeper they get.
 */
import type { Odd } from './encode.js';
import { Pairs } from './encode.js';
import { legalText, legalValue, oddNumber, oddText, oddUri, oddValue, RESERVED } from './odd-values.js';
import type { Random } from './random.js';

/** Ids that the node gave to any of the clients, by what they are of. */
export interface KnownIds {
  readonly sessions: Odd[];
  readonly subscriptions: Odd[];
  readonly registrations: Odd[];
  readonly invocations: Odd[];
}

/** What is remembered of each kind. */
const MOST_IDS = 200;

export function noIds(): KnownIds {
  return { sessions: [], subscriptions: [], registrations: [], invocations: [] };
}

function remember(list: Odd[], id: unknown): void {
  if (typeof id !== 'number') return;
  list.push(id);
  if (list.length > MOST_IDS) list.shift();
}

/** The draws of one session. */
export class WampMessages {
  readonly #random: Random;
  readonly #ids: KnownIds;
  readonly #own = noIds();
  /** How often something is wrong. Most of that ends the session, so those that see more of the node make no mistakes. */
  readonly oddness: number;
  /** Whether the HELLO asked to be let in by ticket. */
  hasTicket = false;
  #lastRequest = 0;

  constructor(random: Random, ids: KnownIds) {
    this.#random = random;
    this.#ids = ids;
    this.oddness = random.pick([0, 0, 0, 0.002, 0.02, 0.2]);
  }

  /** Reads from a message of the node what later messages may name. */
  learn(message: readonly unknown[]): void {
    const [type, first, second] = message;
    for (const ids of [this.#own, this.#ids]) {
      if (type === 2) remember(ids.sessions, first);
      if (type === 33) remember(ids.subscriptions, second);
      if (type === 65) remember(ids.registrations, second);
      if (type === 68) remember(ids.invocations, first);
    }
  }

  /** A HELLO that mostly is good enough to be let in. */
  hello(): Odd {
    const { role, roles } = this;
    const random = this.#random;
    const methods = random.pick(random.chance(0.9) ? USUAL_METHODS : OTHER_METHODS);
    this.hasTicket = methods?.includes('ticket') === true;
    const isJoe = this.hasTicket && !random.chance(0.05);
    const details = {
      ...(!random.chance(this.oddness) && { roles: random.chance(0.9) ? roles : { [role]: {} } }),
      ...(methods !== undefined && { authmethods: methods }),
      ...(methods !== undefined && {
        authid: isJoe ? 'joe' : random.pick(['nobody', oddText(random), MARKS.repeat(random.size(7000))]),
      }),
      ...(random.chance(0.1) && { authextra: this.#options(['nonce', 'kdf', 'channel_binding', 'pubkey']) }),
      ...(random.chance(0.1) && this.#extras()),
    };
    return [1, this.#field(() => 'realm1'), this.#field(() => details)];
  }

  /** The answer to a CHALLENGE for it. */
  ticket(): Odd {
    return [5, this.#random.chance(0.95) ? 'secret' : oddText(this.#random), this.#field(() => ({}))];
  }

  /** Any message but HELLO, mostly one that a session may send. */
  message(): Odd {
    const random = this.#random;
    const isOther = random.chance(0.002 + this.oddness / 4);
    const message = random.pick(isOther ? OTHER_MESSAGES : this.#sensibleMessages())(this);
    if (!random.chance(this.oddness)) return message;
    if (random.chance(0.1)) return oddValue(random);
    const changed = [...message];
    if (random.chance(0.5)) changed.splice(random.between(0, changed.length), random.between(0, 2));
    else changed.splice(random.between(0, changed.length), 0, oddValue(random));
    return changed;
  }

  /** Who answers what it was not asked is not let go on. */
  #sensibleMessages(): readonly Build[] {
    const answers = this.#own.invocations.length > 0 || this.#random.chance(this.oddness);
    return answers ? [...REQUESTS, ...ANSWERS] : REQUESTS;
  }

  /** The next request id, or another one. */
  request(): Odd {
    return this.#field(() => ++this.#lastRequest);
  }

  /** An id that was given to this session, or to somebody. */
  id(of: keyof KnownIds): Odd {
    const isOwn = of === 'invocations' ? !this.#random.chance(this.oddness) : this.#random.chance(0.7);
    const known = isOwn && this.#own[of].length > 0 ? this.#own[of] : this.#ids[of];
    return this.#field(() => (known.length === 0 ? 1 : this.#random.pick(known)));
  }

  uri(): Odd {
    return this.#field(() => (this.#random.chance(0.7) ? this.#random.pick(SHARED_URIS) : oddUri(this.#random)));
  }

  text(usual: string): Odd {
    return this.#field(() => usual);
  }

  /** Options that the message knows, with values of the right type or of any. */
  options(known: Readonly<Record<string, readonly Odd[]>>): Odd {
    const random = this.#random;
    const names = Object.keys(known).filter(() => random.chance(0.25));
    const options = names.map((name) => [name, this.#field(() => random.pick(known[name] ?? [null]))] as const);
    if (random.chance(this.oddness)) options.push([random.pick(RESERVED), oddValue(random)]);
    return this.#field(() => new Pairs(options));
  }

  /** Nothing, Arguments, or Arguments and ArgumentsKw. */
  payload(): readonly Odd[] {
    const random = this.#random;
    const odd = (): Odd => (random.chance(this.oddness) ? oddValue(random) : legalValue(random));
    const list = Array.from({ length: random.size(5) }, odd);
    return random.pick<readonly Odd[]>([
      [],
      [[]],
      [list],
      [list, { a: odd() }],
      [list, new Pairs([[legalText(random), odd()]])],
    ]);
  }

  /** A procedure of the router with arguments that it might take. */
  meta(): readonly [Odd, ...Odd[]] {
    const random = this.#random;
    const [name, ...parameters] = random.pick(META_PROCEDURES);
    const args = parameters.map((parameter) => this.#field(() => this.#argument(parameter)));
    return [
      name,
      args,
      ...(random.chance(0.2) ? [{ reason: this.uri(), limit: this.#field(() => random.between(0, 100)) }] : []),
    ];
  }

  get role(): string {
    return this.#random.pick(['caller', 'callee', 'publisher', 'subscriber']);
  }

  get roles(): Odd {
    const names = ['caller', 'callee', 'publisher', 'subscriber', 'x', '__proto__'];
    return new Pairs(names.map((name) => [name, this.#field(() => this.#features())] as const));
  }

  #features(): Odd {
    const random = this.#random;
    const features = FEATURES.map((name) => [name, this.#field(() => true)] as const);
    return random.chance(0.1) ? {} : { features: this.#field(() => new Pairs(features)) };
  }

  #extras(): { readonly [key: string]: Odd } {
    const random = this.#random;
    return {
      agent: oddText(random),
      resumable: oddValue(random),
      'resume-session': oddNumber(random),
      x: oddValue(random),
    };
  }

  #options(names: readonly string[]): Odd {
    return new Pairs(names.map((name) => [name, oddValue(this.#random)] as const));
  }

  #argument(parameter: string): Odd {
    if (parameter === 'session') return this.id('sessions');
    if (parameter === 'subscription') return this.id('subscriptions');
    if (parameter === 'registration') return this.id('registrations');
    if (parameter === 'uri') return this.uri();
    if (parameter === 'list') return [oddValue(this.#random)];
    return parameter === 'dict'
      ? { match: this.#random.pick(MATCHES) }
      : this.#random.pick(['nobody', 'detached', 'destroyed']);
  }

  #field(right: () => Odd): Odd {
    return this.#random.chance(this.oddness) ? oddValue(this.#random) : right();
  }
}

const SHARED_URIS = ['fuzz.a', 'fuzz.b', 'fuzz.c', 'fuzz.a.b', 'fuzz.a.b.c', 'fuzz', 'fuzz..b', 'fuzz.a.'];
const USUAL_METHODS = [undefined, ['anonymous'], ['cookie', 'anonymous'], ['cookie', 'ticket'], ['ticket']];
/** In the order that makes normalization work hardest. */
const MARKS = 'a\u0315\u0300\u05ae\u0300';
const OTHER_METHODS = [['wampcra'], ['wamp-scram'], ['scram'], ['cryptosign'], ['no such'], []];
const FEATURES = [
  ...['call_canceling', 'progressive_call_results', 'progressive_call_invocations', 'call_timeout'],
  ...['payload_passthru_mode', 'publisher_exclusion', 'x', '__proto__'],
];
const MATCHES: readonly Odd[] = ['exact', 'prefix', 'wildcard'];
const FLAGS: readonly Odd[] = [true, false];
const IDS: readonly Odd[] = [[], [1, 2], [2 ** 53]];
const NAMES: readonly Odd[] = [[], ['stranger'], ['good', '__proto__']];
const PASSTHRU = {
  ppt_scheme: ['wamp', 'x_custom', ''],
  ppt_serializer: ['cbor', 'json', 'x'],
  enc_algo: ['cryptobox', 'x'],
  enc_serializer: ['json', 'x'],
};

const META_PROCEDURES: readonly (readonly [string, ...string[]])[] = [
  ...([
    ['wamp.session.count', 'list'],
    ['wamp.session.list', 'list'],
    ['wamp.session.get', 'session'],
  ] as const),
  ...([
    ['wamp.session.kill', 'session'],
    ['wamp.session.kill_by_authid', 'name'],
  ] as const),
  ...([
    ['wamp.session.kill_by_authrole', 'name'],
    ['wamp.session.add_testament', 'uri', 'list', 'dict'],
  ] as const),
  ...([['wamp.session.flush_testaments'], ['wamp.registration.list'], ['wamp.subscription.list']] as const),
  ...([
    ['wamp.registration.lookup', 'uri', 'dict'],
    ['wamp.registration.match', 'uri'],
  ] as const),
  ...([
    ['wamp.registration.get', 'registration'],
    ['wamp.registration.list_callees', 'registration'],
  ] as const),
  ...([['wamp.registration.count_callees', 'registration']] as const),
  ...([['wamp.registration.remove_callee', 'registration', 'session']] as const),
  ...([
    ['wamp.subscription.lookup', 'uri', 'dict'],
    ['wamp.subscription.match', 'uri'],
  ] as const),
  ...([
    ['wamp.subscription.get', 'subscription'],
    ['wamp.subscription.list_subscribers', 'subscription'],
  ] as const),
  ...([['wamp.subscription.count_subscribers', 'subscription']] as const),
  ...([['wamp.subscription.remove_subscriber', 'subscription', 'session']] as const),
  ...([
    ['wamp.subscription.get_events', 'subscription', 'list'],
    ['wamp.no.such', 'dict'],
  ] as const),
];

type Build = (draw: WampMessages) => readonly Odd[];

const publish: Build = (draw) => [
  16,
  draw.request(),
  draw.options({
    ...{ acknowledge: FLAGS, exclude_me: FLAGS, disclose_me: FLAGS, retain: FLAGS, exclude: IDS, eligible: IDS },
    ...{
      exclude_authid: NAMES,
      exclude_authrole: NAMES,
      eligible_authid: NAMES,
      eligible_authrole: NAMES,
      ...PASSTHRU,
    },
  }),
  draw.uri(),
  ...draw.payload(),
];
const subscribe: Build = (draw) => [
  32,
  draw.request(),
  draw.options({ match: MATCHES, get_retained: FLAGS, nkey: ['x'] }),
  draw.uri(),
];
const call: Build = (draw) => [48, draw.request(), callOptions(draw), draw.uri(), ...draw.payload()];
const callMeta: Build = (draw) => [48, draw.request(), callOptions(draw), ...draw.meta()];
const register: Build = (draw) => [
  64,
  draw.request(),
  draw.options({
    match: MATCHES,
    invoke: ['single', 'first', 'last', 'random', 'roundrobin', 'load'],
    ...{ concurrency: [1, 2, 2 ** 40], force_reregister: FLAGS, disclose_caller: FLAGS, forward_timeout: FLAGS },
  }),
  draw.uri(),
];
const yieldResult: Build = (draw) => [
  70,
  draw.id('invocations'),
  draw.options({ progress: FLAGS, ...PASSTHRU }),
  ...draw.payload(),
];
const invocationError: Build = (draw) => [
  8,
  68,
  draw.id('invocations'),
  draw.options({ x: [1] }),
  draw.uri(),
  ...draw.payload(),
];
const cancel: Build = (draw) => [
  49,
  draw.request(),
  draw.options({ mode: ['skip', 'kill', 'killnowait'], reason: ['fuzz.reason'] }),
];

function callOptions(draw: WampMessages): Odd {
  return draw.options({
    ...{ timeout: [0, 1, 50, 2 ** 31 - 1], receive_progress: FLAGS, progress: FLAGS, disclose_me: FLAGS, ...PASSTHRU },
    ...{ rkey: ['x'], runmode: ['partition'] },
  });
}

const unsubscribe: Build = (draw) => [34, draw.request(), draw.id('subscriptions')];
const unregister: Build = (draw) => [66, draw.request(), draw.id('registrations')];

/** As often as they stand here. */
const REQUESTS: readonly Build[] = [
  ...[publish, publish, publish, subscribe, subscribe, unsubscribe, call, call, call, callMeta, callMeta],
  ...[cancel, register, register, unregister],
];
const ANSWERS: readonly Build[] = [yieldResult, yieldResult, yieldResult, invocationError];

/** Those that end a session, those of the handshake, those that only routers send, and those that are none. */
const OTHER_MESSAGES: readonly Build[] = [
  (draw) => [6, draw.options({ message: ['bye'] }), draw.text('wamp.close.normal')],
  (draw) => [6, {}, draw.text('wamp.close.logout')],
  (draw) => [3, draw.options({ message: ['bye'] }), draw.text('fuzz.reason'), ...draw.payload()],
  (draw) => [5, draw.text('x'), draw.options({ x: [1] })],
  (draw) => [1, draw.text('realm1'), { roles: draw.roles }],
  (draw) => [2, draw.id('sessions'), draw.options({ roles: [{}] })],
  (draw) => [4, draw.text('ticket'), {}],
  (draw) => [8, 48, draw.request(), {}, draw.uri()],
  (draw) => [17, draw.request(), draw.id('subscriptions')],
  (draw) => [33, draw.request(), draw.id('subscriptions')],
  (draw) => [36, draw.id('subscriptions'), draw.id('sessions'), {}, ...draw.payload()],
  (draw) => [50, draw.request(), {}, ...draw.payload()],
  (draw) => [68, draw.id('invocations'), draw.id('registrations'), {}, ...draw.payload()],
  (draw) => [69, draw.id('invocations'), {}],
  (draw) => [draw.request(), draw.request(), {}],
  () => [7, {}],
  () => [0],
  () => ['16', 1, {}, 'fuzz.a'],
  () => [],
];
