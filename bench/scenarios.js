/**
 * What is measured: one entry per row of the table. An entry says which load to drive at the router, and which bare `ws`
 * server and load it is compared with. To add a measurement, add an entry.
 */

/**
 * @typedef {object} Baseline
 * @property {'echo' | 'broadcast' | 'accept'} server see baseline.js
 * @property {readonly string[]} load flags for load.js
 * @property {number} unitsPerRouterUnit how many of its units stand against one of the router's
 * @property {string} name for the table
 *
 * @typedef {object} Scenario
 * @property {string} name for `--scenario`
 * @property {string} title for the table
 * @property {string} unit what the CPU is divided by
 * @property {readonly string[]} load flags for load.js
 * @property {import('./node-config.js').NodeSettings} node what is special about the router's node
 * @property {Baseline} baseline scenarios that share this object share its measurements
 * @property {string} [against] the name of another scenario with the same baseline, to which the table gives the ratio
 */

/** What can be asked of any router. @type {import('./node-config.js').NodeSettings} */
export const PLAIN = { cookie: 'none' };

/**
 * @param {string} name
 * @param {string} title
 * @param {number} payload
 * @returns {Scenario}
 */
function call(name, title, payload) {
  const load = ['--window', '64', '--payload', String(payload)];
  return {
    name,
    title,
    unit: 'call',
    load: ['--kind', 'rpc', ...load],
    node: PLAIN,
    // A call goes through the router twice: there and back.
    baseline: { server: 'echo', load: ['--kind', 'echo', ...load], unitsPerRouterUnit: 2, name: 'ws, two echoes' },
  };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {{ subscribers: number, window: number, payload: number }} load
 * @returns {Scenario}
 */
function publication(name, title, { subscribers, window, payload }) {
  const load = ['--subscribers', String(subscribers), '--window', String(window), '--payload', String(payload)];
  return {
    name,
    title,
    unit: 'event',
    load: ['--kind', 'publish', ...load],
    node: PLAIN,
    baseline: {
      server: 'broadcast',
      load: ['--kind', 'broadcast', ...load],
      unitsPerRouterUnit: 1,
      name: 'ws, broadcast',
    },
  };
}

/**
 * The same load with something more to it, measured in the same rounds as the plain one.
 *
 * @param {Scenario} plain
 * @param {string} suffix of its name
 * @param {string} title
 * @param {{ load?: readonly string[], node?: import('./node-config.js').NodeSettings, against?: string }} [difference]
 * @returns {Scenario}
 */
function variant(plain, suffix, title, { load = [], node = plain.node, against = plain.name } = {}) {
  return { ...plain, name: `${plain.name}-${suffix}`, title, load: [...plain.load, ...load], node, against };
}

const CONNECT = ['--kind', 'connect', '--concurrency', '16'];
const IDLE = ['--kind', 'idle'];
const MIXED = ['json', 'msgpack', 'cbor'].flatMap((serializer) => ['--serializer', serializer]);
const RULES = 200;

const rpc = call('rpc', 'call, 20 B', 20);
const pubsub1 = publication('pubsub1', 'event to 1, 20 B', { subscribers: 1, window: 32, payload: 20 });
const pubsub100 = publication('pubsub100', 'event to 100, 8 under way, 20 B', {
  subscribers: 100,
  window: 8,
  payload: 20,
});
/** @type {Scenario} */
const connect = {
  name: 'connect',
  title: 'connect, no cookie',
  unit: 'connection',
  load: [...CONNECT, '--cookie', 'none'],
  node: PLAIN,
  baseline: { server: 'accept', load: CONNECT, unitsPerRouterUnit: 1, name: 'ws, accept' },
};
const newCookie = ['--cookie', 'new'];
const knownCookie = ['--cookie', 'known'];

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  rpc,
  call('rpc-1k', 'call, 1 KiB', 1024),
  pubsub1,
  pubsub100,
  publication('pubsub100-1k', 'event to 100, 8 under way, 1 KiB', { subscribers: 100, window: 8, payload: 1024 }),
  publication('pubsub100-single', 'event to 100, 1 under way, 20 B', { subscribers: 100, window: 1, payload: 20 }),
  publication('pubsub100-single-1k', 'event to 100, 1 under way, 1 KiB', {
    subscribers: 100,
    window: 1,
    payload: 1024,
  }),
  connect,
  variant(connect, 'memory', 'connect, new cookie, memory', { load: newCookie, node: { cookie: 'memory' } }),
  variant(connect, 'file', 'connect, new cookie, durable file', { load: newCookie, node: { cookie: 'file' } }),
  variant(connect, 'file-known', 'connect, known cookie, file', { load: knownCookie, node: { cookie: 'file' } }),
  variant(connect, 'database', 'connect, new cookie, database', { load: newCookie, node: { cookie: 'database' } }),
  variant(connect, 'database-known', 'connect, known cookie, database', {
    load: knownCookie,
    node: { cookie: 'database' },
  }),
  variant(connect, 'nats', 'connect, new cookie, NATS', { load: newCookie, node: { cookie: 'nats' } }),
  variant(connect, 'nats-known', 'connect, known cookie, NATS', { load: knownCookie, node: { cookie: 'nats' } }),
  {
    name: 'idle',
    title: 'idle session',
    unit: 'session',
    load: IDLE,
    node: PLAIN,
    baseline: { server: 'accept', load: IDLE, unitsPerRouterUnit: 1, name: 'ws, accept' },
  },
  variant(pubsub1, 'patterns10', 'event to 1, 10 patterns', { load: ['--patterns', '10'] }),
  variant(pubsub1, 'patterns10000', 'event to 1, 10,000 patterns', {
    load: ['--patterns', '10000'],
    against: 'pubsub1-patterns10',
  }),
  variant(rpc, 'msgpack', 'call, 20 B, MessagePack', { load: ['--serializer', 'msgpack'] }),
  variant(rpc, 'cbor', 'call, 20 B, CBOR', { load: ['--serializer', 'cbor'] }),
  variant(pubsub100, 'msgpack', 'event to 100, MessagePack', { load: ['--serializer', 'msgpack'] }),
  variant(pubsub100, 'cbor', 'event to 100, CBOR', { load: ['--serializer', 'cbor'] }),
  variant(pubsub100, 'mixed', 'event to 100, three serializers', { load: MIXED }),
  variant(rpc, 'rawsocket', 'call, 20 B, RawSocket', {
    load: ['--rawsocket'],
    node: { cookie: 'none', rawsocket: true },
  }),
  variant(rpc, 'rules', `call, 20 B, ${RULES} rules`, { node: { cookie: 'none', rules: RULES } }),
  variant(pubsub100, 'rules', `event to 100, ${RULES} rules`, { node: { cookie: 'none', rules: RULES } }),
];

/** Words for several at once; a name's beginning does it, too. @type {Readonly<Record<string, readonly string[]>>} */
export const GROUPS = {
  core: [
    'rpc',
    'rpc-1k',
    'pubsub1',
    'pubsub100',
    'pubsub100-single',
    'connect',
    'connect-file',
    'idle',
    'pubsub1-patterns10',
    'pubsub1-patterns10000',
  ],
  cookies: SCENARIOS.filter(({ name }) => name.startsWith('connect')).map(({ name }) => name),
  serializers: [
    'rpc',
    'rpc-msgpack',
    'rpc-cbor',
    'pubsub100',
    ...['msgpack', 'cbor', 'mixed'].map((s) => `pubsub100-${s}`),
  ],
  patterns: ['pubsub1', 'pubsub1-patterns10', 'pubsub1-patterns10000'],
  rules: ['rpc', 'rpc-rules', 'pubsub100', 'pubsub100-rules'],
};

/**
 * @param {string} word a name, a group, or the beginning of names
 * @returns {readonly Scenario[]}
 */
export function scenariosFor(word) {
  const names = GROUPS[word];
  if (names !== undefined) return SCENARIOS.filter(({ name }) => names.includes(name));
  const exact = SCENARIOS.filter(({ name }) => name === word);
  return exact.length > 0 ? exact : SCENARIOS.filter(({ name }) => name.startsWith(word));
}
