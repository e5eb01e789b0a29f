/**
 * The configs of the nodes that are measured: as one would write them by hand. Nothing is switched off, every limit stands
 * at its default.
 */

export const COOKIE_FILE = 'cookies.dat';
const COOKIE_DATABASE = 'cookies';
/** The load is thousands of new visitors a second, and none may be forgotten: each is looked for in the file. */
const MAX_UNRETURNED = 10_000_000;

/**
 * @typedef {object} NodeSettings
 * @property {'none' | 'memory' | 'file' | 'database' | 'nats'} cookie where cookies are kept
 * @property {number} [cookieSeconds] how long a cookie lives, if not as long as usual
 * @property {object} [options] of the WebSocket
 * @property {boolean} [rawsocket] whether it has a RawSocket transport in place of the one for WebSockets
 * @property {boolean} [metrics] whether it has the service `metrics`
 * @property {number} [rules] permission rules of the anonymous role; without it there is one, for everything
 */

const STORES = {
  memory: { type: 'memory' },
  file: { type: 'file', filename: COOKIE_FILE },
  database: { type: 'database', path: COOKIE_DATABASE },
  nats: { type: 'nats', bucket: COOKIE_DATABASE },
};

/**
 * @param {NodeSettings} settings
 * @param {readonly string[]} [nats] the servers of the store `nats`
 */
export function nodeConfig({ cookie, cookieSeconds, rawsocket, metrics, rules, options = {} }, nats) {
  const lifetime = cookieSeconds === undefined ? {} : { max_age: cookieSeconds };
  const section =
    cookie === 'none' ? {} : { cookie: { store: storeOf(cookie, nats), max_unreturned: MAX_UNRETURNED, ...lifetime } };
  const permissions = rules === undefined ? [{ uri: '', match: 'prefix', allow: allow(true) }] : manyRules(rules);
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  const counted = metrics === true ? { metrics: { type: 'metrics' } } : {};
  const paths = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket', options, ...section }, ...counted };
  const web = { type: 'web', endpoint, paths };
  const transports = rawsocket === true ? [{ type: 'rawsocket', endpoint }] : [web];
  // The bench takes the port of a node to be the one that it listens on: counting needs no port of its own.
  const together = rawsocket === true && metrics === true;
  return {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions }] }],
        transports: together ? [{ type: 'universal', endpoint, rawsocket: {}, web: { paths: counted } }] : transports,
      },
    ],
  };
}

/**
 * @param {Exclude<NodeSettings['cookie'], 'none'>} word
 * @param {readonly string[] | undefined} servers
 */
function storeOf(word, servers) {
  return word === 'nats' ? { ...STORES.nats, servers } : STORES[word];
}

/**
 * Exact rules, wildcards and prefixes in equal parts, most of them about what has a beginning or an end in common with
 * what the bench calls and publishes to. A wildcard allows that; the prefix of the same beginning does not.
 *
 * @param {number} count
 */
function manyRules(count) {
  const deciding = [
    { uri: 'bench..', match: 'wildcard', allow: allow(true) },
    { uri: 'bench.', match: 'prefix', allow: allow(false) },
  ];
  const others = Array.from({ length: count - deciding.length }, (_, index) => ({
    ...ruleAbout(index),
    allow: allow(index % 2 === 0),
  }));
  return [...deciding, ...others];
}

/** @param {number} index */
function ruleAbout(index) {
  const subject = ['echo', 'topic', 'stock', 'weather'][index % 4];
  if (index % 3 === 0) return { uri: `bench.${subject}.item${index}`, match: 'exact' };
  if (index % 3 === 1) return { uri: `bench..item${index}`, match: 'wildcard' };
  return { uri: `bench.${subject}.item${index}.`, match: 'prefix' };
}

/** @param {boolean} all */
function allow(all) {
  return { call: all, register: all, publish: all, subscribe: all };
}
